#include "tree_plan.h"

#include <algorithm>

#include "catch.h"
#include "groups.h"
#include "sample_graph.h"

namespace asyncspy {
namespace {

using Waits = std::vector<std::vector<std::size_t>>;

struct Planned {
  explicit Planned(const Waits& waits, bool limited = true, const TreeLimits& limits = {}) : report(sample::make_tasks(waits)) {
    report.groups = build_groups(report.tasks);
    const AwaitGraph graph = AwaitGraph::build(report);
    const Components components = find_components(graph);
    tree = build_folded_tree(report, graph, components, find_roots(graph, components));
    plan = plan_tree(graph, tree, limited, limits);
  }
  Report report;
  FoldedTree tree;
  TreePlan plan;
};

Waits make_chain(std::size_t length) {
  Waits waits(length);
  for (std::size_t i = 0; i + 1 < length; ++i) waits[i].push_back(i + 1);
  return waits;
}

}  // namespace

TEST_CASE("rows are planned from the roots down, and the last one of each is known") {
  // 0 waits for 1 and 2, which differ by what they wait for.
  const Planned planned(Waits{{1, 2}, {3}, {4, 5}, {}, {}, {}});
  std::vector<std::uint32_t> depths;
  std::vector<bool> last;
  for (const TreeLine& line : planned.plan.lines) depths.push_back(line.depth), last.push_back(line.last);
  CHECK(depths == std::vector<std::uint32_t>{0, 1, 2, 1, 2});
  CHECK(last == std::vector<bool>{true, false, true, true, true});
}

TEST_CASE("what is no task and has nothing below it takes no line") {
  const Planned planned(Waits{{}});
  REQUIRE(planned.tree.rows.size() == 2);
  CHECK(planned.plan.lines.size() == 1);
  CHECK_FALSE(planned.plan.lines[0].open);
  CHECK_FALSE(planned.plan.printed[1]);
}

TEST_CASE("a long chain loses its middle, and the count of what it lost is right") {
  const Planned planned(make_chain(1000));
  REQUIRE(planned.plan.lines.size() == 40);
  CHECK(planned.plan.lines[11].passed == 0);
  CHECK(planned.plan.lines[12].passed == 960);
  CHECK(planned.plan.lines[12].depth == 12);
  CHECK(planned.plan.lines.back().row == 999);
  CHECK(std::ranges::count(planned.plan.printed, true) == 40);
}

TEST_CASE("a chain of the greatest length is whole, one more and two rows are one line less") {
  CHECK(Planned(make_chain(40)).plan.lines.size() == 40);
  CHECK(Planned(make_chain(41)).plan.lines.size() == 40);
  CHECK(Planned(make_chain(41), false).plan.lines.size() == 41);
}

TEST_CASE("branches beyond the most are counted with their tasks") {
  Waits waits(1);
  for (std::size_t i = 0; i < 10; ++i) {  // ten branches of different sizes
    waits[0].push_back(waits.size());
    const std::size_t branch = waits.size();
    waits.emplace_back();
    for (std::size_t k = 0; k <= i; ++k) {
      waits[branch].push_back(waits.size());
      waits.push_back({});
    }
  }
  TreeLimits limits;
  limits.branches = 4;
  const Planned planned(waits, true, limits);
  const TreeLine& rest = planned.plan.lines.back();
  CHECK(rest.row == kNoRow);
  CHECK(rest.branches == 6);
  CHECK(rest.tasks == 6 + 5 + 6 + 7 + 8 + 9 + 10);
  CHECK(rest.last);
  CHECK(std::ranges::count_if(planned.plan.lines, [](const TreeLine& line) { return line.depth == 1 && line.last; }) == 1);
  CHECK(Planned(waits, false, limits).plan.lines.size() == 21);
}

TEST_CASE("a million tasks in a chain are planned without running out of stack") {
  CHECK(Planned(make_chain(1'000'000)).plan.lines.size() == 40);
}

}  // namespace asyncspy
