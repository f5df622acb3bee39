#include "number.h"

#include <fmt/format.h>

#include <cstdlib>
#include <vector>

namespace asyncspy {
namespace {

constexpr std::int64_t kMostDigits = std::int64_t{1} << 27;  // of 30 bits
constexpr std::int64_t kMostDecimal = 9;                     // so many of them are written in decimal

struct IntegerHead {
  std::int64_t count = 0;  // digits
  bool negative = false;
};

// Digits of 30 bits, least significant first (Include/cpython/longintrepr.h). Up to 3.11 ob_size holds their number with
// the sign; from 3.12 lv_tag holds sign (0 positive, 1 zero, 2 negative) in its low two bits and the number above bit 3.
Result<IntegerHead> read_head(const ObjectReader& reader, Address object) {
  ASYNCSPY_TRY(tag, reader.read(object, reader.layout.number.integer_tag));
  IntegerHead head;
  if (reader.layout.integer_coding == IntegerCoding::kTagged) {
    head.negative = (tag & 3) == 2;
    head.count = static_cast<std::int64_t>(static_cast<std::uint64_t>(tag) >> 3);
    if ((tag & 3) == 1) head.count = 0;
  } else {
    head.negative = tag < 0;
    head.count = std::abs(std::clamp(tag, -kMostDigits - 1, kMostDigits + 1));
  }
  return head;
}

Result<void> read_digits(const ObjectReader& reader, Address object, std::span<std::uint32_t> digits) {
  return reader.memory.read(object + static_cast<std::uint64_t>(reader.layout.number.digits.offset), std::as_writable_bytes(digits));
}

// Divides by a thousand million again and again: the remainders are the decimal digits, nine at a time.
std::string to_decimal(std::vector<std::uint32_t> digits) {
  constexpr std::uint64_t kPiece = 1'000'000'000;
  std::string text;
  while (!digits.empty()) {
    std::uint64_t rest = 0;
    for (std::size_t i = digits.size(); i-- > 0;) {
      const std::uint64_t value = rest << 30 | digits[i];
      digits[i] = static_cast<std::uint32_t>(value / kPiece);
      rest = value % kPiece;
    }
    while (!digits.empty() && digits.back() == 0) digits.pop_back();
    text = (digits.empty() ? fmt::format("{}", rest) : fmt::format("{:09}", rest)) + text;
  }
  return text.empty() ? "0" : text;
}

}  // namespace

Result<std::int64_t> read_integer(const ObjectReader& reader, Address object) {
  ASYNCSPY_TRY(head, read_head(reader, object));
  if (head.count < 0 || head.count > 3) return fail(ErrorKind::kCorrupt, "an int larger than 64 bits", {}, object);
  std::array<std::uint32_t, 3> digits{};
  if (auto done = read_digits(reader, object, std::span(digits).first(static_cast<std::size_t>(head.count))); !done) {
    return std::unexpected(std::move(done.error()));
  }
  if (digits[2] > 7) return fail(ErrorKind::kCorrupt, "an int larger than 64 bits", {}, object);
  std::uint64_t magnitude = digits[0] | (std::uint64_t{digits[1]} << 30) | (std::uint64_t{digits[2]} << 60);
  return static_cast<std::int64_t>(head.negative ? 0 - magnitude : magnitude);
}

Result<std::string> read_integer_text(const ObjectReader& reader, Address object) {
  ASYNCSPY_TRY(head, read_head(reader, object));
  if (head.count < 0 || head.count > kMostDigits) return fail(ErrorKind::kCorrupt, "size of an int is not plausible", {}, object);
  const std::string sign = head.negative ? "-" : "";
  if (head.count <= kMostDecimal) {
    std::vector<std::uint32_t> digits(static_cast<std::size_t>(head.count));
    if (auto done = read_digits(reader, object, digits); !done) return std::unexpected(std::move(done.error()));
    if (std::ranges::any_of(digits, [](std::uint32_t digit) { return digit >> 30 != 0; })) {
      return fail(ErrorKind::kCorrupt, "not an int object", {}, object);
    }
    return sign + to_decimal(std::move(digits));
  }
  const std::uint64_t top_at = static_cast<std::uint64_t>(reader.layout.number.digits.offset) + static_cast<std::uint64_t>(head.count - 1) * 4;
  ASYNCSPY_TRY(top, reader.memory.read_value<std::uint32_t>(object + top_at));
  return fmt::format("{}<int of {} bits>", sign, (head.count - 1) * 30 + std::bit_width(top));
}

Result<std::array<std::uint64_t, 2>> read_wide_integer(const ObjectReader& reader, Address object) {
  ASYNCSPY_TRY(head, read_head(reader, object));
  std::array<std::uint32_t, 5> digits{};
  if (head.negative || head.count < 0 || head.count > 5) return fail(ErrorKind::kCorrupt, "not an int of 128 bits", {}, object);
  if (auto done = read_digits(reader, object, std::span(digits).first(static_cast<std::size_t>(head.count))); !done) {
    return std::unexpected(std::move(done.error()));
  }
  if (digits[4] >> 8 != 0) return fail(ErrorKind::kCorrupt, "not an int of 128 bits", {}, object);
  std::uint64_t low = digits[0] | std::uint64_t{digits[1]} << 30 | std::uint64_t{digits[2]} << 60;
  std::uint64_t high = std::uint64_t{digits[2]} >> 4 | std::uint64_t{digits[3]} << 26 | std::uint64_t{digits[4]} << 56;
  return std::array<std::uint64_t, 2>{high, low};
}

Result<double> read_float(const ObjectReader& reader, Address object) {
  return reader.read(object, reader.layout.number.float_value);
}

}  // namespace asyncspy
