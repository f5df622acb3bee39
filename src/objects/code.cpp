#include "code.h"

#include "line_table.h"
#include "text.h"

namespace asyncspy {
namespace {

constexpr std::int64_t kMaxTable = 1 << 24;  // bytes of line table or bytecode

Result<std::vector<std::byte>> read_bytes(const ObjectReader& reader, Address object) {
  const SequenceLayout& layout = reader.layout.sequence;
  ASYNCSPY_TRY(size, reader.read(object, layout.bytes_size));
  if (size < 0 || size > kMaxTable) return fail(ErrorKind::kCorrupt, "length of a bytes object is not plausible", {}, object);
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  auto done = reader.memory.read(object + static_cast<std::uint64_t>(layout.bytes_data.offset), bytes);
  if (!done) return std::unexpected(std::move(done.error()));
  return bytes;
}

Result<void> check_is_code(const ObjectReader& reader, Address object, Address& code_type) {
  ASYNCSPY_TRY(type, reader.type_of(object));
  if (type == code_type && !type.is_null()) return {};
  ASYNCSPY_TRY(name_at, reader.read(type, reader.layout.type.name));
  ASYNCSPY_TRY(name, read_c_string(reader.memory, name_at, 16));
  if (name != "code") return fail(ErrorKind::kCorrupt, "not a code object", {}, object);
  code_type = type;
  return {};
}

Result<void> read_bytecode_extent(const ObjectReader& reader, const ObjectView& view, Code& code) {
  const CodeLayout& layout = reader.layout.code;
  if (layout.inline_bytecode.present()) {
    code.start = view.address() + static_cast<std::uint64_t>(layout.inline_bytecode.offset);
    std::int64_t units = view.get(layout.code_units);
    code.size = units < 0 || units > kMaxTable ? -1 : units * 2;
  } else {
    Address bytecode = view.get(layout.bytecode);
    ASYNCSPY_TRY(size, reader.read(bytecode, reader.layout.sequence.bytes_size));
    code.start = bytecode + static_cast<std::uint64_t>(reader.layout.sequence.bytes_data.offset);
    code.size = size;
  }
  if (code.size < 0 || code.size > kMaxTable) return fail(ErrorKind::kCorrupt, "size of a code object is not plausible", {}, view.address());
  return {};
}

}  // namespace

Result<Code*> CodeTable::find(const ObjectReader& reader, Address address) {
  if (Code** known = index_.find(address)) return *known;

  const CodeLayout& layout = reader.layout.code;
  if (auto checked = check_is_code(reader, address, code_type_); !checked) return std::unexpected(std::move(checked.error()));
  ASYNCSPY_TRY(view, reader.view_of(address, layout.flags, layout.first_line, layout.line_table, layout.name,
                                    layout.file_name, layout.qualified_name, layout.code_units, layout.bytecode));
  Code code;
  code.address = address;
  code.flags = view.get(layout.flags);
  code.first_line = view.get(layout.first_line);
  if (auto done = read_bytecode_extent(reader, view, code); !done) return std::unexpected(std::move(done.error()));
  ASYNCSPY_TRY(table, read_bytes(reader, view.get(layout.line_table)));
  code.line_table = std::move(table);
  Function function;
  function.first_line = code.first_line;
  ASYNCSPY_TRY(name, read_text(reader, view.get(layout.name)));
  ASYNCSPY_TRY(file, read_text(reader, view.get(layout.file_name)));
  function.name = name;
  function.file = file;
  function.qualified_name = name;
  if (layout.qualified_name.present()) {
    ASYNCSPY_TRY(qualified, read_text(reader, view.get(layout.qualified_name)));
    function.qualified_name = qualified;
  }
  code.function = static_cast<FunctionIndex>(functions_.size());
  functions_.push_back(std::move(function));
  codes_.push_back(std::move(code));
  index_.add(address, &codes_.back());
  return &codes_.back();
}

std::int32_t CodeTable::line_at(const ObjectReader& reader, Code& code, std::int64_t offset) {
  if (offset == code.last_offset) return code.last_line;
  const auto [known, is_new] = code.lines.try_emplace(offset, 0);
  if (is_new && offset >= -2 && offset <= code.size) {
    known->second = find_line(reader.layout.line_table, code.line_table, code.first_line, offset).value_or(0);
  }
  code.last_offset = offset;
  code.last_line = known->second;
  return known->second;
}

}  // namespace asyncspy
