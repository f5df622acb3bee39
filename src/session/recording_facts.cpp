#include "recording_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace asyncspy {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kFormat = "asyncspy recording";

// What is read is not trusted: each value is checked for its type and range, and a wrong one ends the reading.
struct BadFacts : std::runtime_error {
  using std::runtime_error::runtime_error;
};

const Json& member(const Json& object, const char* name) {
  if (!object.is_object()) throw BadFacts(fmt::format("'{}' is expected in something that is no object", name));
  const auto found = object.find(name);
  if (found == object.end()) throw BadFacts(fmt::format("'{}' is missing", name));
  return *found;
}

template <std::integral T>
T read_number(const Json& value) {
  if (value.is_number_unsigned() && std::in_range<T>(value.get<std::uint64_t>())) return static_cast<T>(value.get<std::uint64_t>());
  if (value.is_number_integer() && !value.is_number_unsigned() && std::in_range<T>(value.get<std::int64_t>())) {
    return static_cast<T>(value.get<std::int64_t>());
  }
  throw BadFacts("a number is out of range or none");
}

void read(const Json& value, bool& into) {
  if (!value.is_boolean()) throw BadFacts("a truth value is none");
  into = value.get<bool>();
}

template <std::integral T>
  requires(!std::same_as<T, bool> && !std::same_as<T, char>)
void read(const Json& value, T& into) {
  into = read_number<T>(value);
}

void read(const Json& value, char& into) {
  if (!value.is_string() || value.get_ref<const std::string&>().size() != 1) throw BadFacts("a letter is none");
  into = value.get_ref<const std::string&>().front();
}

void read(const Json& value, double& into) {
  if (!value.is_number()) throw BadFacts("a number is none");
  into = value.get<double>();
}

void read(const Json& value, Address& into) { into = Address{read_number<std::uint64_t>(value)}; }

// Paths and names are bytes. Those that are no UTF-8, which JSON can not hold, are an object with hexadecimal digits.
Json encode(const std::string& text) {
  try {
    Json(text).dump();  // the library's own check of the encoding
    return text;
  } catch (const Json::exception&) {
    std::string digits;
    for (const char byte : text) digits += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return Json{{"hex", digits}};
  }
}

int read_digit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  throw BadFacts("a hexadecimal digit is none");
}

void read(const Json& value, std::string& into) {
  if (value.is_string()) {
    into = value.get<std::string>();
    return;
  }
  const Json& digits = member(value, "hex");
  if (!digits.is_string()) throw BadFacts("a text is none");
  const auto& text = digits.get_ref<const std::string&>();
  into.clear();
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    into += static_cast<char>(read_digit(text[i]) * 16 + read_digit(text[i + 1]));
  }
}

// The members of each structure, once, for both ways: `item(name, member)` writes or reads one.
template <class Item>
void visit(Item item, Mapping& mapping) {
  item("start", mapping.start);
  item("end", mapping.end);
  item("readable", mapping.readable);
  item("writable", mapping.writable);
  item("executable", mapping.executable);
  item("shared", mapping.shared);
  item("file_offset", mapping.file_offset);
  item("inode", mapping.inode);
  item("path", mapping.path);
  item("deleted", mapping.deleted);
}

template <class Item>
void visit(Item item, LoadedImage& image) {
  item("path", image.path);
  item("bias", image.bias);
  item("runtime", image.runtime);
  item("version", image.version);
  item("asyncio_debug", image.asyncio_debug);
  item("interpreter_head", image.interpreter_head);
  item.if_there("hash_secret", image.hash_secret);  // recordings of asyncspy 0.1 lack it
  item("looks_like_pypy", image.looks_like_pypy);
  item("build_id", image.build_id);
}

template <class Item>
void visit(Item item, Registers& registers) {
  item("instruction_pointer", registers.instruction_pointer);
  item("stack_pointer", registers.stack_pointer);
  item("frame_pointer", registers.frame_pointer);
  item("thread_base", registers.thread_base);
  item("rax", registers.rax);
  item("rbx", registers.rbx);
  item("r12", registers.r12);
  item("r13", registers.r13);
  item("r14", registers.r14);
  item("r15", registers.r15);
}

template <class Item>
void visit(Item item, SystemCall& call) {
  static constexpr const char* kNames[] = {"argument_0", "argument_1", "argument_2", "argument_3", "argument_4", "argument_5"};
  static_assert(std::size(kNames) == std::size(SystemCall{}.arguments));
  item("number", call.number);
  for (std::size_t i = 0; i < std::size(kNames); ++i) item(kNames[i], call.arguments[i]);
}

template <class Item>
void visit(Item item, ThreadFacts& thread) {
  item("tid", thread.tid);
  item("namespace_tid", thread.namespace_tid);
  item("name", thread.name);
  item("state", thread.state);
  item("cpu_time_ns", thread.cpu_time_ns);
  item("registers", thread.registers);
  item("system_call", thread.system_call);
  item("in_user_mode", thread.in_user_mode);
}

template <class Item>
void visit(Item item, ProcessFacts& process) {
  item("pid", process.pid);
  item("namespace_pid", process.namespace_pid);
  item("command_line", process.command_line);
  item("executable", process.executable);
  item("executable_deleted", process.executable_deleted);
  item("name", process.name);
  item("state", process.state);
  item("tracer_pid", process.tracer_pid);
  item("forked_from", process.forked_from);
  item("user_id", process.user_id);
  item("uptime_seconds", process.uptime_seconds);
  item("resident_bytes", process.resident_bytes);
  item("other_root", process.other_root);
  item("mappings", process.mappings);
  item("images", process.images);
  item("auxiliary_vector", process.auxiliary_vector);
}

template <class Item>
void visit(Item item, Descriptor& descriptor) {
  item("number", descriptor.number);
  item("kind", descriptor.kind);
  item("path", descriptor.path);
  item("protocol", descriptor.protocol);
  item("local", descriptor.local);
  item("peer", descriptor.peer);
  item("tcp_state", descriptor.tcp_state);
  item("receive_queue", descriptor.receive_queue);
  item("send_queue", descriptor.send_queue);
}

template <class Item>
void visit(Item item, ChildProcess& child) {
  item("pid", child.pid);
  item("namespace_pid", child.namespace_pid);
  item("state", child.state);
  item("name", child.name);
  item("command", child.command);
}

template <class Item>
void visit(Item item, NativeFrame& frame) {
  item("instruction", frame.instruction);
  item("stack_start", frame.stack_start);
  item("stack_end", frame.stack_end);
  item("function", frame.function);
  item("module", frame.module);
  item("offset", frame.offset);
  item("is_signal_frame", frame.is_signal_frame);
}

template <class Item>
void visit(Item item, NativeStack& stack) {
  item("tid", stack.tid);
  item("frames", stack.frames);
  item("problem", stack.problem);
}

template <class Item>
void visit(Item item, CaptureFacts& capture) {
  item("mode", capture.mode);
  item("pause_seconds", capture.pause_seconds);
  item("stops", capture.stops);
  item("bytes_copied", capture.bytes_copied);
  item("monotonic_ns", capture.monotonic_ns);
  item("realtime_ns", capture.realtime_ns);
}

// Enumerators by name: their numbers are nobody's business outside of the program.
template <class T>
struct Words;

template <>
struct Words<CaptureMode> {
  static constexpr std::pair<const char*, CaptureMode> kAll[] = {
      {"stopped", CaptureMode::kStopped}, {"running", CaptureMode::kRunning}, {"core", CaptureMode::kCore}};
};

template <>
struct Words<Descriptor::Kind> {
  using Kind = Descriptor::Kind;
  static constexpr std::pair<const char*, Kind> kAll[] = {{"file", Kind::kFile},     {"pipe", Kind::kPipe},
                                                          {"socket", Kind::kSocket}, {"event", Kind::kEvent},
                                                          {"other", Kind::kOther},   {"unknown", Kind::kUnknown}};
};

template <class T>
concept Worded = requires { Words<T>::kAll; };

template <class T>
concept Structure = requires(T& value) { visit([](const char*, auto&) {}, value); };

template <class T>
struct Writer {
  static Json write(T& value);
};

struct WriteItem {
  Json& object;
  template <class T>
  void operator()(const char* name, T& value) const {
    object[name] = Writer<T>::write(value);
  }
  template <class T>
  void if_there(const char* name, T& value) const {
    (*this)(name, value);
  }
};

template <class T>
struct Writer<std::optional<T>> {
  static Json write(std::optional<T>& value) { return value ? Writer<T>::write(*value) : Json(); }
};

template <class T>
struct Writer<std::vector<T>> {
  static Json write(std::vector<T>& values) {
    Json array = Json::array();
    for (T& value : values) array.push_back(Writer<T>::write(value));
    return array;
  }
};

template <class T>
Json Writer<T>::write(T& value) {
  if constexpr (Structure<T>) {
    Json object = Json::object();
    visit(WriteItem{object}, value);
    return object;
  } else if constexpr (Worded<T>) {
    for (const auto& [word, one] : Words<T>::kAll) {
      if (one == value) return word;
    }
    return {};
  } else if constexpr (std::same_as<T, Address>) {
    return value.value();
  } else if constexpr (std::same_as<T, char>) {
    return encode(std::string(1, value));
  } else if constexpr (std::same_as<T, std::string>) {
    return encode(value);
  } else {
    return value;
  }
}

struct ReadItem {
  const Json& object;
  template <class T>
  void operator()(const char* name, T& value) const;
  template <class T>
  void if_there(const char* name, T& value) const {
    if (object.is_object() && object.contains(name)) (*this)(name, value);
  }
};

template <class T>
void read_value(const Json& json, T& value) {
  if constexpr (Structure<T>) {
    visit(ReadItem{json}, value);
  } else if constexpr (Worded<T>) {
    const auto& all = Words<T>::kAll;
    const auto found = std::find_if(std::begin(all), std::end(all), [&](const auto& one) { return json == one.first; });
    if (found == std::end(all)) throw BadFacts("a word is not known");
    value = found->second;
  } else {
    read(json, value);
  }
}

template <class T>
void read_value(const Json& json, std::optional<T>& value) {
  if (!json.is_null()) read_value(json, value.emplace());
}

template <class T>
void read_value(const Json& json, std::vector<T>& values) {
  if (!json.is_array()) throw BadFacts("a list is none");
  values.resize(json.size());
  for (std::size_t i = 0; i < values.size(); ++i) read_value(json[i], values[i]);
}

template <class T>
void ReadItem::operator()(const char* name, T& value) const {
  read_value(member(object, name), value);
}

template <class T>
void read_member(const Json& object, const char* name, T& value) {
  read_value(member(object, name), value);
}

void read_all(const Json& json, Snapshot& snapshot) {
  read_member(json, "process", snapshot.process);
  read_member(json, "threads", snapshot.threads);
  read_member(json, "capture", snapshot.capture);
  read_member(json, "warnings", snapshot.warnings);
  if (json.contains("has_values")) read_member(json, "has_values", snapshot.has_values);  // since it can be asked for
  std::vector<Descriptor> descriptors;
  read_member(json, "descriptors", descriptors);
  for (Descriptor& one : descriptors) snapshot.descriptors[one.number] = std::move(one);
  if (json.contains("children")) read_member(json, "children", snapshot.children);  // recordings of asyncspy 0.1 lack them
  if (json.contains("native_stacks")) read_member(json, "native_stacks", snapshot.native_stacks.emplace());
  // What follows searches the mappings, so that they must be in order.
  std::ranges::stable_sort(snapshot.process.mappings, {}, &Mapping::start);
}

}  // namespace

std::string render_recording_facts(const Snapshot& snapshot, std::string_view tool_version) {
  // The visits are for both ways, so that they take what they could change.
  ProcessFacts process = snapshot.process;
  std::vector<ThreadFacts> threads = snapshot.threads;
  CaptureFacts capture = snapshot.capture;
  if (capture.bytes_copied == 0) capture.bytes_copied = snapshot.memory->bytes();
  std::vector<Descriptor> descriptors;
  for (const auto& [number, one] : snapshot.descriptors) descriptors.push_back(one);
  std::ranges::sort(descriptors, {}, &Descriptor::number);
  std::vector<std::string> warnings = snapshot.warnings;
  Json json = Json::object();
  json["format"] = kFormat;
  json["version"] = kRecordingVersion;
  json["tool_version"] = tool_version;
  json["process"] = Writer<ProcessFacts>::write(process);
  json["threads"] = Writer<std::vector<ThreadFacts>>::write(threads);
  json["capture"] = Writer<CaptureFacts>::write(capture);
  json["descriptors"] = Writer<std::vector<Descriptor>>::write(descriptors);
  std::vector<ChildProcess> children = snapshot.children;
  json["children"] = Writer<std::vector<ChildProcess>>::write(children);
  json["has_values"] = snapshot.has_values;
  if (snapshot.native_stacks) {
    std::vector<NativeStack> stacks = *snapshot.native_stacks;
    json["native_stacks"] = Writer<std::vector<NativeStack>>::write(stacks);
  }
  json["warnings"] = Writer<std::vector<std::string>>::write(warnings);
  return json.dump();
}

Result<Snapshot> parse_recording_facts(std::string_view text) {
  constexpr const char* kHint = "record the process again: asyncspy capture PID -o FILE";
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return fail(ErrorKind::kCorrupt, "its note with facts is no JSON", kHint);
  try {
    if (member(json, "format") != kFormat) throw BadFacts("the format is not known");
    const int version = read_number<int>(member(json, "version"));
    if (version > kRecordingVersion) {
      return fail(ErrorKind::kUnsupported, fmt::format("was written by a newer asyncspy, in version {} of the format", version),
                  "use the asyncspy that wrote it, or a later one");
    }
    Snapshot snapshot;
    read_all(json, snapshot);
    return snapshot;
  } catch (const std::exception& error) {
    return fail(ErrorKind::kCorrupt, fmt::format("its note with facts makes no sense: {}", error.what()), kHint);
  }
}

}  // namespace asyncspy
