#include "debug_offsets.h"

#include <cstring>

#include "catch.h"
#include "layouts_under_test.h"

namespace asyncspy {
namespace {

void put(std::vector<std::byte>& table, std::size_t at, std::uint64_t value) { std::memcpy(table.data() + at, &value, sizeof value); }

// A table in which every word is plausible and tells its own position.
std::vector<std::byte> numbered_table(std::size_t size) {
  std::vector<std::byte> table(size);
  for (std::size_t at = 0; at + 8 <= size; at += 8) put(table, at, 3000 + at / 8);
  return table;
}

std::vector<std::byte> header(std::string_view cookie, std::uint64_t version, std::uint64_t free_threaded) {
  std::vector<std::byte> bytes(kDebugHeaderSize);
  std::memcpy(bytes.data(), cookie.data(), cookie.size());
  put(bytes, 8, version);
  put(bytes, 16, free_threaded);
  return bytes;
}

}  // namespace

TEST_CASE("the header yields version and kind of build, and only with its cookie") {
  auto parsed = parse_debug_header(header("xdebugpy", 0x030e0af0, 1));
  REQUIRE(parsed);
  CHECK(parsed->hex_version == 0x030e0af0);
  CHECK(parsed->free_threaded);
  CHECK_FALSE(parse_debug_header(header("xdebugpy", 1, 0))->free_threaded);
  auto wrong = parse_debug_header(header("xdebugpz", 0x030e0af0, 0));
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().kind == ErrorKind::kCorrupt);
  std::vector<std::byte> cut = header("xdebugpy", 1, 0);
  cut.pop_back();
  CHECK_FALSE(parse_debug_header(cut));
  CHECK_FALSE(parse_debug_header({}));
}

TEST_CASE("exported offsets replace those of the version file") {
  struct Row {
    unsigned minor;
    std::size_t executable;  // where the table keeps interpreter_frame.executable (pycore_debug_offsets.h)
    std::size_t threads_head;
  };
  for (Row row : {Row{13, 240, 72}, Row{14, 264, 72}, Row{15, 328, 72}}) {
    INFO("3." << row.minor);
    PythonLayout layout = find_layouts(row.minor).front();
    auto table = numbered_table(debug_offsets_size(row.minor));
    auto changes = apply_debug_offsets(layout, table);
    REQUIRE(changes);
    CHECK(layout.frame.executable.offset == static_cast<std::int32_t>(3000 + row.executable / 8));
    CHECK(layout.interpreter.threads_head.offset == static_cast<std::int32_t>(3000 + row.threads_head / 8));
    CHECK(changes->size() > 40);
    CHECK(apply_debug_offsets(layout, table)->empty());  // now they agree
  }
}

TEST_CASE("a table that is too short for any of its entries is refused and changes nothing") {
  for (unsigned minor : {13U, 14U, 15U}) {
    const std::vector<std::byte> full = numbered_table(debug_offsets_size(minor));
    for (std::size_t size = 0; size < full.size(); size += 8) {
      PythonLayout layout = find_layouts(minor).front();
      auto changes = apply_debug_offsets(layout, std::span(full).first(size));
      if (changes) continue;  // the last words of a table are not used
      INFO("3." << minor << " cut to " << size);
      CHECK(changes.error().kind == ErrorKind::kCorrupt);
      CHECK(layout.frame.executable.offset == find_layouts(minor).front().frame.executable.offset);
    }
    PythonLayout layout = find_layouts(minor).front();
    CHECK_FALSE(apply_debug_offsets(layout, std::span(full).first(400)));
  }
}

TEST_CASE("an absurd offset refuses the whole table") {
  for (unsigned minor : {13U, 14U, 15U}) {
    for (std::uint64_t absurd : {std::uint64_t{1} << 20, ~std::uint64_t{0}, std::uint64_t{1} << 63}) {
      PythonLayout layout = find_layouts(minor).front();
      auto table = numbered_table(debug_offsets_size(minor));
      put(table, 72, absurd);
      auto changes = apply_debug_offsets(layout, table);
      REQUIRE_FALSE(changes);
      CHECK(changes.error().what.find("interpreter.threads_head") != std::string::npos);
      CHECK(layout.frame.executable.offset == find_layouts(minor).front().frame.executable.offset);
    }
  }
}

TEST_CASE("3.13's running loop follows PyThreadState, whose size must be plausible") {
  PythonLayout layout = find_layouts(13).front();
  auto table = numbered_table(debug_offsets_size(13));
  put(table, 152, 320);
  REQUIRE(apply_debug_offsets(layout, table));
  CHECK(layout.thread.running_loop.offset == 320);
  put(table, 152, 8);
  CHECK_FALSE(apply_debug_offsets(layout, table));
}

TEST_CASE("releases without a table are left as they are") {
  for (unsigned minor = 7; minor <= 12; ++minor) {
    CHECK(debug_offsets_size(minor) == 0);
    PythonLayout layout = find_layouts(minor).front();
    CHECK(apply_debug_offsets(layout, numbered_table(800))->empty());
  }
}

TEST_CASE("asyncio's own table is read and checked alike") {
  for (unsigned minor : {14U, 15U}) {
    PythonLayout layout = find_layouts(minor).front();
    REQUIRE(apply_asyncio_debug(layout, numbered_table(kAsyncioDebugSize)));
    CHECK(layout.task.coroutine.offset == 3005);
    CHECK(layout.thread.tasks_head.offset == 3012);
    auto absurd = numbered_table(kAsyncioDebugSize);
    put(absurd, 40, std::uint64_t{1} << 40);
    CHECK_FALSE(apply_asyncio_debug(layout, absurd));
    CHECK_FALSE(apply_asyncio_debug(layout, std::span(absurd).first(64)));
  }
}

}  // namespace asyncspy
