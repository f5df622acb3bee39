#include "timeouts.h"

#include <algorithm>

#include "containers.h"
#include "object_attributes.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostTasks = 64;      // of one cancel scope
constexpr std::size_t kMostCallbacks = 64;  // of one timer of aiohttp

// Timers also drive much that is no timeout: keep-alive, refreshing. What they call has telling names.
bool gives_up(std::string_view callback) {
  if (callback == "_set_result_unless_cancelled") return false;  // asyncio.sleep()
  std::string lower(callback);
  std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower.contains("timeout") || lower.contains("cancel") || lower == "_release_waiter";
}

std::string name_construct(Inspection& inspection, const Callable& callable) {
  if (callable.name == "_release_waiter") return "asyncio.wait_for";
  std::string_view type = callable.holds.empty() ? std::string_view{} : type_name_of(inspection, callable.holds.front());
  if (type == "asyncio.timeouts.Timeout") return "asyncio.timeout";
  if (type == "async_timeout.Timeout") return "async_timeout.timeout";
  if (type == "anyio._backends._asyncio.CancelScope") return "anyio.CancelScope";
  if (type == "aiohttp.helpers.TimeoutHandle") return "aiohttp.ClientTimeout";
  return std::string(callable.name);
}

// The tasks that an object of one of these libraries will cancel.
void append_tasks(Inspection& inspection, Address owner, std::vector<Address>& targets) {
  for (std::string_view name : {"_task", "_host_task"}) {
    Address task = find_object(inspection, owner, name);
    if (type_name_of(inspection, task).starts_with("weakref")) {
      auto referent = inspection.reader.read(task, inspection.layout().weak_reference.object);
      task = referent ? *referent : Address{};
    }
    if (!task.is_null()) targets.push_back(task);
  }
  for (Address task : read_elements(inspection, find_object(inspection, owner, "_tasks"), kMostTasks)) targets.push_back(task);
}

}  // namespace

void index_timeout(Inspection& inspection, const Handle& timer, const Callable& callable,
                   std::unordered_map<Address, Timeout>& timeouts) {
  if (!timer.when || !gives_up(callable.name)) return;
  std::vector<Address> targets = timer.arguments;
  for (Address held : callable.holds) {
    targets.push_back(held);
    append_tasks(inspection, held, targets);
    // aiohttp.helpers.TimeoutHandle keeps (callback, arguments, ...); a callback is bound to the TimerContext with the tasks.
    for (Address entry : read_elements(inspection, find_object(inspection, held, "_callbacks"), kMostCallbacks)) {
      auto parts = read_elements(inspection, entry, 1);
      if (parts.empty()) continue;
      for (Address owner : describe_callable(inspection, parts.front()).holds) append_tasks(inspection, owner, targets);
    }
  }
  const Timeout timeout{*timer.when, name_construct(inspection, callable)};
  for (Address target : targets) {
    auto [at, added] = timeouts.emplace(target, timeout);
    if (!added && timeout.when < at->second.when) at->second = timeout;
  }
}

}  // namespace asyncspy
