#include "line_table.h"

namespace asyncspy {
namespace {

// Sums of target data: kept wide, so that garbage can not overflow.
using Wide = std::int64_t;

std::uint8_t unsigned_byte(std::byte b) { return std::to_integer<std::uint8_t>(b); }
std::int8_t signed_byte(std::byte b) { return static_cast<std::int8_t>(unsigned_byte(b)); }

std::optional<int> as_line(Wide line) {
  if (line <= 0 || line > 1'000'000'000) return std::nullopt;
  return static_cast<int>(line);
}

// Pairs (address increment, signed line increment): the line holds from the sum of increments on.
std::optional<int> find_in_lnotab(std::span<const std::byte> table, Wide line, Wide offset) {
  Wide address = 0;
  for (std::size_t i = 0; i + 1 < table.size(); i += 2) {
    address += unsigned_byte(table[i]);
    if (address > offset) break;
    line += signed_byte(table[i + 1]);
  }
  return as_line(line);
}

// Pairs (length of range, signed line increment applied before the range); -128 marks a range without a line.
std::optional<int> find_in_ranges(std::span<const std::byte> table, Wide line, Wide offset) {
  Wide end = 0;
  for (std::size_t i = 0; i + 1 < table.size(); i += 2) {
    int increment = signed_byte(table[i + 1]);
    if (increment != -128) line += increment;
    end += unsigned_byte(table[i]);
    if (offset < end) return increment == -128 ? std::nullopt : as_line(line);
  }
  return std::nullopt;
}

class LocationReader {
 public:
  explicit LocationReader(std::span<const std::byte> table) : table_(table) {}
  [[nodiscard]] bool at_end() const { return next_ >= table_.size(); }
  std::uint8_t take() { return at_end() ? std::uint8_t{0} : unsigned_byte(table_[next_++]); }

  // Six bits a byte, least significant first, bit 6 says that more follow.
  std::uint64_t take_varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 60 && !at_end(); shift += 6) {
      std::uint8_t byte = take();
      value |= static_cast<std::uint64_t>(byte & 0x3F) << shift;
      if ((byte & 0x40) == 0) break;
    }
    return value;
  }
  Wide take_signed_varint() {
    std::uint64_t value = take_varint();
    auto magnitude = static_cast<Wide>(value >> 1);
    return (value & 1) != 0 ? -magnitude : magnitude;
  }
  // An entry starts at the next byte with bit 7 set.
  void skip_to_entry() {
    while (!at_end() && (unsigned_byte(table_[next_]) & 0x80) == 0) ++next_;
  }

 private:
  std::span<const std::byte> table_;
  std::size_t next_ = 0;
};

// Entries of a first byte (bit 7, four bits of code, length - 1 in 2-byte units) and arguments that depend on the code.
std::optional<int> find_in_locations(std::span<const std::byte> table, Wide line, Wide offset) {
  constexpr unsigned kNone = 15, kLong = 14, kNoColumns = 13, kOneLine0 = 10, kOneLine2 = 12;
  LocationReader reader(table);
  Wide end = 0;
  while (!reader.at_end()) {
    std::uint8_t first = reader.take();
    unsigned code = (first >> 3) & 15U;
    if (code == kLong || code == kNoColumns) {
      line += reader.take_signed_varint();
    } else if (code >= kOneLine0 && code <= kOneLine2) {
      line += code - kOneLine0;
    }
    end += 2 * ((first & 7) + 1);
    if (offset < end) return code == kNone ? std::nullopt : as_line(line);
    reader.skip_to_entry();
  }
  return std::nullopt;
}

}  // namespace

std::optional<int> find_line(LineTable coding, std::span<const std::byte> table, int first_line, std::int64_t offset) {
  switch (coding) {
    case LineTable::kLnotab: return find_in_lnotab(table, first_line, offset);
    case LineTable::kRanges: return offset < 0 ? std::nullopt : find_in_ranges(table, first_line, offset);
    case LineTable::kLocations: return offset < 0 ? std::nullopt : find_in_locations(table, first_line, offset);
  }
  return std::nullopt;
}

std::int64_t measure_line_table(LineTable coding, std::span<const std::byte> table) {
  Wide length = 0;
  if (coding == LineTable::kLocations) {
    for (LocationReader reader(table); !reader.at_end(); reader.skip_to_entry()) length += 2 * ((reader.take() & 7) + 1);
  } else {
    for (std::size_t i = 0; i + 1 < table.size(); i += 2) length += unsigned_byte(table[i]);
  }
  return length;
}

}  // namespace asyncspy
