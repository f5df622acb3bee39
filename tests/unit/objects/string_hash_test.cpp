#include "string_hash.h"

#include <bit>
#include <string>

#include "catch.h"
#include "containers.h"
#include "fake_heap.h"
#include "layouts_under_test.h"

namespace asyncspy {
namespace {

constexpr StringHash kShort{0, 0, 1, 3};
constexpr StringHash kLong{0, 0, 2, 4};

void keep_hash(FakeHeap& heap, Address text, std::int64_t hash) {
  heap.set(text, heap.layout().text.hash(), hash);
}

Address make_secret(FakeHeap& heap, const StringHash& hash) {
  const Address secret = heap.memory.allocate(16);
  heap.memory.write(secret, hash.key_0);
  heap.memory.write(secret + 8, hash.key_1);
  return secret;
}

// A dictionary of N keys with the index table that CPython makes (Objects/dictobject.c, build_indices).
class IndexedDict {
 public:
  IndexedDict(FakeHeap& heap, std::size_t count, DictForm form, const StringHash& hash) : heap_(heap) {
    std::vector<std::pair<Address, Address>> entries;
    for (std::size_t i = 0; i < count; ++i) entries.emplace_back(heap.ascii(name(i)), Address{0x2000 + i});
    address_ = heap.dict(entries, form);
    const DictLayout& layout = heap.layout().dict;
    const Address keys = *heap.memory.read_value<Address>(FakeHeap::at(address_, layout.keys));
    const std::size_t places = std::bit_ceil(count * 3 / 2 + 8);
    width_ = places <= 0xFF ? 1 : 2;
    const bool has_hash = heap.layout().dict_keys != DictKeys::kKinds || form == DictForm::kGeneral;
    indices_ = FakeHeap::at(keys, layout.keys_indices);
    entries_ = indices_ + places * width_;
    for (std::size_t place = 0; place < places; ++place) set_index(place, -1);
    for (std::size_t i = 0; i < count; ++i) {
      const std::int64_t value = hash.of(name(i));
      if (has_hash) heap.memory.write(entries_ + i * 24, value);
      auto perturbation = static_cast<std::uint64_t>(value);
      std::size_t place = perturbation & (places - 1);
      while (index(place) != -1) {
        perturbation >>= 5;
        place = (place * 5 + perturbation + 1) & (places - 1);
      }
      set_index(place, static_cast<std::int16_t>(i));
      places_.push_back(place);
    }
  }

  static std::string name(std::size_t i) { return "key_" + std::to_string(i * 7919); }
  [[nodiscard]] Address address() const { return address_; }
  void forget(std::size_t i) { set_index(places_[i], -2); }
  void set_index_of(std::size_t i, std::int16_t value) { set_index(places_[i], value); }

 private:
  std::int16_t index(std::size_t place) {
    return width_ == 1 ? *heap_.memory.read_value<std::int8_t>(indices_ + place) : *heap_.memory.read_value<std::int16_t>(indices_ + place * 2);
  }
  void set_index(std::size_t place, std::int16_t value) {
    if (width_ == 1) {
      heap_.memory.write(indices_ + place, static_cast<std::int8_t>(value));
    } else {
      heap_.memory.write(indices_ + place * 2, value);
    }
  }

  FakeHeap& heap_;
  Address address_;
  Address indices_;
  Address entries_;
  std::size_t width_ = 1;
  std::vector<std::size_t> places_;
};

}  // namespace

// The first: Aumasson and Bernstein, appendix A.
TEST_CASE("strings have the hashes that their authors and CPython give them") {
  std::string message;
  for (char one = 0; one < 15; ++one) message += one;
  CHECK(StringHash{0x0706050403020100, 0x0f0e0d0c0b0a0908, 2, 4}.of(message) == static_cast<std::int64_t>(0xa129ca6149be45e5));
  // PYTHONHASHSEED=0, hash(text) of 3.8 and of 3.11
  CHECK(kLong.of("a") == -7583489610679606711);
  CHECK(kLong.of("asyncio.tasks") == 7157611815443774625);
  CHECK(kLong.of("xxxxxxxxxxxxxxxx") == 9103958514848020635);
  CHECK(kShort.of("a") == 4644417185603328019);
  CHECK(kShort.of("asyncio.tasks") == -2143342753280734974);
  CHECK(kShort.of("xxxxxxxxxxxxxxxx") == 7026689402995178403);
}

TEST_CASE("the hash is known when the strings that keep one agree with it") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    ObjectReader reader{heap.memory, layout};
    std::vector<Address> texts;
    for (std::string_view one : {"", "modules", "never_asked", "path"}) texts.push_back(heap.ascii(one));
    for (Address text : texts) keep_hash(heap, text, -1);
    for (const StringHash& hash : {StringHash{1, 2, 1, 3}, StringHash{3, 4, 2, 4}}) {
      const Address secret = make_secret(heap, hash);
      keep_hash(heap, texts[1], -1);
      keep_hash(heap, texts[3], -1);
      CHECK_FALSE(find_string_hash(reader, secret, texts));  // nothing to compare with
      keep_hash(heap, texts[1], hash.of("modules"));
      const auto found = find_string_hash(reader, secret, texts);
      REQUIRE(found);
      CHECK(found->of("x") == hash.of("x"));
      keep_hash(heap, texts[3], hash.of("path") + 1);
      CHECK_FALSE(find_string_hash(reader, secret, texts));
    }
    CHECK_FALSE(find_string_hash(reader, Address{}, texts));
    CHECK_FALSE(find_string_hash(reader, Address{0x10}, texts));
  }
}

TEST_CASE("each key of a dictionary is found by its hash, and no other") {
  const StringHash hash{5, 6, 1, 3};
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    ObjectReader reader{.memory = heap.memory, .layout = layout, .string_hash = hash};
    for (DictForm form : {DictForm::kGeneral, DictForm::kText}) {
      for (std::size_t count : {0U, 1U, 6U, 100U, 300U}) {
        IndexedDict dict(heap, count, form, hash);
        for (std::size_t i = 0; i < count; ++i) {
          const auto value = find_in_dict(reader, dict.address(), IndexedDict::name(i));
          REQUIRE(value);
          CHECK(*value == Address{0x2000 + i});
        }
        for (std::string_view other : {"key", "key_1", "something else"}) CHECK(find_in_dict(reader, dict.address(), other).value() == std::nullopt);
        if (count == 0) continue;
        dict.forget(count / 2);
        CHECK(find_in_dict(reader, dict.address(), IndexedDict::name(count / 2)).value() == std::nullopt);
        if (count > 1) CHECK(find_in_dict(reader, dict.address(), IndexedDict::name(count - 1)).value() == Address{0x2000 + count - 1});
      }
    }
  }
}

TEST_CASE("where the index table makes no sense all keys are read") {
  const StringHash hash{5, 6, 1, 3};
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    ObjectReader reader{.memory = heap.memory, .layout = layout, .string_hash = hash};
    for (std::int16_t absurd : {std::int16_t{100}, std::int16_t{127}, std::int16_t{-3}, std::int16_t{-128}}) {
      IndexedDict dict(heap, 100, DictForm::kText, hash);
      dict.set_index_of(42, absurd);
      CHECK(find_in_dict(reader, dict.address(), IndexedDict::name(42)).value() == Address{0x2000 + 42});
    }
    std::vector<FakeEntry> entries{{"one", Address{0x1}}, {"two", Address{0x2}}};
    CHECK(find_in_dict(reader, heap.dict(entries, DictForm::kSplit), "two").value() == Address{0x2});
  }
}

}  // namespace asyncspy
