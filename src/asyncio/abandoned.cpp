#include "abandoned.h"

#include "callables.h"
#include "completion_index.h"
#include "future_error.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostCallbacksRead = 8;  // gather() and shield() add theirs when the task is made or soon after

}  // namespace

std::optional<Abandonment> AbandonmentSearch::find(const RawTask& raw) {
  if (raw.task.state != TaskState::kPending || raw.task.callbacks == 0) return std::nullopt;
  auto callbacks = read_callbacks(inspection_, asyncio_, raw.task.id, kMostCallbacksRead);
  if (!callbacks) return std::nullopt;
  std::optional<Abandonment> found;
  for (Address callback : *callbacks) {
    if (callback.is_null()) continue;  // garbage
    const std::optional<Abandonment>* known = known_.find(callback);
    if (known == nullptr) {
      known_.add(callback, judge(callback));
      known = known_.find(callback);
    }
    if (*known) found = **known;
  }
  return found;
}

// Lib/asyncio/tasks.py: gather() adds the closure _done_callback to its children, shield() _inner_done_callback to what it
// protects; both have `outer` among their cells.
std::optional<Abandonment> AbandonmentSearch::judge(Address callback) {
  const Callable callable = describe_callable(inspection_, callback);
  std::string_view construct;
  if (callable.name == "gather.<locals>._done_callback") construct = "gather";
  if (callable.name == "shield.<locals>._inner_done_callback") construct = "shield";
  if (construct.empty()) return std::nullopt;
  for (Address held : callable.holds) {
    if (auto end = describe_end(held, construct)) return end;
  }
  return std::nullopt;
}

std::optional<Abandonment> AbandonmentSearch::describe_end(Address future, std::string_view construct) {
  switch (read_future_state(inspection_, asyncio_, future)) {
    case TaskState::kCancelled: return Abandonment{std::string(construct), true, {}};
    case TaskState::kFinished: {
      const Address error = find_future_error(inspection_, asyncio_, future);
      return Abandonment{std::string(construct), false, error.is_null() ? std::string() : representer_.represent_exception(error)};
    }
    case TaskState::kPending:
    case TaskState::kUnknown: break;
  }
  return std::nullopt;
}

}  // namespace asyncspy
