#include "debug_offsets.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "fields.h"

namespace asyncspy {
namespace {

// An exported word: where it stands in the table, and the field that it gives.
struct ExportedOffset {
  std::uint16_t at;
  std::string_view field;
};

// Positions measured in 3.13.0-3.13.18, 3.14.0-3.14.10 and 3.15.2: the order differs between minor releases only.
constexpr ExportedOffset kExported313[] = {
    {40, "runtime.interpreters_head"}, {56, "interpreter.id"}, {64, "interpreter.next"},
    {72, "interpreter.threads_head"}, {88, "interpreter.modules"}, {96, "interpreter.sysdict"},
    {104, "interpreter.builtins"}, {112, "interpreter.gil"}, {168, "thread.next"}, {176, "thread.interpreter"},
    {184, "thread.frame"}, {192, "thread.thread_id"}, {200, "thread.native_thread_id"}, {224, "frame.size"},
    {232, "frame.previous"}, {240, "frame.executable"}, {248, "frame.instruction"}, {256, "frame.localsplus"},
    {264, "frame.owner"}, {272, "code.size"}, {280, "code.file_name"}, {288, "code.name"},
    {296, "code.qualified_name"}, {304, "code.line_table"}, {312, "code.first_line"}, {320, "code.argcount"},
    {328, "code.localsplus_names"}, {336, "code.localsplus_kinds"}, {344, "code.inline_bytecode"},
    {360, "object.type"}, {368, "type.size"}, {376, "type.name"}, {392, "type.flags"}, {408, "sequence.tuple_items"},
    {416, "sequence.tuple_size"}, {432, "sequence.list_items"}, {440, "sequence.list_size"}, {456, "dict.keys"},
    {464, "dict.values"}, {480, "number.float_value"}, {496, "number.integer_tag"}, {504, "number.digits"},
    {520, "sequence.bytes_size"}, {528, "sequence.bytes_data"}, {544, "text.state"}, {552, "text.length"},
    {560, "text.ascii_data"},
};
constexpr ExportedOffset kExported314[] = {
    {40, "runtime.interpreters_head"}, {56, "interpreter.id"}, {64, "interpreter.next"},
    {72, "interpreter.threads_head"}, {96, "interpreter.modules"}, {104, "interpreter.sysdict"},
    {112, "interpreter.builtins"}, {120, "interpreter.gil"}, {192, "thread.next"}, {200, "thread.interpreter"},
    {208, "thread.frame"}, {216, "thread.thread_id"}, {224, "thread.native_thread_id"}, {248, "frame.size"},
    {256, "frame.previous"}, {264, "frame.executable"}, {272, "frame.instruction"}, {280, "frame.localsplus"},
    {288, "frame.owner"}, {296, "frame.stack_pointer"}, {312, "code.size"}, {320, "code.file_name"},
    {328, "code.name"}, {336, "code.qualified_name"}, {344, "code.line_table"}, {352, "code.first_line"},
    {360, "code.argcount"}, {368, "code.localsplus_names"}, {376, "code.localsplus_kinds"},
    {384, "code.inline_bytecode"}, {408, "object.type"}, {416, "type.size"}, {424, "type.name"}, {440, "type.flags"},
    {456, "sequence.tuple_items"}, {464, "sequence.tuple_size"}, {480, "sequence.list_items"},
    {488, "sequence.list_size"}, {504, "dict.set_used"}, {512, "dict.set_table"}, {520, "dict.set_mask"},
    {536, "dict.keys"}, {544, "dict.values"}, {560, "number.float_value"}, {576, "number.integer_tag"},
    {584, "number.digits"}, {600, "sequence.bytes_size"}, {608, "sequence.bytes_data"}, {624, "text.state"},
    {632, "text.length"}, {640, "text.ascii_data"}, {664, "generator.size"}, {672, "generator.name"},
    {680, "generator.inline_frame"}, {688, "generator.frame_state"},
};
constexpr ExportedOffset kExported315[] = {
    {40, "runtime.interpreters_head"}, {56, "interpreter.id"}, {64, "interpreter.next"},
    {72, "interpreter.threads_head"}, {96, "interpreter.modules"}, {104, "interpreter.sysdict"},
    {112, "interpreter.builtins"}, {120, "interpreter.gil"}, {192, "thread.next"}, {200, "thread.interpreter"},
    {208, "thread.frame"}, {240, "thread.thread_id"}, {248, "thread.native_thread_id"}, {312, "frame.size"},
    {320, "frame.previous"}, {328, "frame.executable"}, {336, "frame.instruction"}, {344, "frame.localsplus"},
    {352, "frame.owner"}, {360, "frame.stack_pointer"}, {376, "code.size"}, {384, "code.file_name"},
    {392, "code.name"}, {400, "code.qualified_name"}, {408, "code.line_table"}, {416, "code.first_line"},
    {424, "code.argcount"}, {432, "code.localsplus_names"}, {440, "code.localsplus_kinds"},
    {448, "code.inline_bytecode"}, {472, "object.type"}, {480, "type.size"}, {488, "type.name"}, {504, "type.flags"},
    {512, "type.basic_size"}, {520, "type.dict_offset"}, {536, "type.cached_keys"}, {552, "sequence.tuple_items"},
    {560, "sequence.tuple_size"}, {576, "sequence.list_items"}, {584, "sequence.list_size"}, {600, "dict.set_used"},
    {608, "dict.set_table"}, {616, "dict.set_mask"}, {632, "dict.keys"}, {640, "dict.values"},
    {656, "number.float_value"}, {672, "number.integer_tag"}, {680, "number.digits"}, {696, "sequence.bytes_size"},
    {704, "sequence.bytes_data"}, {720, "text.state"}, {728, "text.length"}, {736, "text.ascii_data"},
    {744, "text.compact_data"}, {792, "generator.size"}, {800, "generator.name"}, {808, "generator.inline_frame"},
    {816, "generator.frame_state"},
};
constexpr ExportedOffset kExportedAsyncio[] = {
    {0, "task.size"}, {8, "task.name"}, {16, "future.awaited_by"}, {32, "future.awaited_by_is_set"},
    {40, "task.coroutine"}, {48, "task.node"}, {64, "interpreter.tasks_head"}, {80, "thread.running_loop"},
    {88, "thread.running_task"}, {96, "thread.tasks_head"},
};
constexpr std::uint16_t kThreadStateSize313 = 152;  // thread_state.size: where _PyThreadStateImpl's own part begins

// No CPython struct is larger; PyInterpreterState has some 400 kB.
constexpr std::uint64_t kLargestOffset = 1 << 20;

constexpr PythonLayout kAnyLayout{};
consteval bool names_a_field(std::string_view name) {
  bool found = false;
  for_each_field(kAnyLayout, [&](std::string_view field, const auto&) { found = found || field == name; });
  return found;
}
consteval bool all_name_fields(std::span<const ExportedOffset> table) {
  for (const ExportedOffset& entry : table) {
    if (!names_a_field(entry.field)) return false;
  }
  return true;
}
static_assert(all_name_fields(kExported313) && all_name_fields(kExported314) && all_name_fields(kExported315));
static_assert(all_name_fields(kExportedAsyncio));

std::uint64_t word_at(std::span<const std::byte> table, std::size_t at) {
  std::uint64_t word = 0;
  std::memcpy(&word, table.data() + at, sizeof word);
  return word;
}

void store(std::int32_t& offset, std::int32_t value) { offset = value; }
void store(Flag& flag, std::int32_t value) { flag.offset = value; }
template <class T>
void store(Field<T>& field, std::int32_t value) { field.offset = value; }

Result<std::vector<LayoutChange>> apply(PythonLayout& layout, std::span<const std::byte> table,
                                        std::span<const ExportedOffset> entries, std::string_view name) {
  for (const ExportedOffset& entry : entries) {
    if (entry.at + sizeof(std::uint64_t) > table.size()) {
      return fail(ErrorKind::kCorrupt, fmt::format("{}: {} bytes are too few for {}", name, table.size(), entry.field));
    }
    if (std::uint64_t value = word_at(table, entry.at); value >= kLargestOffset) {
      return fail(ErrorKind::kCorrupt, fmt::format("{}: offset {} of {} is not plausible", name, value, entry.field));
    }
  }
  std::vector<LayoutChange> changes;
  for_each_field(layout, [&](std::string_view field_name, auto& field) {
    for (const ExportedOffset& entry : entries) {
      if (entry.field != field_name) continue;
      auto exported = static_cast<std::int32_t>(word_at(table, entry.at));
      if (layout_detail::offset_of(field) != exported) changes.push_back({field_name, layout_detail::offset_of(field), exported});
      store(field, exported);
    }
  });
  return changes;
}

std::span<const ExportedOffset> exported_by(unsigned minor) {
  switch (minor) {
    case 13: return kExported313;
    case 14: return kExported314;
    case 15: return kExported315;
    default: return {};
  }
}

bool lists(std::span<const ExportedOffset> entries, std::string_view field) {
  return std::any_of(entries.begin(), entries.end(), [&](const ExportedOffset& entry) { return entry.field == field; });
}

}  // namespace

bool is_exported_by_runtime(unsigned minor, std::string_view field) {
  return lists(exported_by(minor), field) || (minor == 13 && field == "thread.running_loop");
}

bool is_exported_by_asyncio(std::string_view field) { return lists(kExportedAsyncio, field); }

Result<DebugHeader> parse_debug_header(std::span<const std::byte> bytes) {
  if (bytes.size() < kDebugHeaderSize || std::memcmp(bytes.data(), kDebugCookie.data(), kDebugCookie.size()) != 0) {
    return fail(ErrorKind::kCorrupt, "_Py_DebugOffsets: the cookie is missing");
  }
  return DebugHeader{.hex_version = word_at(bytes, 8), .free_threaded = word_at(bytes, 16) != 0};
}

std::size_t debug_offsets_size(unsigned minor) {
  switch (minor) {
    case 13: return 584;
    case 14: return 760;
    case 15: return 888;
    default: return 0;
  }
}

Result<std::vector<LayoutChange>> apply_debug_offsets(PythonLayout& layout, std::span<const std::byte> table) {
  constexpr std::string_view kName = "_Py_DebugOffsets";
  if (layout.minor == 13) {
    auto changes = apply(layout, table, kExported313, kName);
    if (!changes) return changes;
    // 3.13 exports no offset for the running loop; it is the first member after PyThreadState.
    auto size = static_cast<std::int32_t>(word_at(table, kThreadStateSize313));
    if (size < 200 || size > 4096) return fail(ErrorKind::kCorrupt, "_Py_DebugOffsets: the size of PyThreadState is not plausible");
    if (layout.thread.running_loop.offset != size) changes->push_back({"thread.running_loop", layout.thread.running_loop.offset, size});
    layout.thread.running_loop = size;
    return changes;
  }
  return apply(layout, table, exported_by(layout.minor), kName);
}

Result<std::vector<LayoutChange>> apply_asyncio_debug(PythonLayout& layout, std::span<const std::byte> table) {
  return apply(layout, table, kExportedAsyncio, ".AsyncioDebug");
}

}  // namespace asyncspy
