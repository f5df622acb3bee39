#include "line_table.h"

#include "catch.h"
#include "line_table_samples.h"

namespace asyncspy {
namespace {

std::optional<int> find(LineTable coding, const std::vector<std::uint8_t>& table, int first_line, std::int64_t offset) {
  return find_line(coding, std::as_bytes(std::span(table)), first_line, offset);
}

}  // namespace

TEST_CASE("every instruction of real code has the line that its interpreter says") {
  for (const LineTableSample& sample : kLineTableSamples) {
    std::size_t range = 0;
    for (int offset = 0; offset < sample.code_size; offset += 2) {
      while (range + 1 < sample.lines.size() && sample.lines[range + 1].first <= offset) ++range;
      INFO(sample.name << " at offset " << offset);
      CHECK(find(sample.coding, sample.table, sample.first_line, offset).value_or(0) == sample.lines[range].second);
    }
  }
}

TEST_CASE("lnotab: a line holds from the sum of the address increments on, and may go back") {
  const std::vector<std::uint8_t> table{6, 1, 50, 2, 2, 0xFE};
  CHECK(find(LineTable::kLnotab, table, 10, -1) == 10);
  CHECK(find(LineTable::kLnotab, table, 10, 5) == 10);
  CHECK(find(LineTable::kLnotab, table, 10, 6) == 11);
  CHECK(find(LineTable::kLnotab, table, 10, 55) == 11);
  CHECK(find(LineTable::kLnotab, table, 10, 56) == 13);
  CHECK(find(LineTable::kLnotab, table, 10, 4000) == 11);
}

TEST_CASE("ranges: -128 marks instructions without a line and does not move it") {
  const std::vector<std::uint8_t> table{4, 2, 6, 0x80, 2, 1};
  CHECK(find(LineTable::kRanges, table, 10, 3) == 12);
  CHECK(find(LineTable::kRanges, table, 10, 4) == std::nullopt);
  CHECK(find(LineTable::kRanges, table, 10, 9) == std::nullopt);
  CHECK(find(LineTable::kRanges, table, 10, 10) == 13);
  CHECK(find(LineTable::kRanges, table, 10, 12) == std::nullopt);
  CHECK(find(LineTable::kRanges, table, 10, -2) == std::nullopt);
}

TEST_CASE("locations: every form of entry is stepped over by its own length") {
  auto entry = [](int code, int units) { return static_cast<std::uint8_t>(0x80 | code << 3 | (units - 1)); };
  const std::vector<std::uint8_t> table{
      entry(3, 1),  0x44,                          // short form: same line, one more byte
      entry(11, 2), 5,    9,                       // one line further, two columns
      entry(14, 1), 0x40 | 40, 2, 1, 2, 3,         // long form: signed varint 84*2... in two bytes, then three varints
      entry(15, 3),                                // no location
      entry(13, 1), 3,                             // no columns: one line back
  };
  CHECK(find(LineTable::kLocations, table, 10, 0) == 10);
  CHECK(find(LineTable::kLocations, table, 10, 2) == 11);
  CHECK(find(LineTable::kLocations, table, 10, 5) == 11);
  CHECK(find(LineTable::kLocations, table, 10, 6) == 11 + 84);  // 40 + (2 << 6), halved
  CHECK(find(LineTable::kLocations, table, 10, 8) == std::nullopt);
  CHECK(find(LineTable::kLocations, table, 10, 13) == std::nullopt);
  CHECK(find(LineTable::kLocations, table, 10, 14) == 11 + 84 - 1);
  CHECK(find(LineTable::kLocations, table, 10, 16) == std::nullopt);
}

TEST_CASE("a line table that is cut at any byte yields a line or none, never more") {
  for (const LineTableSample& sample : kLineTableSamples) {
    for (std::size_t size = 0; size < sample.table.size(); ++size) {
      const std::vector<std::uint8_t> cut(sample.table.begin(), sample.table.begin() + static_cast<std::ptrdiff_t>(size));
      for (int offset : {0, 2, 10, sample.code_size - 2, sample.code_size, 1 << 30}) {
        INFO(sample.name << " cut to " << size << " at " << offset);
        CHECK(find(sample.coding, cut, sample.first_line, offset).value_or(1) > 0);
      }
    }
  }
}

TEST_CASE("lines that no file has are none") {
  for (LineTable coding : {LineTable::kLnotab, LineTable::kRanges}) {
    const std::vector<std::uint8_t> back{2, 0x81, 2, 0x81};
    CHECK(find(coding, back, 100, 2) == std::nullopt);
  }
  const std::vector<std::uint8_t> far{0x80 | 14 << 3, 0x7E, 0x7F, 0x7F, 0x7F, 0x7F, 0x7F, 0x7F, 0x7F, 0x7F, 0x3F};
  CHECK(find(LineTable::kLocations, far, 100, 0) == std::nullopt);
}

}  // namespace asyncspy
