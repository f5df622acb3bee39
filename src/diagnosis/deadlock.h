// Deadlocks: circles of things that wait for each other and that nothing else can end.
//
// A node of the await graph is stuck when everything that could let it go on is stuck. The largest such set is found by taking
// all nodes at first and removing, again and again, those that have a way out: a timeout, a descriptor, a timer, a holder that
// can run. Where anything stays there is a cycle. What is not considered: somebody outside who cancels a task, releases a lock
// that he does not hold, or sends a signal.
#pragma once

#include <cstdint>
#include <vector>

#include "await_graph.h"

namespace asyncspy {

struct Deadlock {
  std::vector<AwaitEdge> edges;  // each begins where the one before ends, the first where the last one ends
  bool is_closed = false;        // nothing in it has a way out; false: a circle all the same
  bool is_certain = true;        // no holder in it is inferred
  bool has_thread = false;
  std::vector<Address> behind;   // tasks outside of it that wait for it; sought only for the first deadlocks
};

[[nodiscard]] std::vector<Deadlock> find_deadlocks(const Report& report, const AwaitGraph& graph);

}  // namespace asyncspy
