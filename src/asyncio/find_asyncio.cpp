#include "find_asyncio.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "containers.h"
#include "instance.h"
#include "number.h"
#include "text.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMaxListedTasks = 50'000'000;

bool descends_from(const Type& type, Address base) { return !base.is_null() && std::ranges::find(type.mro, base) != type.mro.end(); }

Result<Address> module_dict(Inspection& inspection, Address modules, std::string_view name) {
  ASYNCSPY_TRY(module, find_in_dict(inspection.reader, modules, name));
  if (!module) return Address{};
  ASYNCSPY_TRY(type, inspection.types.of(inspection.reader, *module));
  if (!inspection.types.inherits(inspection.reader, *type, "module")) return Address{};  // sys.modules may hold None
  return inspection.reader.read(*module, inspection.layout().module.dict);
}

Address value_of(Inspection& inspection, Address dict, std::string_view name) {
  auto found = find_in_dict(inspection.reader, dict, name);
  return found && *found ? **found : Address{};
}

// A class under one of two names; null when the name is bound to something else (`_CTask = None`).
Address class_of(Inspection& inspection, Address dict, std::string_view name) {
  Address found = value_of(inspection, dict, name);
  if (found.is_null()) return found;
  auto type = inspection.types.of(inspection.reader, found);
  return type && (*type)->short_name() == "type" ? found : Address{};
}

// Collects addresses once each.
class TaskCollector {
 public:
  void add(Address task) {
    if (seen_.add(task)) tasks_.push_back(task);
  }
  std::vector<Address> take() { return std::move(tasks_); }

 private:
  AddressSet seen_;
  std::vector<Address> tasks_;
};

// Lib/_weakrefset.py: `data` is a set of weak references.
Result<void> collect_weak_set(Inspection& inspection, Address weak_set, TaskCollector& tasks) {
  ASYNCSPY_TRY(type, inspection.types.of(inspection.reader, weak_set));
  ASYNCSPY_TRY(data, find_attribute(inspection.reader, inspection.types, *type, weak_set, "data"));
  if (!data) return fail(ErrorKind::kCorrupt, "a WeakSet without data", {}, weak_set);
  ASYNCSPY_TRY(references, read_set(inspection.reader, *data));
  for (Address reference : references) {
    ASYNCSPY_TRY(object, inspection.reader.read(reference, inspection.layout().weak_reference.object));
    ASYNCSPY_TRY(object_type, inspection.types.of(inspection.reader, object));
    if (object_type->name != "NoneType") tasks.add(object);  // None: the task is gone
  }
  // Objects/setobject.c: the count is kept while set_table_resize moves the items into a new table one by one. One item less is
  // one that is being added or removed right now.
  ASYNCSPY_TRY(used, inspection.reader.read(*data, inspection.layout().dict.set_used));
  if (static_cast<std::int64_t>(references.size()) + 1 < used) {
    return fail(ErrorKind::kCorrupt, fmt::format("the set was just being rebuilt: {} of {} are missing",
                                                 used - static_cast<std::int64_t>(references.size()), used), {}, *data);
  }
  return {};
}

Result<void> collect_set(Inspection& inspection, Address set, TaskCollector& tasks) {
  ASYNCSPY_TRY(items, read_set(inspection.reader, set));
  for (Address item : items) tasks.add(item);
  return {};
}

// Include/internal/pycore_llist.h: a circular list whose head is a node of its own. Calls visit(node) for each other one,
// until that returns false.
template <class Visit>
Result<void> walk_linked(Inspection& inspection, Address head, Visit visit) {
  Memory& memory = inspection.reader.memory;
  ASYNCSPY_TRY(first, memory.read_value<Address>(head));
  Address previous = head;
  Address at = first;
  for (std::size_t count = 0; at != head; ++count) {  // a null link is a tear, not an end
    if (count > kMaxListedTasks) return fail(ErrorKind::kCorrupt, "the list does not end", {}, at);
    struct Node {
      Address next;
      Address previous;
    };
    ASYNCSPY_TRY(node, memory.read_value<Node>(at));
    if (node.previous != previous) return fail(ErrorKind::kCorrupt, "the list is torn", {}, at);
    if (!visit(at)) return {};
    previous = at;
    at = node.next;
  }
  return {};
}

Result<void> collect_linked(Inspection& inspection, Address head, TaskCollector& tasks) {
  const auto node_offset = static_cast<std::uint64_t>(inspection.layout().task.node.offset);
  return walk_linked(inspection, head, [&](Address node) {
    tasks.add(node - node_offset);
    return true;
  });
}

// The heads of the lists that an interpreter's tasks are in.
std::vector<Address> list_heads(Inspection& inspection, const Asyncio& asyncio, const std::vector<ThreadState>& threads) {
  const PythonLayout& layout = inspection.layout();
  std::vector<Address> heads;
  for (const ThreadState& thread : threads) {
    if (thread.interpreter != asyncio.interpreter) continue;
    heads.push_back(thread.address + static_cast<std::uint64_t>(layout.thread.tasks_head.offset));
  }
  heads.push_back(asyncio.interpreter_address + static_cast<std::uint64_t>(layout.interpreter.tasks_head.offset));
  return heads;
}

std::uint64_t count_in_weak_set(Inspection& inspection, Address weak_set) {
  if (weak_set.is_null()) return 0;
  auto type = inspection.types.of(inspection.reader, weak_set);
  if (!type) return 0;
  auto data = find_attribute(inspection.reader, inspection.types, **type, weak_set, "data");
  if (!data || !*data) return 0;
  auto used = inspection.reader.read(**data, inspection.layout().dict.set_used);
  return used && *used > 0 ? static_cast<std::uint64_t>(*used) : 0;
}

void note(std::vector<Gap>& gaps, std::string_view what, const Result<void>& result) {
  if (!result) gaps.push_back({std::string(what), result.error().what, result.error().at});
}

void collect_lists(Inspection& inspection, const Asyncio& asyncio, const std::vector<ThreadState>& threads,
                   TaskCollector& tasks, std::vector<Gap>& gaps) {
  const PythonLayout& layout = inspection.layout();
  const std::vector<Address> heads = list_heads(inspection, asyncio, threads);
  for (const Address head : heads) {
    note(gaps, head == heads.back() ? "tasks of ended threads" : "tasks of a thread", collect_linked(inspection, head, tasks));
  }
  if (asyncio.accelerator.is_null()) return;
  auto state = inspection.reader.read(asyncio.accelerator, layout.module.state);
  if (!state || state->is_null()) return;
  if (auto foreign = inspection.reader.read(*state, layout.accel.foreign_tasks); foreign && !foreign->is_null()) {
    note(gaps, "foreign tasks", collect_weak_set(inspection, *foreign, tasks));
  }
  if (auto eager = inspection.reader.read(*state, layout.accel.foreign_eager_tasks); eager && !eager->is_null()) {
    note(gaps, "foreign eager tasks", collect_set(inspection, *eager, tasks));
  }
}

}  // namespace

bool is_c_task(const Asyncio& asyncio, const Type& type) { return descends_from(type, asyncio.c_task); }
bool is_c_future(const Asyncio& asyncio, const Type& type) { return descends_from(type, asyncio.c_future) || is_c_task(asyncio, type); }
bool is_task_type(const Asyncio& asyncio, const Type& type) { return is_c_task(asyncio, type) || descends_from(type, asyncio.py_task); }

Result<std::optional<Asyncio>> find_asyncio(Inspection& inspection, const Interpreter& interpreter) {
  ASYNCSPY_TRY(tasks, module_dict(inspection, interpreter.modules, "asyncio.tasks"));
  if (tasks.is_null()) return std::optional<Asyncio>{};
  Asyncio asyncio;
  asyncio.interpreter = interpreter.id;
  asyncio.interpreter_address = interpreter.address;
  asyncio.c_task = class_of(inspection, tasks, "_CTask");
  asyncio.py_task = class_of(inspection, tasks, "_PyTask");
  asyncio.all_tasks = value_of(inspection, tasks, "_all_tasks");
  asyncio.scheduled_tasks = value_of(inspection, tasks, "_scheduled_tasks");
  asyncio.eager_tasks = value_of(inspection, tasks, "_eager_tasks");
  asyncio.current_tasks = value_of(inspection, tasks, "_current_tasks");
  ASYNCSPY_TRY(futures, module_dict(inspection, interpreter.modules, "asyncio.futures"));
  if (!futures.is_null()) {
    asyncio.c_future = class_of(inspection, futures, "_CFuture");
    asyncio.py_future = class_of(inspection, futures, "_PyFuture");
  }
  ASYNCSPY_TRY(accelerator, find_in_dict(inspection.reader, interpreter.modules, "_asyncio"));
  if (accelerator) {
    auto type = inspection.types.of(inspection.reader, *accelerator);
    if (type && (*type)->name == "module") asyncio.accelerator = *accelerator;
  }
  return std::optional{asyncio};
}

std::vector<Address> find_tasks(Inspection& inspection, const Asyncio& asyncio, const std::vector<ThreadState>& threads,
                                std::vector<Gap>& gaps) {
  TaskCollector tasks;
  if (inspection.layout().task_enumeration == TaskEnumeration::kLinkedLists) {
    collect_lists(inspection, asyncio, threads, tasks, gaps);
  }
  if (!asyncio.all_tasks.is_null()) note(gaps, "all tasks", collect_weak_set(inspection, asyncio.all_tasks, tasks));
  if (!asyncio.scheduled_tasks.is_null()) {
    note(gaps, "scheduled tasks", collect_weak_set(inspection, asyncio.scheduled_tasks, tasks));
  }
  if (!asyncio.eager_tasks.is_null()) note(gaps, "eager tasks", collect_set(inspection, asyncio.eager_tasks, tasks));
  return tasks.take();
}

std::uint64_t count_tasks(Inspection& inspection, const Asyncio& asyncio, const std::vector<ThreadState>& threads,
                          std::uint64_t most) {
  std::uint64_t count = count_in_weak_set(inspection, asyncio.all_tasks) + count_in_weak_set(inspection, asyncio.scheduled_tasks);
  if (inspection.layout().task_enumeration != TaskEnumeration::kLinkedLists) return count;
  for (const Address head : list_heads(inspection, asyncio, threads)) {
    std::ignore = walk_linked(inspection, head, [&](Address) { return ++count < most; });  // torn: as many as were seen
  }
  return count;
}

std::vector<CurrentTask> find_current_tasks(Inspection& inspection, const Asyncio& asyncio,
                                            const std::vector<ThreadState>& threads, std::vector<Gap>& gaps) {
  std::vector<CurrentTask> current;
  for (const ThreadState& thread : threads) {
    if (thread.interpreter == asyncio.interpreter && !thread.running_task.is_null()) {
      current.push_back({thread.running_loop, thread.running_task});
    }
  }
  if (asyncio.current_tasks.is_null()) return current;
  auto entries = read_dict(inspection.reader, asyncio.current_tasks);
  if (!entries) {
    gaps.push_back({"current tasks", entries.error().what, asyncio.current_tasks});
    return current;
  }
  for (const DictEntry& entry : *entries) {
    auto type = inspection.types.of(inspection.reader, entry.value);
    if (type && (*type)->name != "NoneType") current.push_back({entry.key, entry.value});
  }
  return current;
}

Address find_running_loop(Inspection& inspection, const ThreadState& thread, int namespace_pid) {
  const PythonLayout& layout = inspection.layout();
  if (layout.running_loop == RunningLoop::kThreadState) return thread.running_loop;
  if (thread.dict.is_null()) return {};
  // Modules/_asynciomodule.c, get_running_loop.
  auto found = find_in_dict(inspection.reader, thread.dict, "__asyncio_running_event_loop__");
  if (!found || !*found) return {};
  auto type = inspection.types.of(inspection.reader, **found);
  if (!type || (*type)->name == "NoneType") return {};
  if (layout.running_loop == RunningLoop::kThreadDictLoop) return **found;
  auto loop = inspection.reader.read(**found, layout.accel.holder_loop);
  auto pid = inspection.reader.read(**found, layout.accel.holder_pid);
  if (!loop || !pid || (namespace_pid != 0 && *pid != namespace_pid)) return {};
  auto loop_type = inspection.types.of(inspection.reader, *loop);
  return loop_type && (*loop_type)->name != "NoneType" ? *loop : Address{};
}

}  // namespace asyncspy
