#include "number.h"

#include <cstdlib>

namespace asyncspy {

// Digits of 30 bits, least significant first (Include/cpython/longintrepr.h). Up to 3.11 ob_size holds their number with
// the sign; from 3.12 lv_tag holds sign (0 positive, 1 zero, 2 negative) in its low two bits and the number above bit 3.
Result<std::int64_t> read_integer(const ObjectReader& reader, Address object) {
  ASYNCSPY_TRY(tag, reader.read(object, reader.layout.number.integer_tag));
  std::int64_t count = 0;
  bool negative = false;
  if (reader.layout.integer_coding == IntegerCoding::kTagged) {
    negative = (tag & 3) == 2;
    count = static_cast<std::int64_t>(static_cast<std::uint64_t>(tag) >> 3);
    if ((tag & 3) == 1) count = 0;
  } else {
    negative = tag < 0;
    count = std::abs(std::clamp<std::int64_t>(tag, -4, 4));
  }
  if (count < 0 || count > 3) return fail(ErrorKind::kCorrupt, "an int larger than 64 bits", {}, object);
  std::array<std::uint32_t, 3> digits{};
  auto raw = std::as_writable_bytes(std::span(digits)).first(static_cast<std::size_t>(count) * 4);
  if (auto done = reader.memory.read(object + static_cast<std::uint64_t>(reader.layout.number.digits.offset), raw); !done) {
    return std::unexpected(std::move(done.error()));
  }
  if (digits[2] > 7) return fail(ErrorKind::kCorrupt, "an int larger than 64 bits", {}, object);
  std::uint64_t magnitude = digits[0] | (std::uint64_t{digits[1]} << 30) | (std::uint64_t{digits[2]} << 60);
  return static_cast<std::int64_t>(negative ? 0 - magnitude : magnitude);
}

Result<double> read_float(const ObjectReader& reader, Address object) {
  return reader.read(object, reader.layout.number.float_value);
}

}  // namespace asyncspy
