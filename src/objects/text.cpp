#include "text.h"

#include <vector>

#include <fmt/format.h>

namespace asyncspy {
namespace {

void append_utf8(std::string& out, std::uint32_t c) {
  auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | (c >> 6));
    put(0x80 | (c & 0x3F));
  } else if (c >= 0xD800 && c < 0xE000) {
    out += fmt::format("\\u{:04x}", c);
  } else if (c < 0x10000) {
    put(0xE0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  } else if (c < 0x110000) {
    put(0xF0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3F));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    out += fmt::format("\\U{:08x}", c);  // no character: torn memory
  }
}

}  // namespace

// PyASCIIObject.state: bits 0-1 interned, 2-4 kind (bytes per character), 5 compact, 6 ascii (Include/cpython/unicodeobject.h,
// the same bits from 3.7 to 3.15).
Result<std::string> read_text(const ObjectReader& reader, Address object) {
  const TextLayout& layout = reader.layout.text;
  ASYNCSPY_TRY(view, reader.view_of(object, layout.length, layout.state));
  std::int64_t length = view.get(layout.length);
  std::uint32_t state = view.get(layout.state);
  std::uint32_t kind = (state >> 2) & 7;
  bool compact = ((state >> 5) & 1) != 0;
  bool ascii = ((state >> 6) & 1) != 0;
  if (length < 0 || (kind != 1 && kind != 2 && kind != 4) || (ascii && kind != 1)) {
    return fail(ErrorKind::kCorrupt, "not a string object", {}, object);
  }
  Address data = object + static_cast<std::uint64_t>(ascii ? layout.ascii_data.offset : layout.compact_data.offset);
  if (!compact) {
    ASYNCSPY_TRY(legacy, reader.read(object, layout.legacy_data));
    data = legacy;
  }
  std::int64_t copied = std::min(length, kMaxTextLength);
  std::vector<std::byte> raw(static_cast<std::size_t>(copied) * kind);
  if (auto done = reader.memory.read(data, raw); !done) return std::unexpected(std::move(done.error()));

  std::string out;
  out.reserve(raw.size());
  if (ascii) out.assign(reinterpret_cast<const char*>(raw.data()), raw.size());
  for (std::size_t i = 0; !ascii && i < raw.size(); i += kind) {
    std::uint32_t character = 0;
    std::memcpy(&character, &raw[i], kind);
    append_utf8(out, character);
  }
  if (copied < length) out += fmt::format("... ({} more)", length - copied);
  return out;
}

Result<std::string> read_c_string(Memory& memory, Address at, std::size_t limit) {
  std::string out;
  std::array<std::byte, 32> piece{};
  while (out.size() < limit) {
    // Never across a 32-byte boundary, so that a string at the end of a mapping can be read.
    std::uint64_t room = piece.size() - (at.value() + out.size()) % piece.size();
    std::span<std::byte> into(piece.data(), std::min<std::size_t>(room, limit - out.size()));
    if (auto done = memory.read(at + out.size(), into); !done) return std::unexpected(std::move(done.error()));
    for (std::byte b : into) {
      if (b == std::byte{0}) return out;
      out.push_back(static_cast<char>(b));
    }
  }
  return out;
}

}  // namespace asyncspy
