#include "await_graph.h"

#include <algorithm>

namespace asyncspy {

class GraphBuilder {
 public:
  explicit GraphBuilder(const Report& report) : report_(report) {}

  AwaitGraph build() {
    graph_.nodes_.reserve(report_.tasks.size());
    graph_.by_key_.reserve(report_.tasks.size());
    for (std::size_t i = 0; i < report_.tasks.size(); ++i) {
      const auto index = static_cast<std::uint32_t>(i);
      const std::uint64_t identity = report_.tasks[i].id.value();
      graph_.nodes_.push_back({NodeKind::kTask, index, identity});
      graph_.by_key_.emplace(AwaitGraph::Key{NodeKind::kTask, identity}, index);  // garbage may list one twice: the first counts
    }
    for (std::size_t i = 0; i < report_.tasks.size(); ++i) add_wait(static_cast<NodeIndex>(i), report_.tasks[i]);
    graph_.index_edges();
    return std::move(graph_);
  }

 private:
  NodeIndex node(NodeKind kind, std::uint64_t identity) {
    const auto [known, added] = graph_.by_key_.emplace(AwaitGraph::Key{kind, identity}, static_cast<NodeIndex>(graph_.nodes_.size()));
    if (added) graph_.nodes_.push_back({kind, kNotListed, identity});
    return known->second;
  }

  std::uint32_t construct(std::string_view word) {
    const auto [known, added] = construct_index_.emplace(word, static_cast<std::uint32_t>(graph_.constructs_.size()));
    if (added) graph_.constructs_.emplace_back(word);
    return known->second;
  }

  void add_edge(NodeIndex from, NodeKind kind, Address to, std::string_view word) {
    if (!to.is_null()) graph_.edges_.push_back({from, node(kind, to.value()), EdgeKind::kWaitsFor, construct(word)});
  }

  void add_wait(NodeIndex from, const Task& task) {
    if (const auto* on = std::get_if<OnTask>(&task.wait)) {
      add_edge(from, NodeKind::kTask, on->task, "await");
    } else if (const auto* on = std::get_if<OnFuture>(&task.wait)) {
      add_edge(from, NodeKind::kFuture, on->future, "await");
    } else if (std::holds_alternative<OnTimer>(task.wait)) {
      add_edge(from, NodeKind::kTimer, task.awaited, "sleep");
    } else if (const auto* on = std::get_if<OnPrimitive>(&task.wait)) {
      add_edge(from, NodeKind::kPrimitive, on->object, on->operation);
    } else if (const auto* on = std::get_if<OnDescriptor>(&task.wait)) {
      const NodeIndex to = node(NodeKind::kDescriptor, static_cast<std::uint32_t>(on->descriptor));
      graph_.edges_.push_back({from, to, EdgeKind::kWaitsFor, construct("ready")});
    } else if (const auto* on = std::get_if<OnMany>(&task.wait)) {
      for (Address each : on->tasks) add_edge(from, NodeKind::kTask, each, on->construct);
    }
  }

  const Report& report_;
  AwaitGraph graph_;
  std::unordered_map<std::string, std::uint32_t> construct_index_;
};

AwaitGraph AwaitGraph::build(const Report& report) { return GraphBuilder(report).build(); }

void AwaitGraph::index_edges() {
  std::ranges::stable_sort(edges_, {}, &AwaitEdge::from);
  first_out_.assign(nodes_.size() + 1, 0);
  first_in_.assign(nodes_.size() + 1, 0);
  for (const AwaitEdge& edge : edges_) {
    ++first_out_[edge.from + 1];
    ++first_in_[edge.to + 1];
  }
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    first_out_[i + 1] += first_out_[i];
    first_in_[i + 1] += first_in_[i];
  }
  in_.resize(edges_.size());
  std::vector<std::uint32_t> next(first_in_.begin(), first_in_.end() - 1);
  for (std::size_t i = 0; i < edges_.size(); ++i) in_[next[edges_[i].to]++] = static_cast<std::uint32_t>(i);
}

std::span<const AwaitEdge> AwaitGraph::edges_from(NodeIndex node) const {
  return std::span(edges_).subspan(first_out_[node], first_out_[node + 1] - first_out_[node]);
}

std::span<const std::uint32_t> AwaitGraph::edges_to(NodeIndex node) const {
  return std::span(in_).subspan(first_in_[node], first_in_[node + 1] - first_in_[node]);
}

NodeIndex AwaitGraph::find(NodeKind kind, std::uint64_t identity) const {
  const auto found = by_key_.find({kind, identity});
  return found == by_key_.end() ? kNoNode : found->second;
}

}  // namespace asyncspy
