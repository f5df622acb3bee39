#include "find_wait.h"

#include "catch.h"
#include "fake_asyncio.h"
#include "layouts_under_test.h"
#include "read_alone.h"

namespace asyncspy {
namespace {

// One task whose wait is asked for, and what the loop knows.
class Scene {
 public:
  explicit Scene(const PythonLayout& layout) : heap(layout), frames(heap), fake(heap), asyncio(fake.classes()) {}

  Wait wait_of(Address task) {
    Inspection inspection{.reader = {heap.memory, heap.layout()}, .types = {}, .codes = {}, .names = {}, .text_names = {}};
    return wait_of(inspection, read_alone(inspection, asyncio, task));
  }
  Wait wait_of(Inspection& inspection, const RawTask& raw) {
    CompletionIndex completions(inspection, asyncio, with_callbacks);
    Transports transports(inspection, index);
    PrimitiveTable primitives(inspection, transports);
    JobTable jobs(inspection, stacks);
    Representer representer(inspection.reader, inspection.types);
    return find_wait(inspection, {asyncio, index, tasks, 100.0, completions, transports, primitives, jobs, representer}, raw);
  }
  // A pending task that awaits `awaited` through a coroutine.
  Address awaiting(Address awaited) {
    return fake.task({.coroutine = frames.coroutine("fetch", FakePhase::kAwaiting, awaited), .waiter = awaited});
  }

  FakeHeap heap;
  FakeFrames frames;
  FakeAsyncio fake;
  Asyncio asyncio;
  LoopIndex index;
  AddressSet tasks;
  std::vector<Address> with_callbacks;
  std::vector<Thread> threads;
  std::vector<std::vector<Address>> frame_addresses;
  ThreadStacks stacks{threads, frame_addresses};
};

template <class T>
T expect(const Wait& wait) {
  INFO("alternative " << wait.index());
  REQUIRE(std::holds_alternative<T>(wait));
  return std::get<T>(wait);
}

}  // namespace

TEST_CASE("done tasks wait for nothing, running ones run") {
  FOR_EACH_LAYOUT(layout) {
    Scene scene(layout);
    expect<Done>(scene.wait_of(scene.fake.task({.state = 1})));
    expect<Done>(scene.wait_of(scene.fake.task({.state = 2})));
    Inspection inspection{.reader = {scene.heap.memory, layout}, .types = {}, .codes = {}, .names = {}, .text_names = {}};
    RawTask raw = read_alone(inspection, scene.asyncio, scene.awaiting(scene.fake.future()));
    raw.task.running = true;
    expect<Running>(scene.wait_of(inspection, raw));
  }
}

TEST_CASE("a task that awaits another one names it, unless that one is done") {
  FOR_EACH_LAYOUT(layout) {
    Scene scene(layout);
    Address other = scene.fake.task({});
    Address done = scene.fake.task({.state = 2});
    scene.tasks.add(other);
    scene.tasks.add(done);
    CHECK(expect<OnTask>(scene.wait_of(scene.awaiting(other))).task == other);
    CHECK(expect<Ready>(scene.wait_of(scene.awaiting(done))).reason == "what it awaited is done");
  }
}

TEST_CASE("a future is told by what will complete it: a timer, a descriptor, or nothing that is known") {
  FOR_EACH_LAYOUT(layout) {
    Scene scene(layout);
    Address slept = scene.fake.future();
    Address received = scene.fake.future();
    Address plain = scene.fake.future();
    scene.index.deadlines.add(slept, 112.5);
    scene.index.descriptors.emplace(received, Watch{9, {}});
    auto on_timer = expect<OnTimer>(scene.wait_of(scene.awaiting(slept)));
    CHECK(on_timer.deadline == 112.5);
    CHECK(on_timer.remaining == 12.5);
    CHECK(expect<OnDescriptor>(scene.wait_of(scene.awaiting(received))).descriptor == 9);
    auto on_future = expect<OnFuture>(scene.wait_of(scene.awaiting(plain)));
    CHECK(on_future.future == plain);
    CHECK(on_future.type == "_asyncio.Future");
    CHECK(on_future.state == "pending");
  }
}

TEST_CASE("a method of asyncio's primitives is told by its self") {
  FOR_EACH_LAYOUT(layout) {
    Scene scene(layout);
    Address queue = scene.heap.object(scene.heap.heap_type("asyncio.queues", "Queue"), 64);
    Address future = scene.fake.future();
    Address get = scene.frames.generator("coroutine", {.name = "get", .qualified_name = "Queue.get", .file = "/usr/lib/python3/asyncio/queues.py", .flags = kCoroutineFlag},
                                         FakePhase::kAwaiting, future, {queue});
    auto wait = expect<OnPrimitive>(scene.wait_of(scene.fake.task({.coroutine = get, .waiter = future})));
    CHECK(wait.kind == "Queue");
    CHECK(wait.operation == "get");
    CHECK(wait.type == "asyncio.queues.Queue");
    CHECK(wait.object == queue);
    // A file that only ends alike is not asyncio's.
    Address other = scene.frames.generator("coroutine", {.name = "get", .qualified_name = "Queue.get", .file = "/srv/myasyncio/queues.py", .flags = kCoroutineFlag},
                                           FakePhase::kAwaiting, future, {queue});
    expect<OnFuture>(scene.wait_of(scene.fake.task({.coroutine = other, .waiter = future})));
  }
}

TEST_CASE("a gathering future tells how many of its children are pending, and which of them are tasks") {
  FOR_EACH_LAYOUT(layout) {
    Scene scene(layout);
    Address pending = scene.fake.task({});
    Address done = scene.fake.task({.state = 2});
    Address future = scene.fake.future();
    scene.tasks.add(pending);
    scene.tasks.add(done);
    Address type = scene.heap.instance_type("asyncio.tasks", "_GatheringFuture", {"_children", "_state"}, {scene.fake.py_future_type});
    Address gathering = scene.heap.instance(type, {scene.heap.list({pending, done, future}), scene.heap.ascii("PENDING")});
    auto wait = expect<OnMany>(scene.wait_of(scene.awaiting(gathering)));
    CHECK(wait.construct == "gather");
    CHECK(wait.total == 3);
    CHECK(wait.pending == 2);
    CHECK(wait.tasks == std::vector<Address>{pending});
  }
}

TEST_CASE("a task without a future says where it stands") {
  FOR_EACH_LAYOUT(layout) {
    Scene scene(layout);
    CHECK(expect<Ready>(scene.wait_of(scene.fake.task({.coroutine = scene.frames.coroutine("new", FakePhase::kCreated)}))).reason == "not started");
    Address yielded = scene.fake.task({.coroutine = scene.frames.coroutine("sleep0", FakePhase::kYielding)});
    expect<Unknown>(scene.wait_of(yielded));
    scene.index.ready_steps.add(yielded);
    expect<Ready>(scene.wait_of(yielded));
    expect<Unknown>(scene.wait_of(scene.fake.task({.coroutine = Address{0x8}})));
  }
}

TEST_CASE("an awaited future that can not be read is said to be unreadable") {
  FOR_EACH_LAYOUT(layout) {
    Scene scene(layout);
    Address task = scene.fake.task({.coroutine = scene.frames.coroutine("fetch", FakePhase::kAwaiting, scene.fake.future()), .waiter = Address{0x8}});
    CHECK(expect<Unknown>(scene.wait_of(task)).why.find("could not be read") != std::string::npos);
  }
}

}  // namespace asyncspy
