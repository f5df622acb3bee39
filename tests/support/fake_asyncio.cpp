#include "fake_asyncio.h"

#include <algorithm>

namespace asyncspy {
namespace {

constexpr std::int64_t kInterpreterSize = 16 * 1024;
constexpr std::int64_t kThreadStateSize = 2048;

}  // namespace

FakeAsyncio::FakeAsyncio(FakeHeap& heap) : heap_(heap) {
  c_future_type = heap.static_type("_asyncio.Future");
  c_task_type = heap.static_type("_asyncio.Task", {.bases = {c_future_type}});
  py_future_type = heap.instance_type("asyncio.futures", "Future", {"_state", "_loop"});
  py_task_type = heap.instance_type("asyncio.tasks", "Task",
                                    {"_coro", "_loop", "_fut_waiter", "_state", "_name", "_must_cancel", "_num_cancels_requested", "_callbacks"},
                                    {py_future_type});
  handle_type_ = heap.slotted_type("asyncio.events", "Handle", {"_callback", "_args", "_cancelled", "_loop"});
  timer_type_ = heap.slotted_type("asyncio.events", "TimerHandle", {"_unused1", "_unused2", "_unused3", "_unused4", "_scheduled", "_when"}, {handle_type_});
  weak_set_type_ = heap.instance_type("_weakrefset", "WeakSet", {"data"});
  loop_type_ = heap.instance_type("asyncio.unix_events", "_UnixSelectorEventLoop", {"_debug", "_thread_id", "_ready", "_scheduled", "_selector"});
  selector_type_ = heap.instance_type("selectors", "EpollSelector", {"_fd_to_key"});
}

Address FakeAsyncio::future(std::uint32_t state) {
  Address made = heap_.object(c_future_type, heap_.layout().future.size);
  heap_.set(made, heap_.layout().future.state, state);
  return made;
}

Address FakeAsyncio::task(const FakeTask& values, Address type) {
  const PythonLayout& layout = heap_.layout();
  Address made = heap_.object(type.is_null() ? c_task_type : type, layout.task.size);
  heap_.set(made, layout.future.state, values.state);
  heap_.set(made, layout.future.loop, values.loop);
  heap_.set(made, layout.task.coroutine, values.coroutine);
  heap_.set(made, layout.task.waiter, values.waiter);
  heap_.set(made, layout.task.name, values.name);
  heap_.set(made, layout.task.must_cancel, values.must_cancel);
  heap_.set(made, layout.task.cancel_requests, values.cancel_requests);
  if (values.state == 2) heap_.set(made, layout.future.result, heap_.none());
  return made;
}

Address FakeAsyncio::python_task(const FakeTask& values, std::string_view state, const std::vector<Address>& callbacks) {
  auto or_none = [&](Address object) { return object.is_null() ? heap_.none() : object; };
  return heap_.instance(py_task_type, {or_none(values.coroutine), or_none(values.loop), or_none(values.waiter), heap_.ascii(state),
                                       or_none(values.name), heap_.boolean(values.must_cancel), heap_.integer(values.cancel_requests),
                                       heap_.list(callbacks)});
}

Address FakeAsyncio::weak_set(const std::vector<Address>& objects) {
  std::vector<Address> references;
  for (Address object : objects) references.push_back(heap_.weak_reference(object));
  return heap_.instance(weak_set_type_, {heap_.set_of(references)});
}

Address FakeAsyncio::handle(Address callback, const std::vector<Address>& arguments, bool cancelled) {
  Address made = heap_.object(handle_type_, 48);
  heap_.memory.write(made + 16, callback);
  heap_.memory.write(made + 24, heap_.tuple(arguments));
  heap_.memory.write(made + 32, heap_.boolean(cancelled));
  return made;
}

Address FakeAsyncio::timer(Address when, Address callback, const std::vector<Address>& arguments, bool cancelled) {
  Address made = heap_.object(timer_type_, 64);
  heap_.memory.write(made + 16, callback);
  heap_.memory.write(made + 24, heap_.tuple(arguments));
  heap_.memory.write(made + 32, heap_.boolean(cancelled));
  heap_.memory.write(made + 56, when);
  return made;
}

Address FakeAsyncio::step_of(Address task) {
  Address step = heap_.object(heap_.static_type("_asyncio.TaskStepMethWrapper"), heap_.layout().accel.step_task.offset + 8);
  heap_.set(step, heap_.layout().accel.step_task, task);
  return step;
}

Address FakeAsyncio::selector_key(int descriptor, Address reader, Address writer) {
  auto or_none = [&](Address object) { return object.is_null() ? heap_.none() : object; };
  Address data = heap_.tuple({or_none(reader), or_none(writer)});
  return heap_.tuple({heap_.integer(descriptor), heap_.integer(descriptor), heap_.integer(1), data});
}

Address FakeAsyncio::loop(const Loop& values) {
  std::vector<std::pair<Address, Address>> keys;
  for (const auto& [descriptor, key] : values.keys) keys.emplace_back(heap_.integer(descriptor), key);
  Address selector = heap_.instance(selector_type_, {heap_.dict(keys, DictForm::kGeneral)});
  return heap_.instance(loop_type_, {heap_.boolean(values.debug), values.thread_id.is_null() ? heap_.none() : values.thread_id,
                                     heap_.deque(values.ready, 62), heap_.list(values.scheduled), selector});
}

Address FakeAsyncio::set_result_function() { return heap_.function("_set_result_unless_cancelled"); }

Address FakeAsyncio::interpreter(const std::vector<FakeEntry>& modules) {
  const InterpreterLayout& layout = heap_.layout().interpreter;
  Address made = heap_.memory.allocate(kInterpreterSize);
  heap_.set(made, layout.modules, heap_.dict(modules));
  if (layout.tasks_head.present()) link_tasks(FakeHeap::at(made, layout.tasks_head), {});
  return made;
}

Address FakeAsyncio::thread_state(Address interpreter) {
  const PythonLayout& layout = heap_.layout();
  Address made = heap_.memory.allocate(kThreadStateSize);
  heap_.set(made, layout.thread.interpreter, interpreter);
  heap_.set(interpreter, layout.interpreter.threads_head, made);
  // A thread that runs no Python has a root cframe without a frame (3.11-3.12).
  if (layout.thread_frame == ThreadFrame::kCFrame) heap_.set(made, layout.thread.frame, heap_.memory.allocate(64));
  if (layout.thread.tasks_head.present()) link_tasks(FakeHeap::at(made, layout.thread.tasks_head), {});
  return made;
}

void FakeAsyncio::link_tasks(Address head, const std::vector<Address>& tasks) {
  std::vector<Address> nodes{head};
  for (Address task : tasks) nodes.push_back(FakeHeap::at(task, heap_.layout().task.node));
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    Address next = nodes[(i + 1) % nodes.size()];
    heap_.memory.write(nodes[i], next);
    heap_.memory.write(next + 8, nodes[i]);
  }
}

std::vector<FakeEntry> FakeAsyncio::modules(const std::vector<FakeEntry>& more) {
  std::vector<FakeEntry> tasks{{"_CTask", c_task_type}, {"_PyTask", py_task_type}};
  tasks.insert(tasks.end(), more.begin(), more.end());
  Address futures = heap_.dict(std::vector<FakeEntry>{{"_CFuture", c_future_type}, {"_PyFuture", py_future_type}});
  return {{"sys", heap_.none()},
          {"asyncio.tasks", heap_.module("asyncio.tasks", heap_.dict(tasks))},
          {"asyncio.futures", heap_.module("asyncio.futures", futures)}};
}

Asyncio FakeAsyncio::classes() const {
  Asyncio asyncio;
  asyncio.c_task = c_task_type;
  asyncio.py_task = py_task_type;
  asyncio.c_future = c_future_type;
  asyncio.py_future = py_future_type;
  return asyncio;
}

}  // namespace asyncspy
