// Who waits for whom, as a graph: built from a Report, pure, and without anything of the target behind it.
//
// Nodes are tasks and whatever tasks wait for. An edge leads from the one that waits to the one that it waits for; from a
// lock on to the task that keeps it, from a job on to the thread that does it. The shape is the target's and may be hostile (ten thousand waiters on one future, chains of a thousand, cycles, garbage):
// building it and every walk over it (graph_walks.h) is linear in nodes and edges, and nothing recurses. It says what the
// report says and judges nothing: what a cycle means is for src/diagnosis.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "address_map.h"
#include "report.h"

namespace asyncspy {

enum class NodeKind : std::uint8_t {
  kTask,
  kFuture,
  kPrimitive,
  kTimer,       // known by the future that it completes
  kDescriptor,
  kJob,
  kThread,      // only those that wait for something here, or for which somebody waits
  kProcess,
};

inline constexpr std::size_t kNodeKinds = 8;

using NodeIndex = std::uint32_t;
inline constexpr NodeIndex kNoNode = 0xFFFFFFFF;
inline constexpr std::uint32_t kNotListed = 0xFFFFFFFF;

struct Node {
  NodeKind kind = NodeKind::kTask;
  std::uint32_t index = kNotListed;  // in Report::tasks, primitives, jobs, threads; kNotListed: the report only refers to it
  std::uint64_t identity = 0;        // among its kind: an address, the number of a descriptor, a tid, the target's pid of a child

  [[nodiscard]] Address address() const { return Address{identity}; }
};

enum class EdgeKind : std::uint8_t {
  kWaitsFor,   // `from` goes on when `to` is done, fires, is released or ready
  kHeldBy,     // a primitive, and a task that keeps it from others
  kRunsOn,     // a job, and the thread that does it; a running task, and its thread, which waits for something itself
  kNeedsLoop,  // a task that does not run, and the thread of its loop, which waits for something and runs no other step;
               // or a thread, and that of the loop that has yet to begin the task for whose result it waits
};

struct AwaitEdge {
  NodeIndex from = kNoNode;
  NodeIndex to = kNoNode;
  EdgeKind kind = EdgeKind::kWaitsFor;
  bool certain = true;  // false: a holder that is inferred, see Holder::how
  // "await", "gather", "acquire": in AwaitGraph::construct(). What several edges of one node mean together follows from it:
  // gather waits for all of them, wait perhaps for the first one.
  std::uint32_t construct = 0;
};

enum class LoopEdges : std::uint8_t { kLeaveOut, kInclude };

class AwaitGraph {
 public:
  // Keeps no reference into the report. Edges of kind kNeedsLoop from tasks are for proofs: in a picture they would hide all others.
  [[nodiscard]] static AwaitGraph build(const Report& report, LoopEdges loop_edges = LoopEdges::kLeaveOut);

  // Those of Report::tasks come first, in its order: the node of task i is i.
  [[nodiscard]] const std::vector<Node>& nodes() const { return nodes_; }
  [[nodiscard]] const std::vector<AwaitEdge>& edges() const { return edges_; }  // ordered by `from`

  [[nodiscard]] std::span<const AwaitEdge> edges_from(NodeIndex node) const;
  // Who waits for it, as places in edges().
  [[nodiscard]] std::span<const std::uint32_t> edges_to(NodeIndex node) const;

  [[nodiscard]] std::string_view construct(const AwaitEdge& edge) const { return constructs_[edge.construct]; }

  // kNoNode: nothing waits for such a thing, and it is no task of the report.
  [[nodiscard]] NodeIndex find(NodeKind kind, std::uint64_t identity) const;

 private:
  friend class GraphBuilder;

  // Of one kind, by identity plus one, as 0 is a descriptor like any other.
  using ByIdentity = AddressMap<NodeIndex>;
  [[nodiscard]] static Address key_of(std::uint64_t identity) { return Address{identity + 1}; }

  void index_edges();

  std::vector<Node> nodes_;
  std::vector<AwaitEdge> edges_;
  std::vector<std::string> constructs_;
  std::vector<std::uint32_t> first_out_;  // of each node, in edges_; one more for the end
  std::vector<std::uint32_t> first_in_;   // of each node, in in_; one more for the end
  std::vector<std::uint32_t> in_;
  std::array<ByIdentity, kNodeKinds> by_identity_;
};

}  // namespace asyncspy
