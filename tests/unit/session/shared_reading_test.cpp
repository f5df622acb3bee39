#include "shared_reading.h"

#include "catch.h"
#include "fake_asyncio.h"
#include "layouts_under_test.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMany = 2300;  // is no multiple of what a thread takes at a time

Inspection inspect(Memory& memory, const PythonLayout& layout) {
  return {.reader = {memory, layout}, .types = {}, .codes = {}, .names = {}, .text_names = {}};
}

// Many tasks of a few functions, which first occur at different places; some can not be read.
struct ManyTasks {
  explicit ManyTasks(const PythonLayout& layout) : heap(layout), frames(heap), fake(heap) {
    FakeAsyncio::Loop values;
    const Address garbage = heap.memory.allocate(64);
    for (std::size_t i = 0; i < kMany; ++i) {
      const Address future = fake.future();
      const std::string name = "handler_" + std::to_string(i % 7 + i / 300 * 7);
      const std::string own_name = i % 3 == 0 ? "Service." + name : name;
      const Address inner = frames.generator("coroutine", {.name = name, .qualified_name = own_name, .flags = kCoroutineFlag}, FakePhase::kAwaiting, future);
      const Address outer = frames.coroutine(i % 500 == 0 ? "main_" + std::to_string(i) : "main", FakePhase::kAwaiting, i % 400 == 17 ? garbage : inner);
      ids.push_back(i % 600 == 5 ? garbage : fake.task({.coroutine = outer, .waiter = future, .name = heap.ascii("task " + std::to_string(i))}));
      values.scheduled.push_back(fake.timer(heap.real(static_cast<double>(i)), i % 2 == 0 ? fake.set_result_function() : heap.function("tick"), {future, heap.none()}));
    }
    loops = {fake.loop(values), fake.loop({}), garbage};
    heap.memory.complete_pages();
  }

  TasksAndLoops read(Inspection& inspection, RecordingMemory* memory) { return read_tasks_and_loops(inspection, fake.classes(), memory, ids, loops); }

  FakeHeap heap;
  FakeFrames frames;
  FakeAsyncio fake;
  std::vector<Address> ids;
  std::vector<Address> loops;
};

std::string tell(const Inspection& inspection, const Task& task) {
  std::string told = task.type + " " + task.name + " " + std::to_string(task.awaited.value()) + " " + std::to_string(static_cast<int>(task.state));
  for (const Frame& frame : task.stack) {
    if (frame.function != kNoFunction) told += "; " + inspection.codes.functions()[frame.function].qualified_name;
    told += " " + std::to_string(frame.function) + " " + std::string(inspection.names.name(frame.name)) + " " +
            std::string(inspection.names.name(frame.type_name)) + " " + std::to_string(frame.line) + " " + std::to_string(frame.object.value());
  }
  for (const Gap& gap : task.gaps) told += "; gap " + gap.reading + " " + gap.reason + " " + std::to_string(gap.at.value());
  return told;
}

std::string tell(const Inspection& inspection, const RawLoop& raw) {
  std::string told = raw.loop.type + " " + std::to_string(raw.loop.ready.value_or(99));
  for (const Timer& timer : raw.loop.timers) told += "; " + std::to_string(*timer.deadline) + " " + std::string(inspection.names.name(timer.callback));
  for (const Gap& gap : raw.loop.gaps) told += "; gap " + gap.reading + " " + gap.reason;
  return told;
}

std::vector<std::string> names_of(const std::vector<Function>& functions) {
  std::vector<std::string> names;
  for (const Function& function : functions) names.push_back(function.qualified_name);
  return names;
}

// Whether all of them are among the others, in that order.
bool is_in_order(const std::vector<std::string>& names, const std::vector<std::string>& others) {
  auto at = others.begin();
  for (const std::string& name : names) {
    at = std::find(at, others.end(), name);
    if (at == others.end()) return false;
    ++at;
  }
  return !names.empty();
}

}  // namespace

TEST_CASE("what several threads read is what one thread reads, in the same order and under the same numbers") {
  FOR_EACH_LAYOUT(layout) {
    ManyTasks many(layout);
    Inspection alone = inspect(many.heap.memory, layout);
    const TasksAndLoops expected = many.read(alone, nullptr);
    RecordingMemory recording(&many.heap.memory);
    Inspection shared = inspect(recording, layout);
    const TasksAndLoops read = many.read(shared, &recording);
    REQUIRE(read.tasks.size() == kMany);
    REQUIRE(read.raw_tasks.size() == kMany);
    int gaps = 0;
    for (std::size_t i = 0; i < kMany; ++i) {
      REQUIRE(tell(shared, read.tasks[i]) == tell(alone, expected.tasks[i]));
      REQUIRE(&read.raw_tasks[i].task == &read.tasks[i]);
      CHECK(read.raw_tasks[i].loop == expected.raw_tasks[i].loop);
      CHECK(read.raw_tasks[i].chain.end == expected.raw_tasks[i].chain.end);
      CHECK(read.raw_tasks[i].chain.frame_addresses == expected.raw_tasks[i].chain.frame_addresses);
      gaps += read.tasks[i].gaps.empty() ? 0 : 1;
    }
    CHECK(gaps >= 6);  // what is damaged is told, and only that
    CHECK(gaps < 20);
    REQUIRE(read.loops.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) CHECK(tell(shared, read.loops[i]) == tell(alone, expected.loops[i]));
    CHECK(read.loops[0].loop.timers.size() == kMany);
    CHECK(read.index.deadlines.size() == expected.index.deadlines.size());
    CHECK(names_of(shared.codes.functions()).size() > 40);
    CHECK(names_of(shared.codes.functions()) == names_of(alone.codes.functions()));
    CHECK(is_in_order(shared.names.take_names(), alone.names.take_names()));
  }
}

TEST_CASE("threads that read a detached recording miss each page that one thread misses") {
  const PythonLayout& layout = find_layouts(13).front();
  ManyTasks many(layout);
  RecordingMemory alone(nullptr);
  RecordingMemory shared(nullptr);
  Inspection one = inspect(alone, layout);
  Inspection other = inspect(shared, layout);
  const TasksAndLoops expected = many.read(one, nullptr);
  const TasksAndLoops read = many.read(other, &shared);
  const auto missed = alone.take_missed();
  const auto missed_together = shared.take_missed();
  REQUIRE_FALSE(missed.empty());
  REQUIRE(missed.size() == missed_together.size());
  for (std::size_t i = 0; i < missed.size(); ++i) {
    CHECK(missed[i].start == missed_together[i].start);
    CHECK(missed[i].pages == missed_together[i].pages);
  }
  for (std::size_t i = 0; i < kMany; ++i) CHECK(tell(other, read.tasks[i]) == tell(one, expected.tasks[i]));
}

}  // namespace asyncspy
