#include "find_asyncio.h"

#include <algorithm>

#include "catch.h"
#include "fake_asyncio.h"
#include "layouts_under_test.h"

namespace asyncspy {
namespace {

Inspection inspect(FakeHeap& heap) {
  return {.reader = {heap.memory, heap.layout()}, .types = {}, .codes = {}, .names = {}, .text_names = {}};
}

Interpreter interpreter_at(FakeHeap& heap, Address address) {
  Interpreter interpreter;
  interpreter.address = address;
  interpreter.modules = *heap.memory.read_value<Address>(FakeHeap::at(address, heap.layout().interpreter.modules));
  return interpreter;
}

std::vector<Address> sorted(std::vector<Address> addresses) {
  std::sort(addresses.begin(), addresses.end());
  return addresses;
}

}  // namespace

TEST_CASE("asyncio is found by its modules, with or without the accelerator") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeAsyncio fake(heap);
    Inspection inspection = inspect(heap);
    Address all = fake.weak_set({});
    auto found = find_asyncio(inspection, interpreter_at(heap, fake.interpreter(fake.modules({{"_all_tasks", all}}))));
    REQUIRE(found);
    REQUIRE(*found);
    CHECK((*found)->c_task == fake.c_task_type);
    CHECK((*found)->py_task == fake.py_task_type);
    CHECK((*found)->c_future == fake.c_future_type);
    CHECK((*found)->all_tasks == all);
    CHECK((*found)->eager_tasks.is_null());
    auto without = fake.modules();
    Address tasks = heap.dict(std::vector<FakeEntry>{{"_CTask", heap.none()}, {"_PyTask", fake.py_task_type}});
    without[1].second = heap.module("asyncio.tasks", tasks);
    auto pure = find_asyncio(inspection, interpreter_at(heap, fake.interpreter(without)));
    REQUIRE(pure);
    REQUIRE(*pure);
    CHECK((*pure)->c_task.is_null());
  }
}

TEST_CASE("a process without asyncio has none, and that is no error; unreadable modules are") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeAsyncio fake(heap);
    Inspection inspection = inspect(heap);
    auto none = find_asyncio(inspection, interpreter_at(heap, fake.interpreter({{"sys", heap.none()}})));
    REQUIRE(none);
    CHECK_FALSE(none->has_value());
    auto blocked = find_asyncio(inspection, interpreter_at(heap, fake.interpreter({{"asyncio.tasks", heap.none()}})));
    REQUIRE(blocked);
    CHECK_FALSE(blocked->has_value());
    Interpreter torn;
    torn.modules = Address{0x8};
    CHECK_FALSE(find_asyncio(inspection, torn));
  }
}

TEST_CASE("all tasks are listed once, wherever the release keeps them") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeAsyncio fake(heap);
    Inspection inspection = inspect(heap);
    std::vector<Address> tasks;
    for (int i = 0; i < 40; ++i) tasks.push_back(fake.task({}));
    std::vector<Address> weak(tasks.begin(), tasks.begin() + 30);
    weak.push_back(heap.none());  // collected meanwhile
    Address interpreter = fake.interpreter({});
    Address thread = fake.thread_state(interpreter);
    Asyncio asyncio = fake.classes();
    asyncio.interpreter_address = interpreter;
    std::vector<ThreadState> threads(1);
    threads[0].address = thread;
    switch (layout.task_enumeration) {
      case TaskEnumeration::kAllTasksSet:
        weak.insert(weak.end(), tasks.begin() + 30, tasks.end());
        asyncio.all_tasks = fake.weak_set(weak);
        break;
      case TaskEnumeration::kScheduledAndEager:
        asyncio.scheduled_tasks = fake.weak_set(weak);
        asyncio.eager_tasks = heap.set_of({tasks.begin() + 25, tasks.end()});
        break;
      case TaskEnumeration::kLinkedLists:
        fake.link_tasks(FakeHeap::at(thread, layout.thread.tasks_head), {tasks.begin(), tasks.begin() + 20});
        fake.link_tasks(FakeHeap::at(interpreter, layout.interpreter.tasks_head), {tasks.begin() + 20, tasks.end()});
        asyncio.scheduled_tasks = fake.weak_set(weak);
        break;
    }
    std::vector<Gap> gaps;
    CHECK(sorted(find_tasks(inspection, asyncio, threads, gaps)) == sorted(tasks));
    CHECK(gaps.empty());
  }
}

TEST_CASE("a torn list of tasks keeps what came before the tear, and a gap (3.14+)") {
  FOR_EACH_LAYOUT(layout) {
    if (layout.task_enumeration != TaskEnumeration::kLinkedLists) continue;
    FakeHeap heap(layout);
    FakeAsyncio fake(heap);
    Inspection inspection = inspect(heap);
    std::vector<Address> tasks;
    for (int i = 0; i < 5; ++i) tasks.push_back(fake.task({}));
    Address interpreter = fake.interpreter({});
    Asyncio asyncio = fake.classes();
    asyncio.interpreter_address = interpreter;
    Address head = FakeHeap::at(interpreter, layout.interpreter.tasks_head);
    for (Address next : {Address{}, Address{0x8}, FakeHeap::at(tasks[0], layout.task.node), FakeHeap::at(tasks[2], layout.task.node)}) {
      INFO("the third task's link leads to " << next.value());
      fake.link_tasks(head, tasks);
      heap.memory.write(FakeHeap::at(tasks[2], layout.task.node), next);
      std::vector<Gap> gaps;
      auto found = find_tasks(inspection, asyncio, {}, gaps);
      CHECK(found == std::vector<Address>(tasks.begin(), tasks.begin() + 3));
      CHECK(gaps.size() == 1);
    }
  }
}

TEST_CASE("an unreadable weak set is a gap, not an empty one") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeAsyncio fake(heap);
    Inspection inspection = inspect(heap);
    Address interpreter = fake.interpreter({});
    Asyncio asyncio = fake.classes();
    asyncio.interpreter_address = interpreter;
    asyncio.all_tasks = heap.object(heap.heap_type("_weakrefset", "WeakSet"), 64);
    std::vector<Gap> gaps;
    CHECK(find_tasks(inspection, asyncio, {}, gaps).empty());
    CHECK(gaps.size() == 1);
  }
}

TEST_CASE("the current task of each loop is read from the dictionary and from the threads") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeAsyncio fake(heap);
    Inspection inspection = inspect(heap);
    Address loop = fake.loop({});
    Address task = fake.task({});
    Asyncio asyncio = fake.classes();
    asyncio.current_tasks = heap.dict({{loop, task}, {fake.loop({}), heap.none()}}, DictForm::kGeneral);
    std::vector<ThreadState> threads(2);
    threads[1].running_loop = Address{0x111};
    threads[1].running_task = Address{0x222};
    std::vector<Gap> gaps;
    auto current = find_current_tasks(inspection, asyncio, threads, gaps);
    REQUIRE(current.size() == 2);
    CHECK(current[0].task == Address{0x222});
    CHECK(current[1].loop == loop);
    CHECK(current[1].task == task);
    CHECK(gaps.empty());
    asyncio.current_tasks = Address{0x8};
    CHECK(find_current_tasks(inspection, asyncio, threads, gaps).size() == 1);  // what the threads say still counts
    CHECK(gaps.size() == 1);
  }
}

TEST_CASE("the running loop of a thread is found where the release keeps it; one inherited over fork does not count") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeAsyncio fake(heap);
    Inspection inspection = inspect(heap);
    Address loop = fake.loop({});
    ThreadState thread;
    switch (layout.running_loop) {
      case RunningLoop::kThreadState: thread.running_loop = loop; break;
      case RunningLoop::kThreadDictLoop: thread.dict = heap.dict(std::vector<FakeEntry>{{"__asyncio_running_event_loop__", loop}}); break;
      case RunningLoop::kThreadDictHolder: {
        Address holder = heap.object(heap.static_type("_RunningLoopHolder"), 32);
        heap.set(holder, layout.accel.holder_loop, loop);
        heap.set(holder, layout.accel.holder_pid, 4711);
        thread.dict = heap.dict(std::vector<FakeEntry>{{"__asyncio_running_event_loop__", holder}});
        CHECK(find_running_loop(inspection, thread, 4712).is_null());
        break;
      }
    }
    CHECK(find_running_loop(inspection, thread, 4711) == loop);
    CHECK(find_running_loop(inspection, ThreadState{}, 4711).is_null());
  }
}

}  // namespace asyncspy
