#include "await_graph.h"

#include <algorithm>
#include <unordered_map>

namespace asyncspy {

class GraphBuilder {
 public:
  GraphBuilder(const Report& report, LoopEdges loop_edges) : report_(report), loop_edges_(loop_edges) {}

  AwaitGraph build() {
    graph_.nodes_.reserve(report_.tasks.size());
    by_identity(NodeKind::kTask).reserve(report_.tasks.size());
    for (std::size_t i = 0; i < report_.tasks.size(); ++i) {
      const auto index = static_cast<std::uint32_t>(i);
      const std::uint64_t identity = report_.tasks[i].id.value();
      graph_.nodes_.push_back({NodeKind::kTask, index, identity});
      by_identity(NodeKind::kTask).add(AwaitGraph::key_of(identity), index);  // garbage may list one twice: the first counts
    }
    list(NodeKind::kPrimitive, report_.primitives, [](const Primitive& each) { return each.id.value(); });
    list(NodeKind::kJob, report_.jobs, [](const Job& each) { return each.id.value(); });
    list(NodeKind::kThread, report_.threads, [](const Thread& each) { return static_cast<std::uint64_t>(each.tid); });
    for (std::size_t i = 0; i < report_.tasks.size(); ++i) add_wait(static_cast<NodeIndex>(i), report_.tasks[i]);
    for (const Primitive& primitive : report_.primitives) add_holders(primitive);
    for (const Job& job : report_.jobs) add_worker(job);
    for (const Thread& thread : report_.threads) add_thread(thread);
    for (std::size_t i = 0; i < report_.tasks.size(); ++i) add_loop(static_cast<NodeIndex>(i), report_.tasks[i]);
    graph_.index_edges();
    return std::move(graph_);
  }

 private:
  // What the report lists becomes a node only when an edge needs it.
  template <class T, class Identify>
  void list(NodeKind kind, const std::vector<T>& items, Identify identify) {
    auto& listed = listed_[static_cast<std::size_t>(kind)];
    for (std::size_t i = 0; i < items.size(); ++i) listed.add(AwaitGraph::key_of(identify(items[i])), static_cast<std::uint32_t>(i));
  }

  NodeIndex node(NodeKind kind, std::uint64_t identity) {
    const Address key = AwaitGraph::key_of(identity);
    if (const NodeIndex* known = by_identity(kind).find(key)) return *known;
    const auto index = static_cast<NodeIndex>(graph_.nodes_.size());
    by_identity(kind).add(key, index);
    const std::uint32_t* listed = listed_[static_cast<std::size_t>(kind)].find(key);
    graph_.nodes_.push_back({kind, listed == nullptr ? kNotListed : *listed, identity});
    return index;
  }

  AwaitGraph::ByIdentity& by_identity(NodeKind kind) { return graph_.by_identity_[static_cast<std::size_t>(kind)]; }

  std::uint32_t construct(std::string_view word) {
    if (!graph_.constructs_.empty() && graph_.constructs_[last_construct_] == word) return last_construct_;
    const auto [known, added] = construct_index_.emplace(word, static_cast<std::uint32_t>(graph_.constructs_.size()));
    if (added) graph_.constructs_.emplace_back(word);
    return last_construct_ = known->second;
  }

  void add_edge(NodeIndex from, NodeKind kind, std::uint64_t to, std::string_view word) {
    if (to != 0) graph_.edges_.push_back({.from = from, .to = node(kind, to), .construct = construct(word)});
  }

  void add_wait(NodeIndex from, const Task& task) {
    if (const auto* on_task = std::get_if<OnTask>(&task.wait)) {
      add_edge(from, NodeKind::kTask, on_task->task.value(), on_task->construct);
    } else if (const auto* on_future = std::get_if<OnFuture>(&task.wait)) {
      add_edge(from, NodeKind::kFuture, on_future->future.value(), "await");
    } else if (std::holds_alternative<OnTimer>(task.wait)) {
      add_edge(from, NodeKind::kTimer, task.awaited.value(), "sleep");
    } else if (const auto* on_primitive = std::get_if<OnPrimitive>(&task.wait)) {
      add_edge(from, NodeKind::kPrimitive, on_primitive->object.value(), on_primitive->operation);
    } else if (const auto* on_descriptor = std::get_if<OnDescriptor>(&task.wait)) {
      // 0 is a descriptor like any other
      const NodeIndex to = node(NodeKind::kDescriptor, static_cast<std::uint32_t>(on_descriptor->descriptor));
      graph_.edges_.push_back({.from = from, .to = to, .construct = construct("ready")});
    } else if (const auto* on_many = std::get_if<OnMany>(&task.wait)) {
      for (Address each : on_many->tasks) add_edge(from, NodeKind::kTask, each.value(), on_many->construct);
      for (Address each : on_many->jobs) add_edge(from, NodeKind::kJob, each.value(), on_many->construct);
    } else if (const auto* on_job = std::get_if<OnJob>(&task.wait)) {
      add_edge(from, NodeKind::kJob, on_job->job.value(), "await");
    } else if (const auto* on_process = std::get_if<OnProcess>(&task.wait)) {
      add_edge(from, NodeKind::kProcess, static_cast<std::uint32_t>(on_process->pid), on_process->operation);
    }
  }

  void add_holders(const Primitive& primitive) {
    if (graph_.find(NodeKind::kPrimitive, primitive.id.value()) == kNoNode) return;  // nobody waits for it
    const NodeIndex from = node(NodeKind::kPrimitive, primitive.id.value());
    for (const Holder& holder : primitive.holders) {
      if (holder.task.is_null()) continue;
      graph_.edges_.push_back({.from = from, .to = node(NodeKind::kTask, holder.task.value()), .kind = EdgeKind::kHeldBy,
                               .certain = holder.certain, .construct = construct("held by")});
    }
  }

  [[nodiscard]] const Thread* find_thread(std::int32_t index) const {
    const bool exists = index >= 0 && static_cast<std::size_t>(index) < report_.threads.size();
    return exists ? &report_.threads[static_cast<std::size_t>(index)] : nullptr;
  }

  [[nodiscard]] const Thread* find_loop_thread(std::int32_t index) const {
    const bool exists = index >= 0 && static_cast<std::size_t>(index) < report_.loops.size();
    return exists ? find_thread(report_.loops[static_cast<std::size_t>(index)].thread) : nullptr;
  }

  void add_worker(const Job& job) {
    const Thread* thread = find_thread(job.thread);
    if (thread == nullptr || job.state == JobState::kDone) return;
    const NodeIndex from = node(NodeKind::kJob, job.id.value());
    const NodeIndex to = node(NodeKind::kThread, static_cast<std::uint64_t>(thread->tid));
    graph_.edges_.push_back({.from = from, .to = to, .kind = EdgeKind::kRunsOn, .construct = construct("runs on")});
  }

  // A thread in result() of a concurrent future: for a job, or for a task that it gave to a loop.
  void add_thread(const Thread& thread) {
    if (thread.awaited_job.is_null() && thread.awaited_task.is_null()) return;
    const NodeIndex from = node(NodeKind::kThread, static_cast<std::uint64_t>(thread.tid));
    if (!thread.awaited_task.is_null()) {
      add_edge(from, NodeKind::kTask, thread.awaited_task.value(), "result");
    } else if (const Thread* other = find_loop_thread(thread.awaited_loop)) {  // there is no task yet: that loop has to run first
      const NodeIndex to = node(NodeKind::kThread, static_cast<std::uint64_t>(other->tid));
      graph_.edges_.push_back({.from = from, .to = to, .kind = EdgeKind::kNeedsLoop, .construct = construct("result")});
    } else {
      add_edge(from, NodeKind::kJob, thread.awaited_job.value(), "result");
    }
  }

  // The task that runs stands still with its thread, and so do, until it returns, all others of the loop.
  void add_loop(NodeIndex from, const Task& task) {
    const Thread* thread = find_loop_thread(task.loop);
    if (thread == nullptr || (thread->awaited_job.is_null() && thread->awaited_task.is_null())) return;
    if (!task.running && (loop_edges_ == LoopEdges::kLeaveOut || task.state != TaskState::kPending)) return;
    const NodeIndex to = node(NodeKind::kThread, static_cast<std::uint64_t>(thread->tid));
    const EdgeKind kind = task.running ? EdgeKind::kRunsOn : EdgeKind::kNeedsLoop;
    graph_.edges_.push_back({.from = from, .to = to, .kind = kind, .construct = construct(task.running ? "runs on" : "needs the loop of")});
  }

  const Report& report_;
  const LoopEdges loop_edges_;
  AwaitGraph graph_;
  std::array<AddressMap<std::uint32_t>, kNodeKinds> listed_;
  std::uint32_t last_construct_ = 0;
  std::unordered_map<std::string, std::uint32_t> construct_index_;
};

AwaitGraph AwaitGraph::build(const Report& report, LoopEdges loop_edges) { return GraphBuilder(report, loop_edges).build(); }

void AwaitGraph::index_edges() {
  if (!std::ranges::is_sorted(edges_, {}, &AwaitEdge::from)) std::ranges::stable_sort(edges_, {}, &AwaitEdge::from);
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
  const NodeIndex* found = by_identity_[static_cast<std::size_t>(kind)].find(key_of(identity));
  return found == nullptr ? kNoNode : *found;
}

}  // namespace asyncspy
