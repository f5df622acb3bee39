#include "deadlock.h"

#include <algorithm>

#include "graph_walks.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostWithBehind = 20;

class StuckSearch {
 public:
  StuckSearch(const Report& report, const AwaitGraph& graph) : report_(report), graph_(graph), stuck_(graph_.nodes().size(), true) {}

  std::vector<bool> run() {
    std::vector<NodeIndex> changed;
    for (NodeIndex node = 0; node < stuck_.size(); ++node) {
      if (!is_stuck(node)) remove(node, changed);
    }
    while (!changed.empty()) {
      const NodeIndex node = changed.back();
      changed.pop_back();
      for (std::uint32_t place : graph_.edges_to(node)) {
        const NodeIndex waiting = graph_.edges()[place].from;
        if (stuck_[waiting] && !is_stuck(waiting)) remove(waiting, changed);
      }
    }
    return std::move(stuck_);
  }

 private:
  void remove(NodeIndex node, std::vector<NodeIndex>& changed) {
    stuck_[node] = false;
    changed.push_back(node);
  }

  // Of what is still thought to be stuck.
  [[nodiscard]] bool is_stuck(NodeIndex node) const {
    const Node& what = graph_.nodes()[node];
    bool has_edge = false;
    bool all = true;
    for (const AwaitEdge& edge : graph_.edges_from(node)) {
      if (edge.kind == EdgeKind::kNeedsLoop && what.kind == NodeKind::kTask) {
        if (stuck_[edge.to]) return true;  // whatever it waits for: it can not be told
        continue;
      }
      has_edge = true;
      all = all && stuck_[edge.to];
    }
    return has_edge && all && !has_way_out(what);
  }

  [[nodiscard]] bool has_way_out(const Node& node) const {
    if (node.index == kNotListed) return true;
    switch (node.kind) {
      case NodeKind::kTask: return has_way_out(report_.tasks[node.index]);
      case NodeKind::kPrimitive: return has_way_out(report_.primitives[node.index]);
      case NodeKind::kThread: return has_way_out(report_.threads[node.index]);
      case NodeKind::kJob: return report_.jobs[node.index].state == JobState::kDone;
      case NodeKind::kFuture:
      case NodeKind::kTimer:
      case NodeKind::kDescriptor:
      case NodeKind::kProcess: break;
    }
    return true;
  }

  [[nodiscard]] static bool has_way_out(const Task& task) {
    if (task.state != TaskState::kPending) return true;
    if (task.running) return false;
    if (task.deadline || task.must_cancel.value_or(false)) return true;
    const auto* many = std::get_if<OnMany>(&task.wait);
    return many != nullptr && many->pending != many->tasks.size();  // some of them are no tasks
  }

  // A semaphore with more holders than are known can be released by the others.
  [[nodiscard]] static bool has_way_out(const Primitive& primitive) {
    if (primitive.kind == "Lock") return false;
    const auto bound = primitive.number("bound");
    return bound && static_cast<std::uint64_t>(std::max<std::int64_t>(*bound, 0)) > primitive.holders.size();
  }

  // The futex of a wait without timeout has none, either.
  [[nodiscard]] static bool has_way_out(const Thread& thread) {
    return !thread.system_call || thread.system_call->remaining_seconds || thread.on_cpu;
  }

  const Report& report_;
  const AwaitGraph& graph_;
  std::vector<bool> stuck_;
};

class CycleSearch {
 public:
  CycleSearch(const Report& report, const AwaitGraph& graph, const std::vector<bool>& stuck)
      : report_(report), graph_(graph), stuck_(stuck), visited_(stuck.size(), 0) {}

  // Every stuck node leads on to a stuck one: following them ends in a cycle.
  std::vector<Deadlock> run() {
    for (NodeIndex start = 0; start < stuck_.size(); ++start) {
      if (!stuck_[start] || visited_[start] != 0) continue;
      ++walk_;
      std::vector<AwaitEdge> path;
      NodeIndex at = start;
      while (visited_[at] == 0) {
        visited_[at] = walk_;
        path.push_back(next_of(at));
        at = path.back().to;
      }
      if (visited_[at] != walk_) continue;  // it leads into one that is known
      const auto first = std::ranges::find(path, at, &AwaitEdge::from);
      add({first, path.end()}, true);
    }
    add_open_cycles();
    return std::move(found_);
  }

 private:
  [[nodiscard]] AwaitEdge next_of(NodeIndex node) const {
    const AwaitEdge* loop_edge = nullptr;
    for (const AwaitEdge& edge : graph_.edges_from(node)) {
      if (!stuck_[edge.to]) continue;
      if (edge.kind != EdgeKind::kNeedsLoop) return edge;
      loop_edge = &edge;
    }
    return *loop_edge;  // a stuck node has at least one
  }

  // Circles with a way out, such as a timeout, in components in which nothing is stuck.
  void add_open_cycles() {
    const Components components = find_components(graph_);
    std::vector<bool> has_stuck(components.count(), false);
    for (NodeIndex node = 0; node < stuck_.size(); ++node) {
      if (stuck_[node]) has_stuck[components.of[node]] = true;
    }
    for (const std::vector<std::uint32_t>& cycle : find_cycles(graph_, components)) {
      if (cycle.empty() || has_stuck[components.of[graph_.edges()[cycle.front()].from]]) continue;
      std::vector<AwaitEdge> edges;
      for (std::uint32_t place : cycle) edges.push_back(graph_.edges()[place]);
      add(std::move(edges), false);
    }
  }

  // A semaphore does not tell how many tasks it let in: there may be holders that were not seen.
  [[nodiscard]] bool hides_holders(NodeIndex node) const {
    const Node& what = graph_.nodes()[node];
    if (what.kind != NodeKind::kPrimitive || what.index == kNotListed) return false;
    const Primitive& primitive = report_.primitives[what.index];
    return primitive.kind != "Lock" && !primitive.number("bound");
  }

  void add(std::vector<AwaitEdge> edges, bool is_closed) {
    Deadlock deadlock;
    deadlock.is_closed = is_closed;
    std::vector<NodeIndex> members;
    for (const AwaitEdge& edge : edges) {
      members.push_back(edge.from);
      deadlock.is_certain = deadlock.is_certain && edge.certain && !hides_holders(edge.from);
      deadlock.has_thread = deadlock.has_thread || graph_.nodes()[edge.from].kind == NodeKind::kThread;
    }
    // A guess closes no circle that has a way out: a semaphore in a local variable of main, say, which waits for its workers.
    if (!is_closed && !deadlock.is_certain) return;
    if (found_.size() < kMostWithBehind) {
      const std::vector<NodeIndex> reached = find_reachable(graph_, members, Direction::kAwaiting);
      for (std::size_t i = members.size(); i < reached.size(); ++i) {  // itself first
        const Node& node = graph_.nodes()[reached[i]];
        if (node.kind == NodeKind::kTask) deadlock.behind.push_back(node.address());
      }
    }
    deadlock.edges = std::move(edges);
    found_.push_back(std::move(deadlock));
  }

  const Report& report_;
  const AwaitGraph& graph_;
  const std::vector<bool>& stuck_;
  std::vector<std::uint32_t> visited_;  // number of the walk, 0: none
  std::uint32_t walk_ = 0;
  std::vector<Deadlock> found_;
};

}  // namespace

std::vector<Deadlock> find_deadlocks(const Report& report, const AwaitGraph& graph) {
  if (!has_chains(graph)) return {};
  const std::vector<bool> stuck = StuckSearch(report, graph).run();
  return CycleSearch(report, graph, stuck).run();
}

}  // namespace asyncspy
