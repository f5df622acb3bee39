#include "holders.h"

#include "catch.h"
#include "fake_asyncio.h"
#include "find_wait.h"
#include "layouts_under_test.h"
#include "read_alone.h"

namespace asyncspy {
namespace {

constexpr std::string_view kLocks = "/usr/lib/python3/asyncio/locks.py";

// Tasks around one lock of asyncio.
class Scene {
 public:
  explicit Scene(const PythonLayout& layout) : heap(layout), frames(heap), fake(heap), asyncio(fake.classes()) {
    lock = heap.instance(heap.instance_type("asyncio.locks", "Lock", {"_waiters", "_locked"}), {heap.none(), heap.boolean(true)});
  }

  // A coroutine that awaits `delegate` with these values below it on its stack.
  Address coroutine(std::string_view name, Address delegate, const std::vector<Address>& below) {
    const PythonLayout& layout = heap.layout();
    Address made = frames.generator("coroutine", {.name = name, .qualified_name = name, .flags = kCoroutineFlag}, FakePhase::kAwaiting, delegate, below);
    Address frame = frames.frame_of(made);
    heap.set(frame, layout.frame_object.value_stack, FakeHeap::at(frame, layout.frame_object.localsplus));
    heap.set(frame, layout.frame_object.stack_depth, static_cast<std::int32_t>(below.size() + 1));
    return made;
  }
  // What `async with lock` keeps on the stack: a bound __aexit__, or (3.14+) the function and the lock.
  std::vector<Address> entered() {
    Address leave = heap.function("_ContextManagerMixin.__aexit__");
    if (heap.layout().stack_references == StackReferences::kTagged) return {leave, lock};
    return {heap.method(leave, lock)};
  }
  Address acquire(Address future) {
    return frames.generator("coroutine", {.name = "acquire", .qualified_name = "Lock.acquire", .file = kLocks, .flags = kCoroutineFlag, .locals = {"self"}},
                            FakePhase::kAwaiting, future, {lock});
  }
  Address enter(Address future) {
    return frames.generator("coroutine", {.name = "__aenter__", .qualified_name = "_ContextManagerMixin.__aenter__", .file = kLocks, .flags = kCoroutineFlag, .locals = {"self"}},
                            FakePhase::kAwaiting, acquire(future), {lock});
  }
  Address start(Address coroutine, Address future) {
    tasks.push_back(fake.task({.coroutine = coroutine, .waiter = future}));
    return tasks.back();
  }

  Primitive look() {
    Inspection inspection{.reader = {heap.memory, heap.layout()}, .types = {}, .codes = {}, .names = {}, .text_names = {}};
    LoopIndex index;
    AddressSet ids;
    for (Address task : tasks) ids.add(task);
    CompletionIndex completions(inspection, asyncio, tasks);
    Transports transports(inspection, index);
    PrimitiveTable primitives(inspection, transports);
    std::vector<Thread> threads;
    std::vector<std::vector<Address>> addresses;
    ThreadStacks stacks{threads, addresses};
    JobTable jobs(inspection, stacks);
    Representer representer(inspection.reader, inspection.types);
    WaitContext context{asyncio, index, ids, 100.0, completions, transports, primitives, jobs, representer};
    std::vector<RawTask> raw;
    for (Address id : tasks) raw.push_back(read_alone(inspection, asyncio, id));
    for (RawTask& one : raw) one.task.wait = find_wait(inspection, context, one);
    find_holders(inspection, raw, primitives);
    Primitive* found = primitives.find(lock);
    REQUIRE(found != nullptr);
    return *found;
  }

  FakeHeap heap;
  FakeFrames frames;
  FakeAsyncio fake;
  Asyncio asyncio;
  Address lock;
  std::vector<Address> tasks;
};

}  // namespace

TEST_CASE("the task that is inside async with holds the lock, those that are entering do not") {
  FOR_EACH_LAYOUT(layout) {
    Scene scene(layout);
    Address other = scene.fake.future(), first = scene.fake.future(), second = scene.fake.future();
    Address holder = scene.start(scene.coroutine("pay", other, scene.entered()), other);
    scene.start(scene.coroutine("ship", scene.enter(first), scene.entered()), first);
    scene.start(scene.coroutine("bill", scene.acquire(second), {}), second);
    Primitive lock = scene.look();
    CHECK(lock.kind == "Lock");
    CHECK(lock.flag("locked") == true);
    REQUIRE(lock.holders.size() == 1);
    CHECK(lock.holders[0].task == holder);
    CHECK(lock.holders[0].certain);
    CHECK(lock.holders[0].how == "inside `async with` of pay");
  }
}

TEST_CASE("a task that enters a lock which it holds already is its holder") {
  FOR_EACH_LAYOUT(layout) {
    Scene scene(layout);
    Address future = scene.fake.future();
    Address inner = scene.coroutine("inner", scene.enter(future), scene.entered());
    Address task = scene.start(scene.coroutine("outer", inner, scene.entered()), future);
    Primitive lock = scene.look();
    REQUIRE(lock.holders.size() == 1);
    CHECK(lock.holders[0].task == task);
    CHECK(lock.holders[0].how == "inside `async with` of outer");
  }
}

TEST_CASE("without async with who has the lock in a local variable may hold it, and is said to be a guess") {
  FOR_EACH_LAYOUT(layout) {
    Scene scene(layout);
    Address other = scene.fake.future(), future = scene.fake.future();
    Address made = scene.frames.generator("coroutine", {.name = "pay", .qualified_name = "pay", .flags = kCoroutineFlag, .locals = {"lock"}},
                                          FakePhase::kAwaiting, other, {scene.lock});
    Address holder = scene.start(made, other);
    scene.start(scene.coroutine("bill", scene.acquire(future), {}), future);
    Primitive lock = scene.look();
    REQUIRE(lock.holders.size() == 1);
    CHECK(lock.holders[0].task == holder);
    CHECK_FALSE(lock.holders[0].certain);
  }
}

}  // namespace asyncspy
