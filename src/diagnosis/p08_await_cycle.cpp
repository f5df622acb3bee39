#include <algorithm>

#include "deadlock_words.h"
#include "rules.h"

namespace asyncspy {
namespace {

bool takes_a_lock(const Case& seen, const Deadlock& deadlock) {
  return std::ranges::any_of(deadlock.edges, [&](const AwaitEdge& edge) { return seen.graph().nodes()[edge.from].kind == NodeKind::kPrimitive; });
}

void find_await_cycles(const Case& seen, std::vector<Finding>& found) {
  for (const Deadlock& deadlock : seen.deadlocks()) {
    if (deadlock.has_thread) continue;
    Finding finding = describe_deadlock(seen, deadlock);
    if (!takes_a_lock(seen, deadlock)) {
      finding.fix = "cancel one of the tasks to break the circle; let each task await only tasks that it created itself, as asyncio.TaskGroup does";
    } else if (finding.tasks.size() == 1) {
      finding.fix = "asyncio.Lock is not reentrant: take it in the outer function only, and call an inner function that expects it to be held";
    } else {
      finding.fix = "cancel one of the tasks to break the circle; always take these locks in the same order, or do not await while one is held";
    }
    found.push_back(std::move(finding));
  }
}

}  // namespace

constexpr Rule kAwaitCycle = {
    .id = "P08",
    .title = "Await cycle between tasks; lock taken twice; locks taken in different orders",
    .meaning = "Tasks wait for each other in a circle, directly or through locks that they hold. None of them will ever go on, nor will "
               "whoever waits for them.",
    .looks_at = "The await graph: what each pending task awaits, and which task is inside the `async with` of each lock. Proven when every "
                "edge was read and nothing in the circle has a timeout; observed when something in it has a way out; suspected when "
                "a holder is only inferred. A task outside that would cancel one of them is not considered.",
    .example = "async with a:\n    async with b: ...          # and elsewhere: async with b: async with a",
    .remedy = "Take locks in one order everywhere; do not take one twice; do not await a task that awaits you; put a timeout around "
              "what may have to wait: async with asyncio.timeout(10).",
    .find = find_await_cycles,
};

}  // namespace asyncspy
