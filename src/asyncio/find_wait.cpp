#include "find_wait.h"

#include "containers.h"
#include "frames.h"
#include "instance.h"

namespace asyncspy {
namespace {

// asyncio's own coroutines in which a task waits for a primitive: their `self` is the primitive.
constexpr std::string_view kPrimitiveFiles[] = {"asyncio/locks.py", "asyncio/queues.py", "asyncio/streams.py"};

std::string_view shown_name(const Inspection& inspection, const Frame& frame) {
  if (frame.name != kNoFunction) return inspection.names.name(frame.name);
  if (frame.function != kNoFunction) return inspection.codes.functions()[frame.function].qualified_name;
  return {};
}

std::string_view file_of(const Inspection& inspection, const Frame& frame) {
  if (frame.function == kNoFunction) return {};
  return inspection.codes.functions()[frame.function].file;
}

bool is_in(std::string_view file, std::string_view module_file) {
  return file.ends_with(module_file) && (file.size() == module_file.size() || file[file.size() - module_file.size() - 1] == '/');
}

// The innermost frame with a Python function, if it is a primitive's method.
std::optional<OnPrimitive> find_primitive(Inspection& inspection, const RawTask& raw) {
  for (std::size_t i = raw.task.stack.size(); i-- > 0;) {
    const Frame& frame = raw.task.stack[i];
    std::string_view file = file_of(inspection, frame);
    if (is_in(file, "asyncio/futures.py")) continue;  // Future.__await__ of a pure-Python future
    bool is_primitive = false;
    for (std::string_view known : kPrimitiveFiles) is_primitive = is_primitive || is_in(file, known);
    if (!is_primitive || raw.chain.frame_addresses[i].is_null()) return std::nullopt;
    std::string_view name = shown_name(inspection, frame);
    std::size_t dot = name.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    auto self = read_local(inspection, raw.chain.frame_addresses[i], 0);
    if (!self || self->is_null()) return std::nullopt;
    auto type = inspection.types.of(inspection.reader, *self);
    if (!type) return std::nullopt;
    OnPrimitive wait;
    wait.kind = name.substr(0, dot);
    wait.operation = name.substr(dot + 1);
    wait.type = (*type)->name;
    wait.object = *self;
    if (wait.kind == "_ContextManagerMixin") {  // `async with lock` up to 3.8 and in 3.9+ for all kinds: the class counts
      wait.kind = (*type)->short_name();
    }
    return wait;
  }
  return std::nullopt;
}

// asyncio.tasks._GatheringFuture keeps what it gathers in _children.
std::optional<OnMany> find_gathered(Inspection& inspection, const WaitContext& context, const Type& type, Address future) {
  if (type.name != "asyncio.tasks._GatheringFuture") return std::nullopt;
  auto children = find_attribute(inspection.reader, inspection.types, type, future, "_children");
  if (!children || !*children) return std::nullopt;
  auto items = read_list(inspection.reader, **children);
  if (!items) return std::nullopt;
  OnMany many;
  many.construct = "gather";
  many.total = items->size();
  for (Address item : *items) {
    if (read_future_state(inspection, context.asyncio, item) != TaskState::kPending) continue;
    ++many.pending;
    if (context.tasks.contains(item)) many.tasks.push_back(item);
  }
  return many;
}

Wait wait_without_future(const WaitContext& context, const RawTask& raw) {
  switch (raw.chain.end) {
    case ChainEnd::kNotStarted: return Ready{"not started"};
    case ChainEnd::kPlainYield:
      if (context.index.ready_steps.contains(raw.task.id)) return Ready{"yielded (sleep(0)), its next step is in the ready queue"};
      return Unknown{"suspended at a plain yield"};
    case ChainEnd::kFuture:
    case ChainEnd::kUnknownLink:
      if (context.index.ready_steps.contains(raw.task.id)) return Ready{"its next step is in the ready queue"};
      return Unknown{"it awaits something that has not handed it a future"};
    case ChainEnd::kRunning: return Unknown{"it is on a thread's stack, beneath another task that it started (eagerly or in a nested loop)"};
    case ChainEnd::kFinished: return Unknown{"its coroutine is finished"};
    case ChainEnd::kBroken: return Unknown{"its await chain could not be read to the end"};
  }
  return Unknown{"its await chain could not be read to the end"};
}

std::string_view word_for(TaskState state) {
  switch (state) {
    case TaskState::kPending: return "pending";
    case TaskState::kCancelled: return "cancelled";
    case TaskState::kFinished: return "finished";
    case TaskState::kUnknown: return "unknown";
  }
  return "unknown";
}

}  // namespace

Wait find_wait(Inspection& inspection, const WaitContext& context, const RawTask& raw) {
  const Task& task = raw.task;
  if (task.state == TaskState::kCancelled || task.state == TaskState::kFinished) return Done{};
  if (task.running) return Running{};
  if (task.awaited.is_null()) return wait_without_future(context, raw);

  TaskState state = read_future_state(inspection, context.asyncio, task.awaited);
  if (state == TaskState::kCancelled || state == TaskState::kFinished) return Ready{"what it awaited is done"};
  if (context.tasks.contains(task.awaited)) return OnTask{task.awaited};
  if (auto primitive = find_primitive(inspection, raw)) return *primitive;
  if (auto timer = context.index.timers.find(task.awaited); timer != context.index.timers.end() && timer->second.deadline) {
    double deadline = *timer->second.deadline;
    return OnTimer{deadline, context.now ? std::optional(deadline - *context.now) : std::nullopt};
  }
  if (auto watched = context.index.descriptors.find(task.awaited); watched != context.index.descriptors.end()) {
    return OnDescriptor{watched->second};
  }
  auto type = inspection.types.of(inspection.reader, task.awaited);
  if (!type) return Unknown{"the awaited future could not be read: " + type.error().what};
  if (auto many = find_gathered(inspection, context, **type, task.awaited)) return *many;
  return OnFuture{task.awaited, (*type)->name, std::string(word_for(state))};
}

}  // namespace asyncspy
