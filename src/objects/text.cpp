#include "text.h"

#include <vector>

#include <fmt/format.h>

namespace asyncspy {
namespace {

// Where the characters of a str object lie, and how.
struct TextData {
  Address at;
  std::int64_t length = 0;
  std::uint32_t kind = 1;  // bytes per character
  bool ascii = false;
};

// PyASCIIObject.state: bits 0-1 interned, 2-4 kind (bytes per character), 5 compact, 6 ascii (Include/cpython/unicodeobject.h,
// the same bits from 3.7 to 3.15).
Result<TextData> locate_text(const ObjectReader& reader, Address object) {
  const TextLayout& layout = reader.layout.text;
  ASYNCSPY_TRY(view, reader.view_of(object, layout.length, layout.state));
  std::uint32_t state = view.get(layout.state);
  TextData data;
  data.length = view.get(layout.length);
  data.kind = (state >> 2) & 7;
  data.ascii = ((state >> 6) & 1) != 0;
  bool compact = ((state >> 5) & 1) != 0;
  if (data.length < 0 || (data.kind != 1 && data.kind != 2 && data.kind != 4) || (data.ascii && data.kind != 1)) {
    return fail(ErrorKind::kCorrupt, "not a string object", {}, object);
  }
  data.at = object + static_cast<std::uint64_t>(data.ascii ? layout.ascii_data.offset : layout.compact_data.offset);
  if (!compact) {
    ASYNCSPY_TRY(legacy, reader.read(object, layout.legacy_data));
    data.at = legacy;
  }
  return data;
}

Result<std::vector<std::byte>> copy_text(const ObjectReader& reader, const TextData& data, std::int64_t characters) {
  std::vector<std::byte> raw(static_cast<std::size_t>(characters) * data.kind);
  if (auto done = reader.memory.read(data.at, raw); !done) return std::unexpected(std::move(done.error()));
  return raw;
}

char32_t character_at(const std::vector<std::byte>& raw, std::size_t place, std::uint32_t kind) {
  std::uint32_t character = 0;
  std::memcpy(&character, &raw[place], kind);
  return character;
}

}  // namespace

void append_utf8(std::string& out, char32_t c) {
  auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | (c >> 6));
    put(0x80 | (c & 0x3F));
  } else if (c >= 0xD800 && c < 0xE000) {
    out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(c));
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
    out += fmt::format("\\U{:08x}", static_cast<std::uint32_t>(c));  // no character: torn memory
  }
}

Result<std::string> read_text(const ObjectReader& reader, Address object) {
  ASYNCSPY_TRY(data, locate_text(reader, object));
  std::int64_t copied = std::min(data.length, kMaxTextLength);
  ASYNCSPY_TRY(raw, copy_text(reader, data, copied));
  std::string out;
  out.reserve(raw.size());
  if (data.ascii) out.assign(reinterpret_cast<const char*>(raw.data()), raw.size());
  for (std::size_t i = 0; !data.ascii && i < raw.size(); i += data.kind) append_utf8(out, character_at(raw, i, data.kind));
  if (copied < data.length) out += fmt::format("... ({} more)", data.length - copied);
  return out;
}

Result<Characters> read_characters(const ObjectReader& reader, Address object, std::int64_t most) {
  ASYNCSPY_TRY(data, locate_text(reader, object));
  ASYNCSPY_TRY(raw, copy_text(reader, data, std::min({data.length, most, kMaxTextLength})));
  Characters characters;
  characters.length = data.length;
  characters.first.reserve(raw.size() / data.kind);
  for (std::size_t i = 0; i < raw.size(); i += data.kind) characters.first.push_back(character_at(raw, i, data.kind));
  return characters;
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
