#include "graph_walks.h"

#include <algorithm>
#include <set>

#include "catch.h"
#include "sample_graph.h"

namespace asyncspy {
namespace {

using Waits = std::vector<std::vector<std::size_t>>;
using Nodes = std::vector<NodeIndex>;

struct Walked {
  explicit Walked(const Waits& waits) : graph(AwaitGraph::build(sample::make_tasks(waits))), components(find_components(graph)) {}
  AwaitGraph graph;
  Components components;
};

// Which nodes can be reached from which, the slow and simple way.
std::vector<std::vector<bool>> close(const AwaitGraph& graph) {
  const std::size_t size = graph.nodes().size();
  std::vector<std::vector<bool>> reaches(size, std::vector<bool>(size, false));
  for (const AwaitEdge& edge : graph.edges()) reaches[edge.from][edge.to] = true;
  for (std::size_t by = 0; by < size; ++by) {
    for (std::size_t from = 0; from < size; ++from) {
      for (std::size_t to = 0; to < size && reaches[from][by]; ++to) {
        if (reaches[by][to]) reaches[from][to] = true;
      }
    }
  }
  return reaches;
}

bool is_cycle(const AwaitGraph& graph, const std::vector<std::uint32_t>& cycle) {
  for (std::size_t i = 0; i < cycle.size(); ++i) {
    if (graph.edges()[cycle[i]].to != graph.edges()[cycle[(i + 1) % cycle.size()]].from) return false;
  }
  std::set<NodeIndex> nodes;
  for (std::uint32_t place : cycle) nodes.insert(graph.edges()[place].from);
  return !cycle.empty() && nodes.size() == cycle.size();
}

}  // namespace

TEST_CASE("a chain has as many components as nodes, no cycle and one root") {
  const Walked chain({{1}, {2}, {3}, {}});
  CHECK(chain.components.count() == chain.graph.nodes().size());
  CHECK(find_cycles(chain.graph, chain.components).empty());
  CHECK(find_roots(chain.graph, chain.components) == Nodes{0});
}

TEST_CASE("two tasks that wait for each other are one cycle, and one of them is a root") {
  const Walked pair({{1}, {0}});
  CHECK(pair.components.is_in_cycle(0));
  CHECK(pair.components.of[0] == pair.components.of[1]);
  const auto cycles = find_cycles(pair.graph, pair.components);
  REQUIRE(cycles.size() == 1);
  CHECK(cycles[0].size() == 2);
  CHECK(find_roots(pair.graph, pair.components) == Nodes{0});
}

TEST_CASE("a task that waits for itself is a cycle, one that waits for nothing is none") {
  const Walked own({{0}, {}});
  CHECK(own.components.is_in_cycle(0));
  CHECK_FALSE(own.components.is_in_cycle(1));
  CHECK(find_cycles(own.graph, own.components).size() == 1);
}

TEST_CASE("a cycle that somebody outside waits for has its root there") {
  const Walked lasso({{1}, {2}, {1}, {3}});
  CHECK(find_roots(lasso.graph, lasso.components) == Nodes{0, 3});
  CHECK_FALSE(lasso.components.is_in_cycle(0));
  CHECK(lasso.components.is_on_cycle(lasso.graph.edges_from(1)[0]));
  CHECK_FALSE(lasso.components.is_on_cycle(lasso.graph.edges_from(0)[0]));
}

TEST_CASE("in a diamond everything is reached once") {
  const Walked diamond(sample::make_diamond(20, 2));
  CHECK(find_roots(diamond.graph, diamond.components) == Nodes{0, 1});
  const Nodes start{0};
  CHECK(find_reachable(diamond.graph, start, Direction::kAwaited).size() == 1 + 38 + 2);  // with the two timers at the end
  const Nodes end{39};
  CHECK(find_reachable(diamond.graph, end, Direction::kAwaiting).size() == 1 + 38);
}

TEST_CASE("without a chain there is no cycle; a task that waits for itself is one") {
  CHECK_FALSE(has_chains(Walked({{}, {}, {}}).graph));
  CHECK_FALSE(has_chains(Walked({{9}, {9}, {}}).graph));  // a task that is not known
  CHECK(has_chains(Walked({{1}, {2}, {}}).graph));
  CHECK(has_chains(Walked({{}, {1}, {}}).graph));
  CHECK(has_chains(Walked({{1}, {0}}).graph));
}

TEST_CASE("what is reached comes in the order of its distance") {
  const Walked tree({{1, 2}, {3}, {4}, {}, {}});
  const Nodes start{0};
  Nodes reached = find_reachable(tree.graph, start, Direction::kAwaited);
  reached.resize(5);
  CHECK(reached == Nodes{0, 1, 2, 3, 4});
}

TEST_CASE("a chain of a million tasks is walked without running out of stack") {
  Waits waits(1'000'000);
  for (std::size_t i = 0; i + 1 < waits.size(); ++i) waits[i].push_back(i + 1);
  SECTION("with an end") {
    const Walked chain(waits);
    CHECK(chain.components.count() == waits.size() + 1);
    CHECK(find_roots(chain.graph, chain.components) == Nodes{0});
  }
  SECTION("closed to a circle") {
    waits.back().push_back(0);
    const Walked circle(waits);
    CHECK(circle.components.count() == 1);
    CHECK(find_cycles(circle.graph, circle.components).at(0).size() == waits.size());
  }
}

TEST_CASE("components, cycles, roots and reachability of random graphs agree with the transitive closure") {
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    INFO("seed " << seed);
    const Walked random(sample::make_random(25, 5 + seed, seed));
    const auto reaches = close(random.graph);
    const std::size_t size = random.graph.nodes().size();
    for (NodeIndex a = 0; a < size; ++a) {
      CHECK(random.components.is_in_cycle(a) == reaches[a][a]);
      for (NodeIndex b = 0; b < size; ++b) {
        if (a != b) CHECK((random.components.of[a] == random.components.of[b]) == (reaches[a][b] && reaches[b][a]));
      }
      const Nodes start{a};
      const Nodes reached = find_reachable(random.graph, start, Direction::kAwaited);
      for (NodeIndex b = 0; b < size; ++b) CHECK((std::ranges::count(reached, b) == 1) == (a == b || reaches[a][b]));
    }
    for (const AwaitEdge& edge : random.graph.edges()) CHECK(random.components.of[edge.from] >= random.components.of[edge.to]);
    for (const auto& cycle : find_cycles(random.graph, random.components)) CHECK(is_cycle(random.graph, cycle));
    const Nodes roots = find_roots(random.graph, random.components);
    const Nodes reached = find_reachable(random.graph, roots, Direction::kAwaited);
    CHECK(reached.size() == size);
    for (NodeIndex a : roots) {
      for (NodeIndex b : roots) {
        if (a != b) CHECK_FALSE(reaches[a][b]);
      }
    }
  }
}

}  // namespace asyncspy
