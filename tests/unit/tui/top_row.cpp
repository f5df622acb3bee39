#include "top_row.h"

#include "catch.h"
#include "sample_report.h"

namespace asyncspy {
namespace {

std::vector<TopRow> rows_of(const Report& report, RowUnit unit) {
  return build_rows(report, unit, -1, [](const TopRow&) { return RowFacts{}; });
}

std::string names_of(const std::vector<TopRow>& rows) {
  std::string names;
  for (const TopRow& row : rows) names += row.name + " ";
  return names;
}

TopRow make_row(RowKey key, std::string name, std::uint64_t count) {
  TopRow row;
  row.key = key;
  row.name = std::move(name);
  row.count = count;
  return row;
}

TEST_CASE("groups become rows with count, place and wait") {
  const auto rows = rows_of(sample::make_blocked_service(), RowUnit::kGroups);
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].running);
  CHECK(rows[0].name == "request-17");
  CHECK(rows[0].where == "place_order  orders.py:31");
  CHECK(rows[0].waits == "running");
  CHECK(rows[1].count == 200);
  CHECK(rows[1].name == "Task-3 +199");
  CHECK(rows[1].where == "refresh_price  prices.py:12");
  CHECK(rows[1].waits.starts_with("timers, "));
  CHECK(rows[2].waits.starts_with("Lock.acquire() on 0x7f4400001000"));
}

TEST_CASE("single tasks have a row each") {
  CHECK(rows_of(sample::make_blocked_service(), RowUnit::kTasks).size() == 202);
}

TEST_CASE("equal rows keep one order however they come in") {
  std::vector<TopRow> rows{make_row(3, "c", 5), make_row(1, "a", 5), make_row(2, "b", 7)};
  std::vector<TopRow> turned(rows.rbegin(), rows.rend());
  sort_rows(rows, SortColumn::kCount, true);
  sort_rows(turned, SortColumn::kCount, true);
  CHECK(names_of(rows) == "b a c ");
  CHECK(names_of(turned) == "b a c ");
  sort_rows(rows, SortColumn::kCount, false);
  CHECK(names_of(rows) == "a c b ");
  sort_rows(rows, SortColumn::kName, true);
  CHECK(names_of(rows) == "c b a ");
}

TEST_CASE("what runs stays on top, and what is not known is less than anything") {
  std::vector<TopRow> rows{make_row(1, "unknown", 1), make_row(2, "short", 1), make_row(3, "long", 1), make_row(4, "runs", 1)};
  rows[1].waiting = 0;
  rows[2].waiting = 9;
  rows[3].running = true;
  sort_rows(rows, SortColumn::kWaiting, true);
  CHECK(names_of(rows) == "runs long short unknown ");
  sort_rows(rows, SortColumn::kWaiting, false);
  CHECK(names_of(rows) == "runs unknown short long ");
}

TEST_CASE("a filter looks at name, place and wait, whatever the case") {
  const auto left = [](std::string_view text) {
    auto rows = rows_of(sample::make_blocked_service(), RowUnit::kGroups);
    filter_rows(rows, text);
    return names_of(rows);
  };
  CHECK(left("") == "request-17 Task-3 +199 stock ");
  CHECK(left("REQUEST") == "request-17 ");
  CHECK(left("prices.py") == "Task-3 +199 ");
  CHECK(left("lock.ACQ") == "stock ");
  CHECK(left("nothing like it").empty());
}

TEST_CASE("names that act on a terminal are harmless in a row") {
  Report report = sample::make_blocked_service();
  report.tasks[0].name = "\x1b]0;owned\x07";
  for (const TopRow& row : rows_of(report, RowUnit::kGroups)) CHECK(row.name.find('\x1b') == std::string::npos);
}

}  // namespace
}  // namespace asyncspy
