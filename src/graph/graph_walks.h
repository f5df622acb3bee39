// Walks over an AwaitGraph: strongly connected components, cycles, roots, reachability.
//
// Each is linear in nodes and edges and iterative: the depth of the graph is the target's.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "await_graph.h"

namespace asyncspy {

struct Components {
  // The component of each node. Numbered so that an edge never leads to a greater number: what is waited for comes first.
  std::vector<std::uint32_t> of;
  std::vector<bool> cyclic;  // of each component: several nodes, or one that waits for itself

  [[nodiscard]] std::size_t count() const { return cyclic.size(); }
  [[nodiscard]] bool is_in_cycle(NodeIndex node) const { return cyclic[of[node]]; }
  // Both ends are on one cycle.
  [[nodiscard]] bool is_on_cycle(const AwaitEdge& edge) const { return of[edge.from] == of[edge.to] && cyclic[of[edge.from]]; }
};

[[nodiscard]] Components find_components(const AwaitGraph& graph);

// Whether something that is waited for waits itself. Where nothing does there is no cycle, and it takes little to see that.
[[nodiscard]] bool has_chains(const AwaitGraph& graph);

// One cycle out of every cyclic component, a shortest one through its first node, as places in graph.edges(): the first
// edge begins where the last one ends.
[[nodiscard]] std::vector<std::vector<std::uint32_t>> find_cycles(const AwaitGraph& graph, const Components& components);

// Listed tasks from which every listed task that somebody waits for, and every other one, can be reached: those for which
// nobody waits, and one of each cycle for which nobody outside of it waits. In the order of the nodes.
[[nodiscard]] std::vector<NodeIndex> find_roots(const AwaitGraph& graph, const Components& components);

enum class Direction : std::uint8_t { kAwaited, kAwaiting };

// Everything that `from` waits for, or that waits for it, directly or not, itself included: nearest first.
[[nodiscard]] std::vector<NodeIndex> find_reachable(const AwaitGraph& graph, std::span<const NodeIndex> from, Direction direction);

}  // namespace asyncspy
