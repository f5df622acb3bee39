#include "graph_walks.h"

#include <algorithm>

namespace asyncspy {
namespace {

constexpr std::uint32_t kUnseen = 0xFFFFFFFF;

// Tarjan's algorithm with a stack of its own instead of calls.
class ComponentSearch {
 public:
  explicit ComponentSearch(const AwaitGraph& graph) : graph_(graph), order_(graph.nodes().size(), kUnseen), low_(order_) {
    found_.of.assign(order_.size(), kUnseen);
  }

  Components run() {
    for (std::size_t i = 0; i < order_.size(); ++i) {
      if (order_[i] == kUnseen) search_from(static_cast<NodeIndex>(i));
    }
    return std::move(found_);
  }

 private:
  struct Visit {
    NodeIndex node;
    std::uint32_t next_edge;
  };

  void enter(NodeIndex node) {
    order_[node] = low_[node] = counter_++;
    open_.push_back(node);
    visits_.push_back({node, 0});
  }

  void search_from(NodeIndex start) {
    enter(start);
    while (!visits_.empty()) {
      Visit& visit = visits_.back();
      const NodeIndex node = visit.node;
      const auto edges = graph_.edges_from(node);
      if (visit.next_edge < edges.size()) {
        const NodeIndex to = edges[visit.next_edge++].to;
        if (order_[to] == kUnseen) {
          enter(to);
        } else if (found_.of[to] == kUnseen) {
          low_[node] = std::min(low_[node], order_[to]);
        }
        continue;
      }
      visits_.pop_back();
      if (!visits_.empty()) low_[visits_.back().node] = std::min(low_[visits_.back().node], low_[node]);
      if (low_[node] == order_[node]) close_component(node);
    }
  }

  void close_component(NodeIndex first) {
    const auto number = static_cast<std::uint32_t>(found_.cyclic.size());
    std::size_t size = 0;
    NodeIndex node = kNoNode;
    while (node != first) {
      node = open_.back();
      open_.pop_back();
      found_.of[node] = number;
      ++size;
    }
    const auto edges = graph_.edges_from(first);
    const bool waits_for_itself = std::ranges::any_of(edges, [first](const AwaitEdge& edge) { return edge.to == first; });
    found_.cyclic.push_back(size > 1 || waits_for_itself);
  }

  const AwaitGraph& graph_;
  std::vector<std::uint32_t> order_;
  std::vector<std::uint32_t> low_;
  std::vector<NodeIndex> open_;
  std::vector<Visit> visits_;
  std::uint32_t counter_ = 0;
  Components found_;
};

// The edges of a shortest way from `start` back to itself. `came_by` is kUnseen for every node of the component.
std::vector<std::uint32_t> find_cycle_through(const AwaitGraph& graph, const Components& components, NodeIndex start,
                                              std::vector<std::uint32_t>& came_by) {
  const AwaitEdge* all = graph.edges().data();
  std::vector<NodeIndex> queue{start};
  std::uint32_t closing = kUnseen;
  for (std::size_t at = 0; at < queue.size() && closing == kUnseen; ++at) {
    for (const AwaitEdge& edge : graph.edges_from(queue[at])) {
      if (components.of[edge.to] != components.of[start]) continue;
      const auto place = static_cast<std::uint32_t>(&edge - all);
      if (edge.to == start) {
        closing = place;
        break;
      }
      if (came_by[edge.to] != kUnseen) continue;
      came_by[edge.to] = place;
      queue.push_back(edge.to);
    }
  }
  std::vector<std::uint32_t> cycle;
  if (closing == kUnseen) return cycle;
  cycle.push_back(closing);
  while (all[cycle.back()].from != start) cycle.push_back(came_by[all[cycle.back()].from]);
  std::ranges::reverse(cycle);
  return cycle;
}

}  // namespace

Components find_components(const AwaitGraph& graph) { return ComponentSearch(graph).run(); }

bool has_chains(const AwaitGraph& graph) {
  return std::ranges::any_of(graph.edges(), [&](const AwaitEdge& edge) { return !graph.edges_from(edge.to).empty(); });
}

std::vector<std::vector<std::uint32_t>> find_cycles(const AwaitGraph& graph, const Components& components) {
  std::vector<std::vector<std::uint32_t>> cycles;
  std::vector<bool> done(components.count(), false);
  std::vector<std::uint32_t> came_by(graph.nodes().size(), kUnseen);
  for (NodeIndex node = 0; node < graph.nodes().size(); ++node) {
    const std::uint32_t component = components.of[node];
    if (!components.cyclic[component] || done[component]) continue;
    done[component] = true;
    cycles.push_back(find_cycle_through(graph, components, node, came_by));
  }
  return cycles;
}

std::vector<NodeIndex> find_roots(const AwaitGraph& graph, const Components& components) {
  std::vector<bool> awaited(components.count(), false);  // from outside
  for (const AwaitEdge& edge : graph.edges()) {
    if (components.of[edge.from] != components.of[edge.to]) awaited[components.of[edge.to]] = true;
  }
  std::vector<NodeIndex> roots;
  for (NodeIndex node = 0; node < graph.nodes().size(); ++node) {
    if (graph.nodes()[node].kind != NodeKind::kTask || graph.nodes()[node].index == kNotListed) continue;
    const std::uint32_t component = components.of[node];
    if (awaited[component]) continue;
    awaited[component] = true;  // one of each cycle
    roots.push_back(node);
  }
  return roots;
}

std::vector<NodeIndex> find_reachable(const AwaitGraph& graph, std::span<const NodeIndex> from, Direction direction) {
  std::vector<bool> seen(graph.nodes().size(), false);
  std::vector<NodeIndex> reached;
  const auto reach = [&](NodeIndex node) {
    if (seen[node]) return;
    seen[node] = true;
    reached.push_back(node);
  };
  for (NodeIndex node : from) reach(node);
  for (std::size_t at = 0; at < reached.size(); ++at) {
    const NodeIndex node = reached[at];
    if (direction == Direction::kAwaited) {
      for (const AwaitEdge& edge : graph.edges_from(node)) reach(edge.to);
    } else {
      for (std::uint32_t place : graph.edges_to(node)) reach(graph.edges()[place].from);
    }
  }
  return reached;
}

}  // namespace asyncspy
