#include "find_wait.h"

#include <algorithm>

#include "callables.h"
#include "containers.h"
#include "frame_values.h"
#include "frames.h"
#include "future_error.h"
#include "instance.h"
#include "object_attributes.h"

namespace asyncspy {
namespace {

// Coroutines in which a task waits at something whose method they are: their `self` is what it waits at.
constexpr std::string_view kPrimitiveFiles[] = {
    "asyncio/locks.py",   "asyncio/queues.py",          "asyncio/streams.py",
    "anyio/streams/memory.py", "anyio/_backends/_asyncio.py", "anyio/_core/_synchronization.py"};
constexpr std::string_view kSubprocessFiles[] = {"asyncio/subprocess.py", "asyncio/base_subprocess.py"};
constexpr std::string_view kTasks = "asyncio/tasks.py";

constexpr std::size_t kMostJobs = 256;          // of one construct
constexpr std::size_t kMostTasks = 1'000'000;   // of one construct
constexpr std::size_t kMostFramesInferred = 8;  // through which a transport is looked for
// _chain_future() adds its callback before anybody can await the future; of what ten thousand tasks wait for, the callbacks
// must not be read ten thousand times.
constexpr std::size_t kMostFirstCallbacks = 16;

bool is_in(std::string_view file, std::string_view module_file) {
  return file.ends_with(module_file) && (file.size() == module_file.size() || file[file.size() - module_file.size() - 1] == '/');
}

bool is_any(std::string_view file, std::span<const std::string_view> files) {
  return std::ranges::any_of(files, [file](std::string_view known) { return is_in(file, known); });
}

// Whether the function is a method of a primitive. anyio's file of its asyncio backend also holds much that is none.
bool is_primitive_method(std::string_view file, std::string_view name) {
  if (!is_any(file, kPrimitiveFiles) || !name.contains('.') || name.contains("<locals>")) return false;
  if (!file.contains("anyio/")) return true;
  std::string_view owner = name.substr(0, name.find('.'));
  constexpr std::string_view kKinds[] = {"Event", "Lock", "Semaphore", "Condition", "CapacityLimiter", "Stream"};
  if (owner.ends_with("Adapter")) owner.remove_suffix(7);
  return std::ranges::any_of(kKinds, [owner](std::string_view kind) { return owner.ends_with(kind); });
}

// The standard library and installed packages.
bool is_library(std::string_view file) {
  return file.contains("site-packages/") || file.contains("dist-packages/") || file.contains("/lib/python3") || file.starts_with("<frozen");
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

class WaitSearch {
 public:
  WaitSearch(Inspection& inspection, const WaitContext& context, const RawTask& raw)
      : inspection_(inspection), context_(context), raw_(raw), awaited_(raw.task.awaited) {}

  Wait run() {
    const Task& task = raw_.task;
    if (task.state == TaskState::kCancelled || task.state == TaskState::kFinished) return Done{};
    if (task.running) return Running{};
    if (awaited_.is_null()) return wait_without_future(context_, raw_);
    TaskState state = read_future_state(inspection_, context_.asyncio, awaited_);
    if (state == TaskState::kCancelled || state == TaskState::kFinished) return Ready{"what it awaited is done"};
    if (auto construct = find_construct()) return std::move(*construct);
    if (context_.tasks.contains(awaited_)) return OnTask{awaited_};
    if (auto timer = find_timer()) return *timer;
    if (auto watched = find_descriptor(awaited_)) return std::move(*watched);
    if (auto gathered = find_gathered()) return std::move(*gathered);
    if (auto completed = find_completing_task()) return std::move(*completed);
    if (auto call = find_call(awaited_)) return std::move(*call);
    return describe_future(state);
  }

 private:
  struct Place {
    std::size_t frame = 0;
    std::string_view file;
    std::string_view name;   // qualified
    Address self;            // first local variable
  };

  std::string_view file_of(std::size_t frame) const {
    const Frame& shown = raw_.task.stack[frame];
    if (shown.function == kNoFunction) return {};
    return inspection_.codes.functions()[shown.function].file;
  }
  std::string_view name_of(std::size_t frame) const {
    const Frame& shown = raw_.task.stack[frame];
    if (shown.name != kNoFunction) return inspection_.names.name(shown.name);
    if (shown.function == kNoFunction) return {};
    return inspection_.codes.functions()[shown.function].qualified_name;
  }

  std::optional<Place> place_at(std::size_t frame) {
    if (frame >= raw_.task.stack.size() || raw_.chain.frame_addresses[frame].is_null()) return std::nullopt;
    auto self = read_local(inspection_, raw_.chain.frame_addresses[frame], 0);
    return Place{frame, file_of(frame), name_of(frame), self ? *self : Address{}};
  }

  // The innermost frame that tells something: not the __await__ of a pure-Python future.
  std::optional<std::size_t> innermost() const {
    for (std::size_t i = raw_.task.stack.size(); i-- > 0;) {
      if (!is_in(file_of(i), "asyncio/futures.py")) return i;
    }
    return std::nullopt;
  }

  // What the innermost frames say: a primitive, wait(), a task group, a child process.
  std::optional<Wait> find_construct() {
    auto frame = innermost();
    if (!frame) return std::nullopt;
    std::string_view file = file_of(*frame);
    if (is_any(file, kPrimitiveFiles)) {
      if (auto group = find_anyio_group(*frame)) return group;
      if (!is_primitive_method(file, name_of(*frame))) return std::nullopt;
      return find_primitive(*frame);
    }
    if (is_any(file, kSubprocessFiles)) return find_process(*frame);
    if (is_in(file, "asyncio/taskgroups.py")) return find_task_group(*frame);
    if (is_in(file, "asyncio/base_events.py")) return find_server(*frame);
    if (is_in(file, kTasks)) {
      if (name_of(*frame) == "_wait" && *frame >= 2) {  // anyio 3 waits for its groups in asyncio.wait()
        if (auto group = find_anyio_group(*frame - 2)) return group;
      }
      return find_task_function(*frame);
    }
    return std::nullopt;
  }

  std::optional<Wait> find_primitive(std::size_t frame) {
    auto place = place_at(frame);
    if (!place || place->self.is_null() || !place->name.contains('.')) return std::nullopt;
    place = climb(*place);
    std::size_t dot = place->name.rfind('.');
    OnPrimitive wait;
    wait.kind = place->name.substr(0, dot);
    wait.operation = place->name.substr(dot + 1);
    wait.type = type_name_of(inspection_, place->self);
    wait.object = place->self;
    if (wait.type.empty()) return std::nullopt;
    if (wait.kind == "_ContextManagerMixin") {  // `async with lock` up to 3.8 and in 3.9+ for all kinds: the class counts
      wait.kind = wait.type.substr(wait.type.rfind('.') == std::string::npos ? 0 : wait.type.rfind('.') + 1);
    }
    if (wait.kind == "Event") {  // a callback of the loop sets it when a descriptor is ready (psycopg)
      if (auto watched = find_descriptor(wait.object)) return watched;
    }
    if (auto many = find_as_completed(*place, wait.object)) return many;
    context_.primitives.add(wait.object, wait.kind);
    return wait;
  }

  // From Event.wait() outwards to what waits with its help: Queue.join, Barrier.wait, a limiter or channel of anyio; and from
  // StreamReader._wait_for_data to the method that was called.
  Place climb(Place place) {
    bool may_climb = place.name.ends_with("Event.wait") || place.name.starts_with("StreamReader.") || place.name.starts_with("FlowControlMixin.") ||
                     place.name.starts_with("Condition.wait") || place.name.starts_with("CapacityLimiter.") || place.name.starts_with("Barrier.");
    while (may_climb && place.frame > 0) {
      auto outer = place_at(place.frame - 1);
      if (!outer || outer->self.is_null() || !is_primitive_method(outer->file, outer->name)) break;
      if (outer->name.starts_with("_ContextManagerMixin.") || outer->name.ends_with(".__aenter__")) break;
      place = *outer;
    }
    return place;
  }

  // Lib/asyncio/tasks.py: as_completed() waits at a queue of its own into which the tasks put themselves when they are done.
  std::optional<Wait> find_as_completed(const Place& place, Address queue) {
    if (place.frame == 0) return std::nullopt;
    std::string_view outer = name_of(place.frame - 1);
    if (!is_in(file_of(place.frame - 1), kTasks) || !outer.ends_with("_wait_for_one")) return std::nullopt;
    OnMany many;
    many.construct = "as_completed";
    for (const Completion& completion : context_.completions.find(queue)) many.tasks.push_back(completion.task);
    if (auto iterator = place_at(place.frame - 1); many.tasks.empty() && iterator) {  // 3.13+: the callbacks are bound to the iterator
      for (const Completion& completion : context_.completions.find(iterator->self)) many.tasks.push_back(completion.task);
    }
    return finish(std::move(many));
  }

  // asyncio.wait(fs): `fs` is the first local variable of _wait(); wait_for(fut) up to 3.11.
  std::optional<Wait> find_task_function(std::size_t frame) {
    auto place = place_at(frame);
    if (!place) return std::nullopt;
    if (place->name == "_wait" && is_instance(inspection_, place->self, "set")) {
      OnMany many;
      many.construct = "wait";
      many.tasks = read_elements(inspection_, place->self, kMostTasks);
      return finish(std::move(many));
    }
    bool is_task = !place->self.is_null() && place->self != awaited_ && context_.tasks.contains(place->self);
    if ((place->name == "wait_for" || place->name == "_cancel_and_wait") && is_task) return OnTask{place->self, "wait_for"};
    return std::nullopt;
  }

  // Keeps the pending ones, tasks by name and others by number.
  OnMany finish(OnMany many) {
    std::vector<Address> all = std::move(many.tasks);
    many.tasks.clear();
    many.total = all.size();
    for (Address item : all) add_item(many, item);
    std::ranges::sort(many.tasks);
    return many;
  }

  void add_item(OnMany& many, Address item) {
    const TaskState state = read_future_state(inspection_, context_.asyncio, item);
    if (state == TaskState::kFinished) {
      const Address error = find_future_error(inspection_, context_.asyncio, item);
      if (!error.is_null() && ++many.failed == 1) many.failure = context_.representer.represent_exception(error);
    }
    if (state != TaskState::kPending) return;
    ++many.pending;
    if (context_.tasks.contains(item)) {
      many.tasks.push_back(item);
    } else if (many.jobs.size() < kMostJobs) {
      if (auto job = find_job(item)) many.jobs.push_back(*job);
    }
  }

  // Lib/asyncio/taskgroups.py, __aexit__: `_tasks` holds those that are not done.
  std::optional<Wait> find_task_group(std::size_t frame) {
    auto place = place_at(frame);
    if (!place || place->self.is_null()) return std::nullopt;
    Address tasks = find_object(inspection_, place->self, "_tasks");
    if (tasks.is_null()) tasks = find_object(inspection_, find_object(inspection_, place->self, "cancel_scope"), "_tasks");  // anyio 3
    if (tasks.is_null()) return std::nullopt;
    OnMany many;
    many.construct = "TaskGroup";
    many.group = place->self;
    context_.primitives.add(place->self, "TaskGroup");
    many.tasks = read_elements(inspection_, tasks, kMostTasks);
    return finish(std::move(many));
  }

  // anyio/_backends/_asyncio.py: TaskGroup.__aexit__ waits for the tasks of its `_tasks`.
  std::optional<Wait> find_anyio_group(std::size_t frame) {
    constexpr std::size_t kMostHelpers = 3;
    for (std::size_t i = 0; i <= kMostHelpers && i <= frame; ++i) {
      std::string_view name = name_of(frame - i);
      if (!is_in(file_of(frame - i), "anyio/_backends/_asyncio.py")) return std::nullopt;
      if (name == "TaskGroup.__aexit__") return find_task_group(frame - i);
    }
    return std::nullopt;
  }

  std::optional<Wait> find_server(std::size_t frame) {
    auto place = place_at(frame);
    if (!place || place->self.is_null() || !place->name.starts_with("Server.")) return std::nullopt;
    OnPrimitive wait{"Server", std::string(type_name_of(inspection_, place->self)), std::string(place->name.substr(7)), place->self};
    context_.primitives.add(wait.object, wait.kind);
    return wait;
  }

  // asyncio.subprocess.Process has `pid`; its transport `_pid`.
  std::optional<Wait> find_process(std::size_t frame) {
    for (std::size_t i = frame + 1; i-- > 0;) {
      if (!is_any(file_of(i), kSubprocessFiles)) break;
      auto place = place_at(i);
      if (!place) break;
      std::size_t dot = place->name.rfind('.');
      if (dot == std::string_view::npos) continue;
      bool is_outermost = i == 0 || !is_any(file_of(i - 1), kSubprocessFiles);
      if (!is_outermost) continue;
      for (std::string_view name : {"pid", "_pid"}) {
        auto pid = find_integer(inspection_, place->self, name);
        if (!pid || *pid <= 0 || *pid > (1 << 22)) continue;
        return OnProcess{static_cast<int>(*pid), std::string(place->name.substr(dot + 1)), find_exit_status(place->self)};
      }
    }
    return std::nullopt;
  }

  // Lib/asyncio/base_subprocess.py: `_returncode` of the transport, which a Process has under `_transport`.
  std::optional<int> find_exit_status(Address process) {
    Address transport = find_object(inspection_, process, "_transport");
    auto status = find_integer(inspection_, transport.is_null() ? process : transport, "_returncode");
    return status && *status >= -64 && *status <= 255 ? std::optional(static_cast<int>(*status)) : std::nullopt;
  }

  std::optional<OnTimer> find_timer() {
    const double* deadline = context_.index.deadlines.find(awaited_);
    if (deadline == nullptr) return std::nullopt;
    return OnTimer{*deadline, context_.now ? std::optional(*deadline - *context_.now) : std::nullopt};
  }

  std::optional<Wait> find_descriptor(Address object) {
    auto watched = context_.index.descriptors.find(object);
    if (watched == context_.index.descriptors.end()) return std::nullopt;
    OnDescriptor wait{watched->second.descriptor, watched->second.callback};
    auto frame = innermost();
    if (frame && is_in(file_of(*frame), "asyncio/selector_events.py")) {
      std::string_view name = name_of(*frame);
      wait.operation = name.substr(name.rfind('.') == std::string_view::npos ? 0 : name.rfind('.') + 1);
    }
    return wait;
  }

  // asyncio.tasks._GatheringFuture keeps what it gathers in _children.
  std::optional<Wait> find_gathered() {
    if (type_name_of(inspection_, awaited_) != "asyncio.tasks._GatheringFuture") return std::nullopt;
    Address children = find_object(inspection_, awaited_, "_children");
    if (children.is_null()) return std::nullopt;
    std::vector<Address> items = read_elements(inspection_, children, kMostTasks);
    OnMany many;
    many.construct = "gather";
    many.total = items.size();
    for (Address item : items) add_item(many, item);
    return many;
  }

  // Somebody's end completes the future: shield(), wait_for() up to 3.11, run_coroutine_threadsafe().
  std::optional<Wait> find_completing_task() {
    for (const Completion& completion : context_.completions.find(awaited_)) {
      if (completion.callback.starts_with("shield.")) return OnTask{completion.task, "shield"};
      if (completion.callback.ends_with("_release_waiter")) return OnTask{completion.task, "wait_for"};
      if (completion.callback.starts_with("_chain_future.")) return OnTask{completion.task, "wrap_future"};
    }
    return std::nullopt;
  }

  // asyncio.futures._chain_future connects a future with a concurrent.futures.Future: of a call in a thread, or of a task elsewhere.
  Address find_connected(Address future) {
    auto callbacks = read_callbacks(inspection_, context_.asyncio, future, kMostFirstCallbacks);
    if (!callbacks) return {};
    for (Address callback : *callbacks) {
      Callable callable = describe_callable(inspection_, callback);
      if (!callable.name.starts_with("_chain_future.")) continue;
      for (Address held : callable.holds) {
        if (is_instance(inspection_, held, "concurrent.futures._base.Future")) return held;
      }
    }
    return {};
  }

  // The call in a thread that completes the future.
  std::optional<Address> find_job(Address future) {
    const auto call = find_call(future);
    const auto* job = call ? std::get_if<OnJob>(&*call) : nullptr;
    return job == nullptr ? std::nullopt : std::optional(job->job);
  }

  std::optional<Wait> find_call(Address future) {
    if (context_.jobs.find(future) != nullptr) return OnJob{future};  // anyio's workers complete it directly
    Address connected = find_connected(future);
    if (connected.is_null()) return std::nullopt;
    if (Address task = find_submitted_task(context_, connected); !task.is_null()) return OnTask{task, "run_coroutine_threadsafe"};
    context_.jobs.add(connected);
    return OnJob{connected};
  }

  Wait describe_future(TaskState state) {
    auto type = inspection_.types.of(inspection_.reader, awaited_);
    if (!type) return Unknown{"the awaited future could not be read: " + type.error().what};
    OnFuture wait{awaited_, (*type)->name, std::string(word_for(state))};
    infer_transport(wait);
    return wait;
  }

  // Libraries await futures that a protocol of theirs completes: the transport that it keeps tells whom it waits for.
  void infer_transport(OnFuture& wait) {
    std::size_t looked_at = 0;
    for (std::size_t i = raw_.task.stack.size(); i-- > 0 && looked_at < kMostFramesInferred;) {
      auto place = place_at(i);
      if (!place) continue;
      ++looked_at;
      if (place->name.contains('.') && !place->self.is_null()) {
        if (auto transport = context_.transports.find_from(place->self)) {
          wait.descriptor = transport->descriptor;
          wait.inferred = "from " + std::string(place->name) + ": self" + (transport->path.empty() ? "" : "." + transport->path) +
                          (transport->is_tls ? " (TLS)" : "");
          return;
        }
      }
      if (!is_library(place->file)) return;  // beyond the program's own code it would be somebody else's connection
    }
  }

  Inspection& inspection_;
  const WaitContext& context_;
  const RawTask& raw_;
  Address awaited_;
};

}  // namespace

Wait find_wait(Inspection& inspection, const WaitContext& context, const RawTask& raw) {
  return WaitSearch(inspection, context, raw).run();
}

std::optional<Deadline> find_deadline(const WaitContext& context, const RawTask& raw) {
  if (raw.task.state != TaskState::kPending || context.index.timeouts.empty()) return std::nullopt;
  std::optional<Deadline> nearest;
  for (Address key : {raw.task.id, raw.task.awaited}) {
    auto timeout = context.index.timeouts.find(key);
    if (key.is_null() || timeout == context.index.timeouts.end()) continue;
    double when = timeout->second.when;
    if (nearest && nearest->when <= when) continue;
    nearest = Deadline{when, context.now ? std::optional(when - *context.now) : std::nullopt, timeout->second.construct};
  }
  return nearest;
}

Address find_submitted_task(const WaitContext& context, Address job) {
  for (const Completion& completion : context.completions.find(job)) {
    if (completion.callback.starts_with("_chain_future.")) return completion.task;
  }
  return {};
}

}  // namespace asyncspy
