// analyse() over damaged copies of real and of made processes: it yields a report with gaps or an error, within a bounded number of
// reads, whatever the bytes are. The damage is drawn from a seed that a failure names. Worth most under the asan preset.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>

#include "analyse.h"
#include "asyncio_report.h"
#include "catch.h"
#include "damage.h"
#include "fake_asyncio.h"
#include "groups.h"
#include "layouts_under_test.h"
#include "thread_report.h"

namespace asyncspy {
namespace {

constexpr int kRounds = 1500;               // for the system's interpreter
constexpr int kRoundsElsewhere = 150;       // for each of the others
constexpr int kRoundsWithValues = 600;
constexpr int kRoundsOfLayout = 400;
constexpr int kRoundsOfCode = 400;
constexpr int kRoundsOfRecording = 60;
constexpr unsigned kGuardSeconds = 900;     // SIGALRM ends a walk that does not end by itself
// A damaged copy may cost that many times the reads of a whole one: several layouts are tried on it, and a class whose
// dictionary became the largest of the process (the interned strings) is looked through once for each slot.
constexpr std::uint64_t kReadsPerWholeRun = 40;
constexpr std::uint64_t kReadsAllowed = 1'000'000;  // in any case: with all values a small process is read with few

struct Outcome {
  Result<Report> report;
  std::uint64_t reads = 0;
};

using Analysis = std::function<Result<Report>(Snapshot&)>;

Outcome run(const Analysis& analysis, const StoredProcess& stored, StoredMemory& memory, std::vector<ReadPlace>* places = nullptr) {
  auto recording = std::make_unique<CountedRecording>(&memory, places);
  CountedRecording& counted = *recording;
  Snapshot snapshot;
  snapshot.process = stored.process;
  snapshot.threads = stored.threads;
  snapshot.memory = std::move(recording);
  snapshot.capture.monotonic_ns = stored.monotonic_ns;
  Outcome outcome{.report = analysis(snapshot), .reads = 0};
  outcome.reads = counted.reads();
  return outcome;
}

// With all that only reads more when it is asked for.
Result<Report> analyse_with_values(Snapshot& snapshot) {
  snapshot.wanted = {.locals = true, .mask = true, .context = {"*"}};
  snapshot.has_values = true;
  return analyse(snapshot);
}

// ASYNCSPY_DAMAGE_ROUNDS=N: that many times the rounds, from other seeds. For a long search.
int times_more() {
  const char* text = std::getenv("ASYNCSPY_DAMAGE_ROUNDS");
  return text == nullptr ? 1 : std::max(1, std::atoi(text));
}

struct Tally {
  int reports = 0;
  int reports_with_gaps = 0;
  int errors = 0;
  std::uint64_t most_reads = 0;
};

bool has_gap(const Report& report) {
  bool found = !report.gaps.empty();
  for (const Task& task : report.tasks) found = found || !task.gaps.empty();
  for (const Loop& loop : report.loops) found = found || !loop.gaps.empty();
  for (const Thread& thread : report.threads) found = found || !thread.gaps.empty();
  return found;
}

// Every index of a report is in bounds: renderers rely on it.
void check_indices(const Report& report) {
  auto check_stack = [&](const std::vector<Frame>& stack) {
    for (const Frame& frame : stack) {
      REQUIRE((frame.function == kNoFunction || frame.function < report.functions.size()));
      REQUIRE((frame.type_name == kNoFunction || frame.type_name < report.names.size()));
      REQUIRE((frame.name == kNoFunction || frame.name < report.names.size()));
      REQUIRE((frame.locals == kNoLocals || frame.locals < report.locals.size()));
    }
  };
  for (const Task& task : report.tasks) {
    REQUIRE(task.loop < static_cast<std::int32_t>(report.loops.size()));
    check_stack(task.stack);
  }
  for (const Thread& thread : report.threads) {
    REQUIRE(thread.loop < static_cast<std::int32_t>(report.loops.size()));
    check_stack(thread.stack);
  }
  for (const Loop& loop : report.loops) REQUIRE(loop.thread < static_cast<std::int32_t>(report.threads.size()));
  std::size_t grouped = 0;
  for (const TaskGroup& group : report.groups) {
    for (std::uint32_t index : group.tasks) REQUIRE(index < report.tasks.size());
    grouped += group.tasks.size();
  }
  REQUIRE(grouped == report.tasks.size());
}

Tally damage_repeatedly(const Analysis& analysis, const StoredProcess& stored, int rounds, std::uint64_t first_seed,
                        std::size_t least_tasks = kStoredTasks) {
  StoredMemory whole(stored.memory);
  std::vector<ReadPlace> places;
  Outcome undamaged = run(analysis, stored, whole, &places);
  REQUIRE(undamaged.report);
  REQUIRE(undamaged.report->tasks.size() >= least_tasks);
  REQUIRE_FALSE(has_gap(*undamaged.report));
  CountedRecording interpreter(&whole);  // how many of these reads were made to find the interpreter
  std::ignore = find_runtime(interpreter, stored.process.images);
  REQUIRE(interpreter.reads() < places.size());

  ::alarm(kGuardSeconds);
  Tally tally;
  for (int round = 0; round < rounds; ++round) {
    const std::uint64_t seed = first_seed + static_cast<std::uint64_t>(round);
    INFO("seed " << seed);
    StoredMemory damaged(stored.memory);
    Damage(places, interpreter.reads(), seed).apply(damaged);
    Outcome outcome = run(analysis, stored, damaged);  // an exception fails the test here
    REQUIRE(outcome.reads <= std::max(undamaged.reads * kReadsPerWholeRun, kReadsAllowed));
    tally.most_reads = std::max(tally.most_reads, outcome.reads);
    if (!outcome.report) {
      ++tally.errors;
      REQUIRE(outcome.report.error().kind != ErrorKind::kInternal);
      continue;
    }
    ++tally.reports;
    if (has_gap(*outcome.report)) ++tally.reports_with_gaps;
    check_indices(*outcome.report);
  }
  ::alarm(0);
  return tally;
}

// A process of the given layout, made by hand: a thread that runs a task's step in a loop, and tasks of each kind. What
// comes before in a real one (the runtime, the choice of a layout) is left out.
class MadeProcess {
 public:
  explicit MadeProcess(const PythonLayout& layout) : heap_(layout), frames_(heap_), fake_(heap_) {
    Address slept = fake_.future();
    Address running = frames_.coroutine("busy", FakePhase::kRunning);
    Address running_task = fake_.task({.coroutine = running, .name = text("busy")});
    std::vector<Address> tasks{running_task, sleeper(slept), fake_.task({.coroutine = frames_.coroutine("new", FakePhase::kCreated), .name = text("new")}),
                               fake_.task({.name = text("done"), .state = 2})};
    tasks.push_back(sleeper(tasks[1]));
    for (int i = 0; i < 6; ++i) tasks.push_back(sleeper(fake_.future()));
    tasks.push_back(fake_.python_task({.coroutine = frames_.coroutine("python", FakePhase::kYielding), .name = heap_.ascii("python")}, "PENDING"));
    loop_ = fake_.loop({.ready = {fake_.handle(fake_.step_of(tasks[2]), {})},
                        .scheduled = {fake_.timer(heap_.real(50), fake_.set_result_function(), {slept})},
                        .keys = {{5, fake_.selector_key(5, fake_.handle(heap_.function("_read"), {slept}), {})}},
                        .thread_id = heap_.integer(0x7000)});
    for (Address task : tasks) {
      if (task != tasks.back()) heap_.set(task, layout.future.loop, loop_);
    }
    std::vector<FakeEntry> globals{{"_current_tasks", heap_.dict({{loop_, running_task}}, DictForm::kGeneral)}};
    std::vector<Address> listed = tasks;
    if (layout.task_enumeration == TaskEnumeration::kLinkedLists) listed = {tasks.back()};
    globals.emplace_back(layout.task_enumeration == TaskEnumeration::kAllTasksSet ? "_all_tasks" : "_scheduled_tasks", fake_.weak_set(listed));
    interpreter_.address = fake_.interpreter(fake_.modules(globals));
    interpreter_.modules = *heap_.memory.read_value<Address>(FakeHeap::at(interpreter_.address, layout.interpreter.modules));
    add_thread(running);
    if (layout.task_enumeration == TaskEnumeration::kLinkedLists) {
      fake_.link_tasks(FakeHeap::at(thread_, layout.thread.tasks_head), {tasks.begin(), tasks.end() - 1});
    }
    heap_.memory.complete_pages();
    for (std::uint64_t number : heap_.memory.page_numbers()) {
      PageBytes bytes{};
      REQUIRE(heap_.memory.read(Address{number * kPageSize}, bytes));
      stored.memory.store(number, bytes);
    }
    stored.monotonic_ns = 100'000'000'000;
  }

  // analyse() from the interpreters on.
  Result<Report> analyse_from_interpreter(Snapshot& snapshot) const {
    Inspection inspection{.reader = {*snapshot.memory, heap_.layout()}, .types = {}, .codes = {}, .names = {}, .text_names = {}};
    Report report;
    LocalsReader locals(inspection, {});
    ThreadReport threads = report_threads(inspection, snapshot, {interpreter_}, &locals, report.gaps);
    report_asyncio(inspection, {interpreter_}, threads, snapshot, &locals, report);
    report.locals = locals.take();
    report.threads = std::move(threads.threads);
    report.functions = inspection.codes.take_functions();
    report.names = inspection.names.take_names();
    report.groups = build_groups(report.tasks);
    return report;
  }

  StoredProcess stored;

 private:
  Address text(std::string_view name) { return heap_.ascii(name); }
  Address sleeper(Address awaited) {
    Address inner = frames_.coroutine("sleep", FakePhase::kAwaiting, awaited);
    return fake_.task({.coroutine = frames_.coroutine("sleeper", FakePhase::kAwaiting, inner), .waiter = awaited, .name = text("sleeper")});
  }
  void add_thread(Address running) {
    const PythonLayout& layout = heap_.layout();
    thread_ = fake_.thread_state(interpreter_.address);
    Address outer = frames_.frame(frames_.code({.name = "_run_once", .qualified_name = "BaseEventLoop._run_once", .file = "asyncio/base_events.py"}), kCallOffset, {}, {loop_});
    frames_.set_previous(frames_.frame_of(running), frames_.shim(outer));
    Address innermost = frames_.frame_of(running);
    if (layout.thread_frame == ThreadFrame::kCFrame) {
      heap_.set(*heap_.memory.read_value<Address>(FakeHeap::at(thread_, layout.thread.frame)), layout.cframe.current_frame, innermost);
    } else {
      heap_.set(thread_, layout.thread.frame, innermost);
    }
    heap_.set(thread_, layout.thread.thread_id, 0x7000);
    heap_.set(thread_, layout.thread.running_loop, loop_);
  }

  FakeHeap heap_;
  FakeFrames frames_;
  FakeAsyncio fake_;
  Interpreter interpreter_;
  Address thread_;
  Address loop_;
};

}  // namespace

TEST_CASE("analysing damaged memory ends, throws nothing and yields a well-formed report or an error") {
  const int rounds = kRounds * times_more();
  Tally tally = damage_repeatedly(analyse, system_python(), rounds, 1);
  // The damage was felt, and it was not always the end: otherwise this tested little.
  CHECK(tally.reports_with_gaps > rounds / 20);
  CHECK(tally.errors > rounds / 50);
}

TEST_CASE("analysing damaged memory with all values of variables ends, too") {
  const int rounds = kRoundsWithValues * times_more();
  Tally tally = damage_repeatedly(analyse_with_values, system_python(), rounds, 5'000'000);
  CHECK(tally.reports > 0);
  CHECK(tally.errors > 0);
}

TEST_CASE("damaged machine code of getters, out of which offsets are read, is survived") {
  const StoredProcess& stored = system_python();
  StoredMemory whole(stored.memory);
  std::vector<ReadPlace> places;
  REQUIRE(run(analyse, stored, whole, &places).report);
  std::vector<ReadPlace> code;
  for (const ReadPlace& place : places) {
    for (const Mapping& mapping : stored.process.mappings) {
      if (mapping.executable && place.at >= mapping.start && place.at < mapping.end) code.push_back(place);
    }
  }
  REQUIRE_FALSE(code.empty());
  ::alarm(kGuardSeconds);
  std::mt19937_64 random(7);
  int refused = 0;
  for (int round = 0; round < kRoundsOfCode; ++round) {
    INFO("round " << round);
    StoredMemory damaged(stored.memory);
    const ReadPlace& place = code[random() % code.size()];
    const Address at = place.at + random() % std::min<std::size_t>(place.size, 24);  // getters are short
    PageBytes* page = damaged.change(at.value() / kPageSize);
    REQUIRE(page != nullptr);
    (*page)[at.value() % kPageSize] = static_cast<std::byte>(random() & 0xFF);
    auto outcome = run(analyse, stored, damaged);
    refused += outcome.report ? 0 : 1;
    if (outcome.report) check_indices(*outcome.report);
  }
  ::alarm(0);
  CHECK(refused > 0);
}

TEST_CASE("damaged memory of every interpreter at hand is survived") {
  for (const std::string& interpreter : find_supported_pythons()) {
    INFO(interpreter);
    const int rounds = kRoundsElsewhere * times_more();
    Tally tally = damage_repeatedly(analyse, store_python(interpreter), rounds, 1'000'000);
    CHECK(tally.reports > 0);
    CHECK(tally.errors > 0);
  }
}

TEST_CASE("damaged recordings of every release are survived") {
  int releases = 0;
  for (const std::filesystem::directory_entry& entry : std::filesystem::directory_iterator(ASYNCSPY_RECORDINGS)) {
    if (entry.path().extension() != ".recording") continue;
    INFO(entry.path().filename().string());
    const int rounds = kRoundsOfRecording * times_more();
    Tally tally = damage_repeatedly(analyse, store_recording(entry.path().string()), rounds, 3'000'000, 2);
    CHECK(tally.reports > 0);
    CHECK(tally.errors > 0);
    ++releases;
  }
  CHECK(releases >= 9);
}

TEST_CASE("damaged memory of every layout is survived") {
  FOR_EACH_LAYOUT(layout) {
    MadeProcess made(layout);
    const int rounds = kRoundsOfLayout * times_more();
    Tally tally = damage_repeatedly([&](Snapshot& snapshot) { return made.analyse_from_interpreter(snapshot); }, made.stored, rounds, 2'000'000);
    CHECK(tally.reports == rounds);
    CHECK(tally.reports_with_gaps > rounds / 4);
  }
}

}  // namespace asyncspy
