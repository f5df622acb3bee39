#include "folded_tree.h"

#include <algorithm>
#include <set>

#include "catch.h"
#include "groups.h"
#include "sample_graph.h"

namespace asyncspy {
namespace {

using Waits = std::vector<std::vector<std::size_t>>;
using Nodes = std::vector<NodeIndex>;
using Rows = std::vector<RowIndex>;

struct Folded {
  explicit Folded(Report made) : report(std::move(made)) {
    report.groups = build_groups(report.tasks);
    graph = AwaitGraph::build(report);
    components = find_components(graph);
    tree = build_folded_tree(report, graph, components, find_roots(graph, components));
  }
  explicit Folded(const Waits& waits) : Folded(sample::make_tasks(waits)) {}

  Report report;
  AwaitGraph graph;
  Components components;
  FoldedTree tree;
};

// Every node in exactly one row, parents before children, and every edge either below its row or referred to.
void check_whole(const Folded& folded) {
  const auto& rows = folded.tree.rows;
  std::vector<RowIndex> row_of(folded.graph.nodes().size(), kNoRow);
  for (RowIndex row = 0; row < rows.size(); ++row) {
    REQUIRE_FALSE(rows[row].members.empty());
    for (NodeIndex member : rows[row].members) {
      CHECK(row_of[member] == kNoRow);
      row_of[member] = row;
    }
    for (RowIndex below : rows[row].below) {
      CHECK(below > row);
      CHECK(rows[below].parent == row);
    }
  }
  CHECK(std::ranges::count(row_of, kNoRow) == 0);
  CHECK(folded.tree.tasks == folded.report.tasks.size());
  for (const AwaitEdge& edge : folded.graph.edges()) {
    const TreeRow& from = rows[row_of[edge.from]];
    const bool below = std::ranges::count(from.below, row_of[edge.to]) == 1;
    const bool referred = std::ranges::count_if(from.references, [&](const RowReference& each) {
                            return each.node == edge.to && each.row == row_of[edge.to];
                          }) == 1;
    CHECK(below != referred);
  }
}

}  // namespace

TEST_CASE("a tree of tasks is folded into the same tree") {
  // The two that wait for a timer each look alike but hang on different tasks.
  const Folded folded(Waits{{1, 2}, {3}, {4, 5}, {}, {}, {}});
  check_whole(folded);
  const auto& rows = folded.tree.rows;
  CHECK(folded.tree.roots == Rows{0});
  CHECK(rows[0].members == Nodes{0});
  REQUIRE(rows[0].below.size() == 2);
  CHECK(rows[rows[0].below[0]].members == Nodes{1});
  CHECK(rows[rows[rows[0].below[0]].below.at(0)].members == Nodes{3});
  const TreeRow& two = rows[rows[0].below[1]];
  CHECK(two.members == Nodes{2});
  REQUIRE(two.below.size() == 1);
  CHECK(rows[two.below[0]].members == Nodes{4, 5});
}

TEST_CASE("equal branches are one row at every depth") {
  Waits waits(1);
  for (std::size_t i = 0; i < 200; ++i) {
    waits[0].push_back(waits.size());
    waits.push_back({waits.size() + 1});
    waits.push_back({});
  }
  const Folded folded(waits);
  check_whole(folded);
  CHECK(folded.tree.rows.size() == 4);  // the root, 200 that await, 200 awaited, 200 timers
  CHECK(folded.tree.rows[1].members.size() == 200);
  CHECK(folded.tree.rows[2].members.size() == 200);
}

TEST_CASE("tasks that look alike are apart when what is below them differs") {
  const Folded folded(Waits{{2}, {3}, {4, 5}, {}, {}, {}});
  check_whole(folded);
  CHECK(folded.tree.roots.size() == 2);
}

TEST_CASE("ten thousand waiters on one future are one row above it") {
  Report report = sample::make_tasks(Waits(10'000));
  for (Task& task : report.tasks) {
    OnFuture wait;
    wait.future = Address{0x5000};
    task.wait = wait;
  }
  const Folded folded(std::move(report));
  check_whole(folded);
  CHECK(folded.tree.rows.size() == 2);
}

TEST_CASE("a diamond has as many rows as nodes at the most, and refers to what stands elsewhere") {
  const Folded folded(sample::make_diamond(21, 2));
  check_whole(folded);
  CHECK(folded.tree.rows.size() <= folded.graph.nodes().size());
  std::size_t references = 0;
  for (const TreeRow& row : folded.tree.rows) {
    references += row.references.size();
    for (const RowReference& each : row.references) CHECK_FALSE(each.cycle);
  }
  CHECK(references > 0);
  CHECK(references < folded.graph.edges().size());
}

TEST_CASE("a cycle ends in a reference that says so") {
  const Folded folded(Waits{{1}, {2}, {0}});
  check_whole(folded);
  CHECK(folded.tree.rows.size() == 3);
  REQUIRE(folded.tree.rows[2].references.size() == 1);
  CHECK(folded.tree.rows[2].references[0].cycle);
  CHECK(folded.tree.rows[2].references[0].row == 0);
}

TEST_CASE("a task that waits for itself refers to its own row") {
  const Folded folded(Waits{{0}});
  check_whole(folded);
  REQUIRE(folded.tree.rows[0].references.size() == 1);
  CHECK(folded.tree.rows[0].references[0].row == 0);
  CHECK(folded.tree.rows[0].references[0].cycle);
}

TEST_CASE("what is shared stands as near to a root as possible") {
  const Folded folded(Waits{{1, 2}, {2}, {}});
  check_whole(folded);
  CHECK(folded.tree.rows[0].below.size() == 2);
  CHECK(folded.tree.rows[1].members == Nodes{1});
  CHECK(folded.tree.rows[1].below.empty());
  CHECK(folded.tree.rows[1].references.at(0).node == 2);
}

TEST_CASE("a running root comes first, then the largest tree, at last what is done") {
  Report report = sample::make_tasks(Waits{{}, {2, 3}, {}, {4}, {}, {}, {}, {}, {}, {}});
  for (std::size_t i = 6; i < 10; ++i) {
    report.tasks[i].state = TaskState::kFinished;
    report.tasks[i].wait = Done{};
  }
  report.tasks[5].running = true;
  report.tasks[5].wait = Running{};
  const Folded folded(std::move(report));
  check_whole(folded);
  Nodes first;
  for (RowIndex root : folded.tree.roots) first.push_back(folded.tree.rows[root].members.front());
  CHECK(first == Nodes{5, 1, 0, 6});
}

TEST_CASE("of the wanted roots those below others are left out, and what they do not reach, too") {
  Report report = sample::make_tasks(Waits{{1}, {2}, {}, {}});
  report.groups = build_groups(report.tasks);
  const AwaitGraph graph = AwaitGraph::build(report);
  const Components components = find_components(graph);
  const Nodes wanted{2, 1};
  const FoldedTree tree = build_folded_tree(report, graph, components, wanted);
  CHECK(tree.roots.size() == 1);
  CHECK(tree.rows[0].members == Nodes{1});
  CHECK(tree.tasks == 2);
}

TEST_CASE("a wide and hostile graph is folded in linear time") {
  // A thousand tasks that each gather the same thousand tasks.
  Waits waits(2000);
  for (std::size_t i = 0; i < 1000; ++i) {
    for (std::size_t k = 0; k < 1000; ++k) waits[i].push_back(1000 + k);
  }
  const Folded folded(waits);
  CHECK(folded.tree.rows.front().members.size() == 1000);
  CHECK(folded.tree.rows.size() <= 2001);
}

TEST_CASE("a chain of a hundred thousand tasks is a tree of as many rows") {
  Waits waits(100'000);
  for (std::size_t i = 0; i + 1 < waits.size(); ++i) waits[i].push_back(i + 1);
  const Folded folded(waits);
  CHECK(folded.tree.rows.size() == waits.size() + 1);
}

TEST_CASE("random graphs are folded without losing a node or an edge") {
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    check_whole(Folded(sample::make_random(30, seed * 2, seed)));
  }
}

}  // namespace asyncspy
