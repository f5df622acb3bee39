#include "represent.h"

#include <fmt/format.h>

#include "catch.h"
#include "fake_heap.h"
#include "failing_memory.h"
#include "layouts_under_test.h"

namespace asyncspy {
namespace {

std::string represent(FakeHeap& heap, Address object, std::string_view name = {}, RepresentOptions options = {}) {
  ObjectReader reader{heap.memory, heap.layout()};
  TypeTable types;
  return Representer(reader, types, options).represent(object, name);
}

std::string represent_exception(FakeHeap& heap, Address object) {
  ObjectReader reader{heap.memory, heap.layout()};
  TypeTable types;
  return Representer(reader, types).represent_exception(object);
}

std::string at(Address address) { return fmt::format("0x{:x}", address.value()); }

Address exception_type(FakeHeap& heap, std::string_view name) {
  return heap.static_type(name, {.bases = {heap.static_type("BaseException")}});
}

std::vector<Address> numbers(FakeHeap& heap, int count) {
  std::vector<Address> items;
  for (int i = 0; i < count; ++i) items.push_back(heap.integer(i));
  return items;
}

Address bytes_of(FakeHeap& heap, std::string_view text) {
  return heap.bytes(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

// An int of many digits of 30 bits, all of them full.
Address wide_integer(FakeHeap& heap, std::int64_t digits) {
  const NumberLayout& layout = heap.layout().number;
  Address number = heap.object(heap.static_type("int"), layout.digits.offset + 4 * digits);
  heap.set(number, layout.integer_tag, heap.layout().integer_coding == IntegerCoding::kTagged ? digits << 3 : digits);
  for (std::int64_t i = 0; i < digits; ++i) {
    heap.memory.write(FakeHeap::at(number, layout.digits) + static_cast<std::uint64_t>(4 * i), std::uint32_t{(1U << 30) - 1});
  }
  return number;
}

}  // namespace

TEST_CASE("plain values are written as Python writes them") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    CHECK(represent(heap, heap.none()) == "None");
    CHECK(represent(heap, heap.boolean(true)) == "True");
    CHECK(represent(heap, heap.boolean(false)) == "False");
    CHECK(represent(heap, heap.integer(0)) == "0");
    CHECK(represent(heap, heap.integer(-17)) == "-17");
    CHECK(represent(heap, heap.integer(1'000'000'007)) == "1000000007");
    CHECK(represent(heap, heap.integer(INT64_MIN)) == "-9223372036854775808");
    CHECK(represent(heap, heap.real(1.0)) == "1.0");
    CHECK(represent(heap, heap.real(0.1)) == "0.1");
    CHECK(represent(heap, heap.real(1e16)) == "1e+16");
    CHECK(represent(heap, heap.real(-1e-7)) == "-1e-07");
    CHECK(represent(heap, heap.ascii("")) == "''");
    CHECK(represent(heap, heap.ascii("it's")) == "\"it's\"");
    CHECK(represent(heap, heap.ascii("it's \"so\"")) == R"('it\'s "so"')");
    CHECK(represent(heap, heap.ascii("a\\b\n\x1b]0;evil\x07")) == R"('a\\b\n\x1b]0;evil\x07')");
    CHECK(represent(heap, heap.text(U"Gr\u00fc\u00dfe", 1)) == "'Gr\u00fc\u00dfe'");
    CHECK(represent(heap, heap.text(U"\x9b\u4e2d\xd83d", 2)) == "'\\x9b\u4e2d\\ud83d'");
    CHECK(represent(heap, bytes_of(heap, std::string_view("a\0\xff\n'", 5))) == R"(b"a\x00\xff\n'")");
  }
}

TEST_CASE("an int of any size is exact, or says how large it is") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    CHECK(represent(heap, wide_integer(heap, 4)) == "1329227995784915872903807060280344575");  // 2**120 - 1
    CHECK(represent(heap, wide_integer(heap, 9)) ==
          "1897137590064188545819787018382342682267975428761855001222473056385648716020711423");  // 2**270 - 1
    CHECK(represent(heap, wide_integer(heap, 10)) == "<int of 300 bits>");
    CHECK(represent(heap, wide_integer(heap, 40'000)) == "<int of 1200000 bits>");
  }
}

TEST_CASE("long texts are cut, and the cut says how long they are") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    CHECK(represent(heap, heap.ascii(std::string(100, 'x'))) == "'" + std::string(100, 'x') + "'");
    CHECK(represent(heap, heap.ascii(std::string(101, 'x'))) == "'" + std::string(100, 'x') + "'... (101 characters)");
    CHECK(represent(heap, bytes_of(heap, std::string(5000, 'x'))) == "b'" + std::string(100, 'x') + "'... (5000 bytes)");
  }
}

TEST_CASE("containers show their first items and the number of the rest") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    Address one = heap.integer(1);
    CHECK(represent(heap, heap.tuple({})) == "()");
    CHECK(represent(heap, heap.tuple({one})) == "(1,)");
    CHECK(represent(heap, heap.tuple({one, heap.none()})) == "(1, None)");
    CHECK(represent(heap, heap.list({})) == "[]");
    CHECK(represent(heap, heap.list(numbers(heap, 100))) == "[0, 1, 2, 3, 4, 5, 6, 7, ... 92 more]");
    CHECK(represent(heap, heap.deque(numbers(heap, 300), 60)) == "deque([0, 1, 2, 3, 4, 5, 6, 7, ... 292 more])");
    CHECK(represent(heap, heap.set_of({})) == "set()");
    CHECK(represent(heap, heap.set_of({one})) == "{1}");
    CHECK(represent(heap, heap.set_of(numbers(heap, 2000))) == "{0, 1, 2, 3, 4, 5, 6, 7, ... 1992 more}");
    CHECK(represent(heap, heap.dict(std::vector<FakeEntry>{})) == "{}");
    for (DictForm form : {DictForm::kText, DictForm::kGeneral, DictForm::kSplit}) {
      CHECK(represent(heap, heap.dict({{"a", one}, {"b", heap.none()}}, form)) == "{'a': 1, 'b': None}");
    }
    std::vector<std::pair<Address, Address>> many;
    for (int i = 0; i < 1000; ++i) many.emplace_back(heap.integer(i), one);
    CHECK(represent(heap, heap.dict(many, DictForm::kGeneral)) == "{0: 1, 1: 1, 2: 1, 3: 1, 4: 1, 5: 1, 6: 1, 7: 1, ... 992 more}");
  }
}

TEST_CASE("classes derived from containers are named, and named tuples have their fields") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    heap.dict(std::vector<FakeEntry>{});
    heap.tuple({});
    Address config = heap.dict({{"a", heap.none()}});
    heap.set(config, layout.object.type, heap.heap_type("app", "Config", {.bases = {heap.static_type("dict")}}));
    CHECK(represent(heap, config) == "Config({'a': None})");
    Address fields = heap.tuple({heap.ascii("user"), heap.ascii("password")});
    Address pair = heap.tuple({heap.ascii("bob"), heap.ascii("hunter2")});
    heap.set(pair, layout.object.type, heap.heap_type("app", "Login", {.bases = {heap.static_type("tuple")}, .dict = {{"_fields", fields}}}));
    CHECK(represent(heap, pair) == "Login(user='bob', password=<masked>)");
    CHECK(represent(heap, pair, {}, {.mask = false}) == "Login(user='bob', password='hunter2')");
  }
}

TEST_CASE("a class that is only named like a built-in type is not read as one") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    Address liar = heap.object(heap.heap_type("builtins", "dict"), 64);
    CHECK(represent(heap, liar) == "<dict at " + at(liar) + ">");
  }
}

TEST_CASE("a container inside of itself ends, however it comes there") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    Address list = heap.list({heap.none(), heap.integer(7)});
    Address items = *heap.memory.read_value<Address>(FakeHeap::at(list, layout.sequence.list_items));
    heap.memory.write(items, list);
    CHECK(represent(heap, list) == "[[...], 7]");
    Address dict = heap.dict({{"again", heap.none()}}, DictForm::kSplit);
    Address values = *heap.memory.read_value<Address>(FakeHeap::at(dict, layout.dict.values));
    heap.memory.write(values + static_cast<std::uint64_t>(layout.dict.values_first.offset), heap.list({dict}));
    CHECK(represent(heap, dict) == "{'again': [{...}]}");
    Address error = heap.exception(exception_type(heap, "ValueError"), {heap.none()});
    Address arguments = *heap.memory.read_value<Address>(FakeHeap::at(error, layout.exception.arguments));
    heap.memory.write(FakeHeap::at(arguments, layout.sequence.tuple_items), error);
    CHECK(represent(heap, error) == "ValueError(ValueError(...))");
    CHECK(represent_exception(heap, error) == "ValueError: ValueError(...)");
  }
}

TEST_CASE("the text is short whatever the object holds") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    Address deep = heap.list({heap.none()});
    for (int i = 0; i < 10'000; ++i) deep = heap.list({deep});
    CHECK(represent(heap, deep) == "[[[<list of 1>]]]");
    Address errors = heap.exception(exception_type(heap, "ValueError"), {});
    for (int i = 0; i < 1000; ++i) errors = heap.exception(exception_type(heap, "ValueError"), {errors});
    CHECK(represent(heap, errors).starts_with("ValueError(ValueError(ValueError(<ValueError at"));
    Address wide = heap.ascii(std::string(100'000, 'x'));
    for (int i = 0; i < 6; ++i) wide = heap.list({wide, wide, wide, wide, wide, wide, wide, wide});
    CHECK(represent(heap, wide, {}, {.depth = 8}).size() < 1000);
  }
}

TEST_CASE("an instance shows its attributes, but not those of instances within it") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    Address type = heap.instance_type("app", "Order", {"number", "part"});
    Address inner = heap.instance(type, {heap.integer(2), heap.none()});
    Address outer = heap.instance(type, {heap.integer(1), inner});
    CHECK(represent(heap, outer) == "<app.Order at " + at(outer) + ": number=1, part=<app.Order at " + at(inner) + ">>");
    CHECK(represent(heap, heap.list({inner})) == "[<app.Order at " + at(inner) + ": number=2, part=None>]");
    Address with_dict = heap.instance_with_dict(type, heap.dict({{"x", heap.none()}}));
    CHECK(represent(heap, with_dict) == "<app.Order at " + at(with_dict) + ": x=None>");
    Address slotted_type = heap.slotted_type("app", "Point", {"x", "y"});
    Address slotted = heap.object(slotted_type, 32);
    heap.memory.write(slotted + 24, heap.integer(5));  // x is not set
    CHECK(represent(heap, slotted) == "<app.Point at " + at(slotted) + ": y=5>");
    Address bare = heap.object(heap.heap_type("app", "Bare"), 64);
    CHECK(represent(heap, bare) == "<app.Bare at " + at(bare) + ">");
  }
}

TEST_CASE("exceptions are told by type and message") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    Address value_error = exception_type(heap, "ValueError");
    CHECK(represent_exception(heap, heap.exception(value_error, {heap.ascii("boom")})) == "ValueError: boom");
    CHECK(represent_exception(heap, heap.exception(value_error, {})) == "ValueError");
    CHECK(represent_exception(heap, heap.exception(value_error, {heap.ascii("")})) == "ValueError");
    CHECK(represent_exception(heap, heap.exception(value_error, {heap.integer(3)})) == "ValueError: 3");
    CHECK(represent_exception(heap, heap.exception(value_error, {heap.integer(3), heap.ascii("x")})) == "ValueError: (3, 'x')");
    CHECK(represent_exception(heap, heap.exception(value_error, {heap.ascii("postgres://u:hunter2@db")})) == "ValueError: postgres://u:<masked>@db");
    CHECK(represent(heap, heap.exception(value_error, {heap.ascii("boom")})) == "ValueError('boom')");
    CHECK(represent_exception(heap, heap.exception(exception_type(heap, "KeyError"), {heap.ascii("k")})) == "KeyError: 'k'");
    Address os_error = heap.exception(exception_type(heap, "OSError"), {heap.integer(2), heap.ascii("No such file")});
    CHECK(represent_exception(heap, os_error) == "OSError: [Errno 2] No such file");
    Address own = heap.heap_type("app", "Refused", {.bases = {heap.static_type("BaseException")}});
    CHECK(represent_exception(heap, heap.exception(own, {heap.ascii("no")})) == "app.Refused: no");
    CHECK(represent_exception(heap, heap.integer(3)) == "3");
    Address without = heap.exception(value_error, {});
    heap.set(without, layout.exception.arguments, Address{});
    CHECK(represent_exception(heap, without) == "ValueError: (<unreadable>)");
    CHECK(represent(heap, without) == "ValueError(<unreadable>)");
  }
}

TEST_CASE("what has a name is shown by it") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    Address function = heap.function("handler");
    CHECK(represent(heap, function) == "<function handler at " + at(function) + ">");
    Address self = heap.object(heap.heap_type("app", "Server"), 64);
    CHECK(represent(heap, heap.method(function, self)) == "<bound method handler of <app.Server at " + at(self) + ">>");
    CHECK(represent(heap, heap.builtin("len", self)) == "<built-in function len>");
    CHECK(represent(heap, heap.static_type("int")) == "<class 'int'>");
    CHECK(represent(heap, heap.heap_type("app", "Server.Inner")) == "<class 'app.Server.Inner'>");
    CHECK(represent(heap, heap.module("json", heap.dict({{"__name__", heap.ascii("json")}}))) == "<module 'json'>");
    Address colours = heap.instance_type("app", "Colour", {"_value_", "_name_"}, {heap.heap_type("enum", "Enum")});
    CHECK(represent(heap, heap.instance(colours, {heap.integer(1), heap.ascii("RED")})) == "Colour.RED");
    Address nameless = heap.instance(colours, {heap.integer(3), heap.none()});
    CHECK(represent(heap, nameless) == "<app.Colour at " + at(nameless) + ">");
    Address uuids = heap.slotted_type("uuid", "UUID", {"int", "is_safe"});
    Address uuid = heap.object(uuids, 32);
    heap.memory.write(uuid + 16, wide_integer(heap, 4));
    CHECK(represent(heap, uuid) == "UUID('00ffffff-ffff-ffff-ffff-ffffffffffff')");
  }
}

TEST_CASE("secrets are masked by the names that lead to them, at any depth") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    Address secret = heap.ascii("hunter2");
    CHECK(represent(heap, secret, "password") == "<masked>");
    CHECK(represent(heap, heap.integer(1234), "otp") == "<masked>");
    CHECK(represent(heap, heap.list({secret}), "tokens") == "<masked>");
    CHECK(represent(heap, heap.dict({{"a", secret}}), "credentials") == "<masked>");
    CHECK(represent(heap, heap.dict({{"password", secret}, {"user", heap.ascii("bob")}})) == "{'password': <masked>, 'user': 'bob'}");
    Address keyed_by_bytes = heap.dict({{bytes_of(heap, "DB_PASSWORD"), secret}}, DictForm::kGeneral);
    CHECK(represent(heap, keyed_by_bytes) == "{b'DB_PASSWORD': <masked>}");
    Address header = heap.tuple({bytes_of(heap, "authorization"), bytes_of(heap, "Bearer hunter2")});
    CHECK(represent(heap, heap.list({header})) == "[(b'authorization', <masked>)]");
    CHECK(represent(heap, heap.list({heap.ascii("run"), heap.ascii("--password"), secret, heap.none()})) == "['run', '--password', <masked>, None]");
    Address type = heap.instance_type("app", "Client", {"user", "_password"});
    Address client = heap.instance(type, {heap.ascii("bob"), secret});
    CHECK(represent(heap, client) == "<app.Client at " + at(client) + ": user='bob', _password=<masked>>");
    CHECK(represent(heap, heap.list({heap.dict({{"x", client}})})).find("hunter2") == std::string::npos);
    CHECK(represent(heap, heap.ascii("postgresql://app:hunter2@db/shop"), "url") == "'postgresql://app:<masked>@db/shop'");
    CHECK(represent(heap, bytes_of(heap, "POST / HTTP/1.1\r\nAuthorization: Bearer hunter2\r\n\r\n")) ==
          R"(b'POST / HTTP/1.1\r\nAuthorization: <masked>\r\n\r\n')");
    CHECK(represent(heap, heap.exception(exception_type(heap, "ValueError"), {heap.ascii("password=hunter2")})) == "ValueError('password=<masked>')");
    std::string url = "postgresql://" + std::string(95, 'u') + ":hunter2@db";
    CHECK(represent(heap, heap.ascii(url)).find("hunter") == std::string::npos);
  }
}

TEST_CASE("a secret that goes on beyond what is read is masked, too") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    std::string text = "redis://u:" + std::string(5000, 's') + "@cache";
    CHECK(represent(heap, heap.ascii(text)) == "'redis://u:<masked>'... (5016 characters)");
  }
}

TEST_CASE("under the name of a secret, what is none stays visible and objects show no attributes") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    CHECK(represent(heap, heap.none(), "token") == "None");
    CHECK(represent(heap, heap.boolean(true), "auth") == "True");
    Address session = heap.instance(heap.instance_type("aiohttp.client", "ClientSession", {"x"}), {heap.ascii("hunter2")});
    CHECK(represent(heap, session, "session") == "<aiohttp.client.ClientSession at " + at(session) + ">");
    CHECK(represent(heap, heap.exception(exception_type(heap, "ValueError"), {heap.ascii("hunter2")}), "auth").starts_with("<ValueError at"));
  }
}

TEST_CASE("without masking everything is shown") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    Address secret = heap.ascii("hunter2");
    RepresentOptions options{.mask = false};
    CHECK(represent(heap, secret, "password", options) == "'hunter2'");
    CHECK(represent(heap, heap.dict({{"password", secret}}), {}, options) == "{'password': 'hunter2'}");
    CHECK(represent(heap, heap.tuple({heap.ascii("token"), secret}), {}, options) == "('token', 'hunter2')");
    CHECK(represent(heap, heap.ascii("postgresql://app:hunter2@db/shop"), {}, options) == "'postgresql://app:hunter2@db/shop'");
  }
}

TEST_CASE("what can not be read is said to be unreadable, and the rest is shown") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    CHECK(represent(heap, Address{}) == "<unreadable>");
    CHECK(represent(heap, Address{0x10}) == "<unreadable>");
    CHECK(represent(heap, Address{0x13}) == "<unreadable>");
    CHECK(represent(heap, heap.list({heap.integer(1), Address{}, Address{0x18}, heap.integer(2)})) == "[1, <unreadable>, <unreadable>, 2]");
    Address no_type = heap.object(heap.integer(3), 32);
    CHECK(represent(heap, no_type) == "<unreadable>");
    Address list = heap.list({heap.integer(1)});
    heap.set(list, layout.sequence.list_items, Address{0x20});
    CHECK(represent(heap, list) == "<unreadable list at " + at(list) + ">");
    heap.set(list, layout.sequence.list_size, -1);
    CHECK(represent(heap, heap.dict({{"a", list}})) == "{'a': <unreadable list at " + at(list) + ">}");
    Address text = heap.ascii("x");
    heap.set(text, layout.text.state, 0);
    CHECK(represent(heap, text) == "<unreadable str at " + at(text) + ">");
  }
}

TEST_CASE("a dictionary of deleted entries does not look empty") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    Address dict = heap.dict({{heap.integer(1), heap.none()}, {heap.integer(2), Address{}}}, DictForm::kGeneral);
    heap.set(dict, layout.dict.used, 3);
    CHECK(represent(heap, dict) == "{1: None, ... 2 more}");
  }
}

}  // namespace asyncspy
