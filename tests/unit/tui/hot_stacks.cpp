#include "hot_stacks.h"

#include "catch.h"

namespace asyncspy {
namespace {

TEST_CASE("calls are counted where they were made, the hottest branch first") {
  HotStacks hot;
  const LightFrame main{"main", "a.py", 1};
  const LightFrame cold{"cold", "a.py", 2};
  const LightFrame warm{"warm", "a.py", 3};
  hot.add({main, cold});
  for (int i = 0; i < 3; ++i) hot.add({main, warm, cold});
  hot.add({});
  CHECK(hot.samples() == 5);
  CHECK(hot.executing() == 4);
  const auto rows = hot.rows(10);
  REQUIRE(rows.size() == 4);
  CHECK(rows[0].call->function == "main");
  CHECK(rows[0].call->samples == 4);
  CHECK(rows[1].call->function == "warm");
  CHECK(rows[1].depth == 1);
  CHECK(rows[2].call->function == "cold");
  CHECK(rows[2].depth == 2);
  CHECK(rows[2].call->samples == 3);
  CHECK(rows[3].call->samples == 1);
  CHECK(hot.rows(10, 0.5).size() == 3);
  CHECK(hot.rows(2).size() == 2);
}

TEST_CASE("a program that calls ever new functions fills no memory without end") {
  HotStacks hot;
  for (int i = 0; i < 3000; ++i) hot.add({{"main", "a.py", 1}, {"f" + std::to_string(i), "a.py", 1}, {"g", "a.py", 1}});
  CHECK(hot.samples() == 3000);
  CHECK(hot.rows(100'000).size() <= 1 + 2 * 500);
  CHECK(hot.rows(1).front().call->samples == 3000);
}

TEST_CASE("a stack of any depth is walked without recursion") {
  HotStacks hot;
  std::vector<LightFrame> deep;
  for (int i = 0; i < 15'000; ++i) deep.push_back({"f" + std::to_string(i), "a.py", 1});
  hot.add(deep);
  CHECK(hot.rows(100'000).size() == 15'000);
}

}  // namespace
}  // namespace asyncspy
