#include "read_task.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "containers.h"
#include "instance.h"
#include "number.h"
#include "text.h"

namespace asyncspy {
namespace {

// Modules/_asynciomodule.c, fut_state.
TaskState state_of(std::uint32_t state) {
  switch (state) {
    case 0: return TaskState::kPending;
    case 1: return TaskState::kCancelled;
    case 2: return TaskState::kFinished;
    default: return TaskState::kUnknown;
  }
}

// Lib/asyncio/base_futures.py.
TaskState state_of(std::string_view text) {
  if (text == "PENDING") return TaskState::kPending;
  if (text == "CANCELLED") return TaskState::kCancelled;
  if (text == "FINISHED") return TaskState::kFinished;
  return TaskState::kUnknown;
}

// Until a name is asked for, 3.12+ stores the number that "Task-N" will be made of (Modules/_asynciomodule.c, _asyncio_Task_get_name).
Result<std::string> read_name(Inspection& inspection, Address object) {
  if (object.is_null()) return std::string{};
  ASYNCSPY_TRY(type, inspection.types.of(inspection.reader, object));
  if (type->name == "int") {
    ASYNCSPY_TRY(number, read_integer(inspection.reader, object));
    std::string name = "Task-";
    std::array<char, 24> digits{};
    name.append(digits.data(), std::to_chars(digits.begin(), digits.end(), number).ptr);
    return name;
  }
  return read_text(inspection.reader, object);
}

Result<bool> is_none(Inspection& inspection, Address object) {
  ASYNCSPY_TRY(type, inspection.types.of(inspection.reader, object));
  return type->name == "NoneType";
}

class TaskRead {
 public:
  TaskRead(Inspection& inspection, Address object, Task& into)
      : inspection_(inspection), raw_{.task = into, .loop = {}, .is_in_c = false, .chain = {}} {
    into.id = object;
  }

  RawTask run(const Asyncio& asyncio) {
    auto type = inspection_.types.of(inspection_.reader, raw_.task.id);
    if (!type) {
      gap("task", type.error());
      return std::move(raw_);
    }
    raw_.task.type = (*type)->name;
    Result<void> done{};
    if (is_c_task(asyncio, **type)) {
      raw_.is_in_c = true;
      done = read_c_task();
    } else {
      done = read_python_task(**type);
    }
    if (!done) gap("task", done.error());
    raw_.chain = walk_await_chain(inspection_, coroutine_);
    keep_stack();
    std::move(raw_.chain.gaps.begin(), raw_.chain.gaps.end(), std::back_inserter(raw_.task.gaps));
    return std::move(raw_);
  }

 private:
  // In little more room than is needed: there are many tasks.
  void keep_stack() {
    std::vector<Frame>& frames = raw_.chain.frames;
    if (4 * frames.size() >= 3 * frames.capacity()) {
      raw_.task.stack = std::move(frames);
    } else {
      raw_.task.stack.assign(frames.begin(), frames.end());
    }
    frames = {};
  }

  void gap(std::string what, const Error& error) { raw_.task.gaps.push_back({std::move(what), error.what, error.at}); }

  Result<void> read_c_task() {
    const PythonLayout& layout = inspection_.layout();
    ASYNCSPY_TRY(view, inspection_.reader.view_of(
                           raw_.task.id, layout.future.state, layout.future.loop, layout.future.callback0,
                           layout.future.callbacks, layout.task.waiter, layout.task.must_cancel,
                           layout.task.cancel_requests, layout.task.coroutine, layout.task.name));
    Task& task = raw_.task;
    task.state = state_of(view.get(layout.future.state));
    raw_.loop = view.get(layout.future.loop);
    task.awaited = view.get(layout.task.waiter);
    task.must_cancel = view.get(layout.task.must_cancel);
    if (layout.task.cancel_requests.present()) task.cancel_requests = view.get(layout.task.cancel_requests);
    coroutine_ = view.get(layout.task.coroutine);
    if (layout.task.name.present()) {
      auto name = read_name(inspection_, view.get(layout.task.name));
      if (name) task.name = *name; else gap("name of task", name.error());
    }
    std::int64_t callbacks = view.get(layout.future.callback0).is_null() ? 0 : 1;
    if (Address list = view.get(layout.future.callbacks); !list.is_null()) {
      auto count = inspection_.reader.read(list, layout.sequence.list_size);
      if (count && *count >= 0 && *count < kMaxContainerItems) callbacks += *count;
      if (!count) gap("callbacks of task", count.error());
    }
    task.callbacks = static_cast<std::uint32_t>(callbacks);
    return {};
  }

  // asyncio.tasks._PyTask and whatever looks like it: all is in the instance's dictionary.
  Result<void> read_python_task(const Type& type) {
    ASYNCSPY_TRY(attributes, read_attributes(inspection_.reader, type, raw_.task.id));
    Task& task = raw_.task;
    auto object = [&](std::string_view name) -> Result<Address> {
      ASYNCSPY_TRY(value, find_in_entries(inspection_.reader, attributes, name));
      if (!value) return Address{};
      ASYNCSPY_TRY(none, is_none(inspection_, *value));
      return none ? Address{} : *value;
    };
    ASYNCSPY_TRY(coroutine, object("_coro"));
    if (coroutine.is_null() && !inspection_.types.inherits(inspection_.reader, type, "asyncio.tasks.Task")) {
      return fail(ErrorKind::kCorrupt, "a task of a foreign class: " + type.name, {}, task.id);
    }
    coroutine_ = coroutine;
    ASYNCSPY_TRY(loop, object("_loop"));
    raw_.loop = loop;
    ASYNCSPY_TRY(waiter, object("_fut_waiter"));
    task.awaited = waiter;
    ASYNCSPY_TRY(state, object("_state"));
    task.state = TaskState::kPending;  // the class attribute, until the first change
    if (!state.is_null()) {
      ASYNCSPY_TRY(text, read_text(inspection_.reader, state));
      task.state = state_of(text);
    }
    ASYNCSPY_TRY(name, object("_name"));
    ASYNCSPY_TRY(name_text, read_name(inspection_, name));
    task.name = name_text;
    ASYNCSPY_TRY(must_cancel, object("_must_cancel"));
    if (!must_cancel.is_null()) {
      ASYNCSPY_TRY(value, read_integer(inspection_.reader, must_cancel));
      task.must_cancel = value != 0;
    }
    ASYNCSPY_TRY(requests, object("_num_cancels_requested"));
    if (!requests.is_null()) {
      ASYNCSPY_TRY(value, read_integer(inspection_.reader, requests));
      task.cancel_requests = static_cast<int>(value);
    }
    ASYNCSPY_TRY(callbacks, object("_callbacks"));
    if (!callbacks.is_null()) {
      ASYNCSPY_TRY(list, read_list(inspection_.reader, callbacks));
      task.callbacks = static_cast<std::uint32_t>(list.size());
    }
    return {};
  }

  Inspection& inspection_;
  RawTask raw_;
  Address coroutine_;
};

}  // namespace

RawTask read_task(Inspection& inspection, const Asyncio& asyncio, Address object, Task& into) {
  return TaskRead(inspection, object, into).run(asyncio);
}

TaskState read_future_state(Inspection& inspection, const Asyncio& asyncio, Address future) {
  auto type = inspection.types.of(inspection.reader, future);
  if (!type) return TaskState::kUnknown;
  if (is_c_future(asyncio, **type)) {
    auto state = inspection.reader.read(future, inspection.layout().future.state);
    return state ? state_of(*state) : TaskState::kUnknown;
  }
  auto state = find_attribute(inspection.reader, inspection.types, **type, future, "_state");
  if (!state) return TaskState::kUnknown;
  if (!*state) return TaskState::kPending;
  auto text = read_text(inspection.reader, **state);
  return text ? state_of(*text) : TaskState::kUnknown;
}

}  // namespace asyncspy
