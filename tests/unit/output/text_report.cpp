#include "text_report.h"

#include <algorithm>
#include <string>

#include "catch.h"
#include "escape.h"
#include "groups.h"
#include "sample_report.h"

namespace asyncspy {
namespace {

constexpr const char* kBlockedService = R"(process 4242 python3 -m shop.server --port 8080
  Python 3.11.2 (/usr/bin/python3.11), up 3 h 12 min, 84.2 MiB resident
  5 threads (4 with Python), 1 event loop, 202 tasks: 1 running, 201 pending
  2026-11-20 09:20:00 UTC, stopped for 1.2 ms

FINDINGS  1
  P01 error (observed)  the loop is blocked: request-17 waits in recvfrom for 127.0.0.1:5432
      - the thread of the loop sleeps in recvfrom(fd 12)
      tasks: request-17
      threads: thread 4242 (python3)
      fix: use an asynchronous client, or await asyncio.to_thread(...)

LOOP  BLOCKED  asyncio.unix_events._UnixSelectorEventLoop, thread 4242 (python3)
  late      at least 27.3 s (timer due at 972.700)
  thread    asleep in recvfrom(fd 12: tcp 127.0.0.1:50122 -> 127.0.0.1:5432 ESTABLISHED)
            used 3.2 s of CPU time
  behind it 52 ready callbacks; 2 timers, 1 overdue (earliest by 27.3 s), next fires in 3.2 s, 1 cancelled
  runs task request-17
      async Server.handle      /srv/shop/server.py:88
      async place_order        /srv/shop/orders.py:31
            Session.request    /usr/lib/python3/dist-packages/requests/sessions.py:587
    >       SocketIO.readinto  /usr/lib/python3.11/socket.py:706

OTHER TASKS  201 in 2 groups
  200 tasks  Task-3..Task-202
      refresh_price  /srv/shop/prices.py:12
      sleep          /usr/lib/python3.11/asyncio/tasks.py:639
    = wait for timers, 28 overdue by up to 27.3 s, 172 fire in up to 2 min 52 s

  stock
      update_stock  /srv/shop/stock.py:54
      Lock.acquire  /usr/lib/python3.11/asyncio/locks.py:113
    = waits for Lock.acquire() on 0x7f4400001000 (asyncio.locks.Lock)
    = cancellation was requested
    = 1 value could not be read, see below

OTHER THREADS  4
  3 threads  pool_0..pool_2  (4250..4252)  asleep in futex
      _worker  /usr/lib/python3.11/concurrent/futures/thread.py:81
  1 thread without Python: --threads shows it

NOT READ  1 value
  context of task: memory is not mapped at 0xdead0000 (stock)

WARNINGS  1
  the layout of 3.11.2 was chosen by its version
)";

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::size_t count_lines(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

// Text without the sequences that colours are made of.
std::string strip_colours(const std::string& text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\x1b') {
      at = text.find('m', at);
    } else {
      plain += text[at];
    }
  }
  return plain;
}

// The sentence of the only task of a report with one loop.
std::string sentence_for(Wait wait) {
  sample::ReportBuilder builder;
  builder.loop(LoopState::kIdle);
  builder.task("t", std::move(wait));
  const std::string text = render_text(builder.report, {});
  const std::size_t at = text.find("    = ");
  return at == std::string::npos ? "" : text.substr(at + 6, text.find('\n', at) - at - 6);
}

}  // namespace

TEST_CASE("a blocked service is one screen with the blocking call on top") {
  CHECK(render_text(sample::make_blocked_service(), {}) == kBlockedService);
}

TEST_CASE("colour adds nothing but colour, and none of it where it is off") {
  const Report report = sample::make_blocked_service();
  const std::string coloured = render_text(report, {.colour = true});
  CHECK(contains(coloured, "\x1b["));
  CHECK(strip_colours(coloured) == kBlockedService);
  CHECK_FALSE(contains(render_text(report, {}), "\x1b"));
}

TEST_CASE("an idle service says so and shows its tasks") {
  sample::ReportBuilder builder;
  Loop& loop = builder.loop(LoopState::kIdle);
  loop.thread = 0;
  loop.descriptors = {5, 6};
  builder.thread(4242, "python3").loop = 0;
  builder.task("server", OnFuture{Address{0x7f00'0000'1000}, "_asyncio.Future", "pending"}).stack = {
      builder.frame(FrameKind::kCoroutine, "main", "/srv/app.py", 7)};
  builder.group(0, 1);
  CHECK(render_text(builder.report, {}) == R"(process 4242 python3 -m shop.server --port 8080
  Python 3.11.2 (/usr/bin/python3.11), up 3 h 12 min, 84.2 MiB resident
  1 thread, 1 event loop, 1 task: 1 pending
  2026-11-20 09:20:00 UTC, stopped for 1.2 ms

FINDINGS  none

LOOP  idle in its selector  asyncio.unix_events._UnixSelectorEventLoop, thread 4242 (python3)
  queue     0 ready callbacks; no timers; watches 2 descriptors

TASKS  1 in 1 group
  server
      main  /srv/app.py:7
    = waits for future 0x7f0000001000 (_asyncio.Future, pending): nothing more is known of it
)");
}

TEST_CASE("without asyncio the page says why it has no tasks and shows every thread") {
  sample::ReportBuilder builder;
  builder.report.asyncio = AsyncioPresence::kNotImported;
  builder.report.capture.mode = CaptureMode::kRunning;
  Thread& main = builder.thread(4242, "python3");
  main.stack = {builder.frame(FrameKind::kFunction, "<module>", "/srv/job.py", 3, true)};
  main.on_cpu = true;
  main.state = 'R';
  main.holds_gil = true;
  Thread& other = builder.thread(4243, "helper");
  other.waits_for_gil = true;
  CHECK(render_text(builder.report, {}) == R"(process 4242 python3 -m shop.server --port 8080
  Python 3.11.2 (/usr/bin/python3.11), up 3 h 12 min, 84.2 MiB resident
  2 threads, 0 event loops, 0 tasks
  2026-11-20 09:20:00 UTC, read without stopping: values may be torn
  asyncio is not imported: there are no event loops and no tasks; all threads follow

THREADS  2
  thread 4242 (python3)  on the CPU, holds the GIL
    > <module>  /srv/job.py:3
  thread 4243 (helper)  asleep, waits for the GIL, held by thread 4242 (python3)
      (no Python frames)
)");
}

TEST_CASE("every kind of wait is a sentence") {
  CHECK(sentence_for(Unknown{"its future could not be read"}) ==
        "waits for something unknown: its future could not be read");
  CHECK(sentence_for(Running{}) == "running now");
  CHECK(sentence_for(Ready{"not started"}) == "can run: not started");
  CHECK(sentence_for(OnTask{Address{0x10}}) == "waits for task 0x10 (not among the tasks that were found)");
  CHECK(sentence_for(OnTask{Address{0x7f33'0000'0000}}) == "waits for task t (pending)");
  CHECK(sentence_for(OnTimer{1003.2, 3.2}) == "waits for timer, fires in 3.2 s");
  CHECK(sentence_for(OnTimer{995.9, -4.1}) == "waits for timer, overdue by 4.1 s");
  CHECK(sentence_for(OnPrimitive{"Queue", "Queue", "get", Address{0x30}}) == "waits for Queue.get() on 0x30");
  CHECK(sentence_for(OnDescriptor{9}) == "waits for fd 9");
  CHECK(sentence_for(OnMany{"gather", {Address{0x7f33'0000'0000}, Address{0x50}}, 1, 2}) ==
        "waits for gather(), 1 of 2 pending: t, task 0x50");
  CHECK(sentence_for(Done{}).empty());
}

TEST_CASE("ten thousand equal tasks are one block") {
  sample::ReportBuilder builder;
  builder.loop(LoopState::kIdle);
  const Frame frame = builder.frame(FrameKind::kCoroutine, "worker", "/srv/w.py", 5);
  for (int i = 0; i < 10'000; ++i) {
    builder.task("worker-" + std::to_string(i), OnTimer{1001.0 + i, 1.0 + i}).stack = {frame};
  }
  builder.group(0, 10'000);
  const std::string text = render_text(builder.report, {});
  CHECK(contains(text, "  10,000 tasks  worker-0..worker-9999\n      worker  /srv/w.py:5\n"
                       "    = wait for timers, fire in 1.0 s to 2 h 46 min\n"));
  CHECK(count_lines(text) < 15);
}

TEST_CASE("names without a common count are listed as far as they fit, and the rest is counted") {
  sample::ReportBuilder builder;
  builder.loop(LoopState::kIdle);
  for (const char* name : {"Task-7", "Task-3", "Task-4", "Task-10", "import", "Task-01"}) builder.task(name, Running{});
  builder.group(0, 6);
  CHECK(contains(render_text(builder.report, {}), "6 tasks  Task-3, Task-4, Task-7, Task-10, Task-01, import\n"));
  for (int i = 0; i < 300; ++i) builder.task("job-" + std::to_string(i * 2), Running{});
  builder.group(6, 300);
  CHECK(contains(render_text(builder.report, {}),
                 "300 tasks  job-0, job-2, job-4, job-6, job-8, job-10, job-12, job-14, job-16 ... and 291 more\n"));
}

TEST_CASE("what is known of the thing that is waited for is in the sentence") {
  sample::ReportBuilder builder;
  builder.task("a", OnPrimitive{"Lock", "asyncio.locks.Lock", "acquire", Address{0x30}});
  builder.task("b", OnPrimitive{"StreamReader", "asyncio.streams.StreamReader", "readline", Address{0x31}});
  builder.task("c", OnJob{Address{0x32}});
  builder.task("d", OnProcess{77, "wait"});
  Report& report = builder.report;
  report.tasks[0].deadline = Deadline{1012.5, 12.5, "asyncio.timeout"};
  Primitive& lock = report.primitives.emplace_back();
  lock.id = Address{0x30};
  lock.facts = {{"locked", true}};
  lock.holders = {{report.tasks[1].id, "inside `async with` of pay", true}};
  lock.waiters = {report.tasks[0].id, report.tasks[2].id};
  Primitive& reader = report.primitives.emplace_back();
  reader.id = Address{0x31};
  reader.facts = {{"tls", true}};
  reader.descriptor = 7;
  Descriptor& socket = report.descriptors.emplace_back();
  socket.number = 7;
  socket.kind = Descriptor::Kind::kSocket;
  socket.protocol = "tcp";
  socket.local = "10.0.0.1:4242";
  socket.peer = "10.0.0.2:5432";
  socket.tcp_state = "ESTABLISHED";
  Job& job = report.jobs.emplace_back();
  job.id = Address{0x32};
  job.state = JobState::kQueued;
  job.function = "fetch";
  job.executor_type = "ThreadPoolExecutor";
  job.ahead = 3;
  job.workers = 4;
  job.busy = 4;
  ChildProcess& child = report.children.emplace_back();
  child.namespace_pid = 77;
  child.state = 'Z';
  child.name = "conv\x1b[2Jert";
  report.groups = build_groups(report.tasks);
  const std::string text = render_text(report, {.all = true});
  CHECK(contains(text, "= waits for Lock.acquire() on 0x30 (asyncio.locks.Lock): locked, held by b (inside `async with` of pay), 2 waiters\n"));
  CHECK(contains(text, "= timeout in 12.5 s (asyncio.timeout)\n"));
  CHECK(contains(text, "= waits for StreamReader.readline(): fd 7: tcp 10.0.0.1:4242 -> 10.0.0.2:5432 ESTABLISHED (TLS)\n"));
  CHECK(contains(text, "= waits for job fetch in ThreadPoolExecutor, queued behind 3 others, 4 of 4 workers busy\n"));
  CHECK(contains(text, "= waits for child process 77 (a zombie: conv\\x1b[2Jert)\n"));
}

TEST_CASE("groups that do not fit on two screens are a line each, then counted, and shown when all is wanted") {
  sample::ReportBuilder builder;
  builder.loop(LoopState::kIdle);
  for (std::uint32_t i = 0; i < 200; ++i) {
    builder.task("single" + std::to_string(i), OnDescriptor{static_cast<int>(i), ""}).stack = {
        builder.frame(FrameKind::kCoroutine, "serve" + std::to_string(i), "/srv/s.py", 3)};
    builder.group(i, 1);
  }
  const std::string text = render_text(builder.report, {});
  CHECK(count_lines(text) <= 100);
  CHECK(count_lines(text) > 90);
  CHECK(contains(text, "  single3\n      serve3  /srv/s.py:3\n    = waits for fd 3\n"));
  CHECK(contains(text, "  serve28  /srv/s.py:3  = waits for fd 28\n"));
  CHECK(contains(text, "more groups with 1"));
  CHECK_FALSE(contains(text, "single199"));
  const std::string all = render_text(builder.report, {.all = true});
  CHECK(contains(all, "  single199\n"));
  CHECK_FALSE(contains(all, "--all"));
}

TEST_CASE("ten thousand tasks in hundreds of deep stacks fit on two screens, and the largest groups are named") {
  sample::ReportBuilder builder;
  builder.loop(LoopState::kBlocked).thread = 0;
  Thread& thread = builder.thread(1, "python3");
  thread.loop = 0;
  for (int i = 0; i < 300; ++i) thread.stack.push_back(builder.frame(FrameKind::kFunction, "deep" + std::to_string(i), "/srv/d.py", i + 1));
  for (int i = 0; i < 30; ++i) {
    builder.thread(10 + i, "pool").stack.assign(30, builder.frame(FrameKind::kFunction, "wait" + std::to_string(i), "/srv/w.py", 1));
    for (Frame& frame : builder.report.threads.back().stack) frame.line = static_cast<std::int32_t>(&frame - builder.report.threads.back().stack.data());
  }
  std::vector<Frame> frames;
  for (int i = 0; i < 60; ++i) frames.push_back(builder.frame(FrameKind::kCoroutine, "level" + std::to_string(i), "/srv/l.py", i + 1));
  std::uint32_t first = 0;
  for (std::uint32_t group = 0; group < 300; ++group) {
    const std::uint32_t size = group < 3 ? 2000 - group : 14;
    for (std::uint32_t i = 0; i < size; ++i) {
      Task& task = builder.task("", OnDescriptor{5, ""});
      task.stack.assign(frames.begin(), frames.begin() + 1 + group % 60);
      task.stack.push_back(frames[59 - group % 59]);
    }
    builder.group(first, size);
    first += size;
  }
  for (int i = 0; i < 20; ++i) builder.report.warnings.emplace_back("a warning");
  const std::string text = render_text(builder.report, {});
  CHECK(count_lines(text) <= 100);
  for (const char* count : {"2,000 tasks", "1,999 tasks", "1,998 tasks"}) CHECK(contains(text, count));
}

TEST_CASE("loops that do not fit are a line each, the blocked one is whole") {
  sample::ReportBuilder builder;
  for (int i = 0; i < 60; ++i) builder.loop(i == 50 ? LoopState::kBlocked : LoopState::kIdle);
  const std::string text = render_text(builder.report, {});
  CHECK(count_lines(text) <= 100);
  CHECK(text.find("LOOP 51  BLOCKED") < text.find("LOOP 1  idle"));
  CHECK(contains(text, "more loops: --all shows them\n"));
}

TEST_CASE("a deep recursion keeps both ends of its stack") {
  sample::ReportBuilder builder;
  Thread& thread = builder.thread(1, "t");
  for (int i = 0; i < 1000; ++i) {
    thread.stack.push_back(builder.frame(FrameKind::kFunction, "f" + std::to_string(i), "/srv/r.py", i + 1));
  }
  const std::string text = render_text(builder.report, {});
  CHECK(contains(text, "/srv/r.py:1\n"));
  CHECK(contains(text, "/srv/r.py:1000\n"));
  CHECK(contains(text, "... 960 frames left out: --all shows them"));
  CHECK(count_lines(render_text(builder.report, {.all = true})) > 1000);
}

TEST_CASE("frames at one place are shown once with their number") {
  sample::ReportBuilder builder;
  Thread& thread = builder.thread(1, "t");
  thread.stack.assign(950, builder.frame(FrameKind::kFunction, "walk", "/srv/r.py", 4));
  CHECK(contains(render_text(builder.report, {}), "      walk  /srv/r.py:4  (950 times)\n"));
}

TEST_CASE("escape sequences in names, files and threads reach no terminal") {
  const std::string evil = "\x1b]0;evil\x07";
  sample::ReportBuilder builder;
  builder.loop(LoopState::kBlocked).type = evil;
  builder.report.loops[0].thread = 0;
  builder.report.loops[0].current_callback = evil;
  builder.report.loops[0].late = Lateness{1, evil};
  builder.report.loops[0].gaps = {{evil, evil, {}}};
  builder.report.process.command_line = {"python3", evil};
  builder.report.python.library = evil;
  builder.report.python.version = evil;
  Thread& thread = builder.thread(1, evil);
  thread.loop = 0;
  thread.system_call = SystemCallReport{evil, evil, {}, {}, {}};
  thread.stack = {builder.frame(FrameKind::kFunction, evil, evil, 1, true)};
  builder.thread(2, evil);
  Task& task = builder.task(evil, OnPrimitive{evil, evil, evil, {}});
  task.type = evil;
  task.stack = {builder.frame(FrameKind::kCoroutine, evil, evil, 1)};
  builder.task("a", OnFuture{Address{1}, evil, evil});
  builder.task("b", OnMany{evil, {}, 1, 1});
  builder.task("c", Ready{evil});
  builder.task("d", Unknown{evil});
  Finding finding;
  finding.rule = finding.sentence = finding.fix = evil;
  finding.evidence = {evil};
  builder.report.findings = {finding};
  builder.report.gaps = {{evil, evil, {}}};
  builder.report.warnings = {evil};
  for (const bool all : {false, true}) {
    const std::string text = render_text(builder.report, {.all = all, .threads = all});
    CHECK_FALSE(contains(text, "\x1b"));
    CHECK_FALSE(contains(text, "\x07"));
    CHECK(contains(text, "  \\x1b]0;evil\\x07  ("));  // the task's name
    CHECK(contains(text, "\\x1b]0;evil\\x07:1"));     // file and line
  }
}

TEST_CASE("a name of a megabyte does not flood the screen and is cut between characters") {
  sample::ReportBuilder builder;
  builder.loop(LoopState::kIdle);
  std::string name;
  for (int i = 0; i < 300'000; ++i) name += "\xE6\xBC\xA2";
  builder.task(name, Running{});
  const std::string text = render_text(builder.report, {});
  CHECK(text.size() < 2000);
  CHECK_FALSE(contains(text, "\\x"));
  CHECK(contains(text, "\xE6\xBC\xA2...\n"));
}

TEST_CASE("a report with indices that point nowhere is printed nevertheless") {
  sample::ReportBuilder builder;
  Loop& loop = builder.loop(LoopState::kRunning);
  loop.thread = 9;
  loop.current_task = Address{0x99};
  Frame frame;
  frame.function = frame.name = frame.type_name = 77;
  Task& task = builder.task("", OnTask{Address{}});
  task.loop = 5;
  task.stack = {frame};
  builder.group(0, 4);
  const std::string text = render_text(builder.report, {});
  CHECK(contains(text, "runs task task 0x99"));
  CHECK(contains(text, "(unknown function)  (unknown file)"));
}

TEST_CASE("several loops are numbered, the blocked one comes first and tasks name theirs") {
  sample::ReportBuilder builder;
  builder.loop(LoopState::kIdle);
  builder.loop(LoopState::kBlocked);
  builder.task("t", OnDescriptor{4}).loop = 1;
  const std::string text = render_text(builder.report, {});
  CHECK(text.find("LOOP 2  BLOCKED") < text.find("LOOP 1  idle"));
  CHECK(contains(text, "  t  (on loop 2)\n"));
}

TEST_CASE("gaps are counted in full and shown up to ten") {
  sample::ReportBuilder builder;
  for (int i = 0; i < 12; ++i) builder.report.gaps.push_back({"gap " + std::to_string(i), "torn", Address{0x10}});
  const std::string text = render_text(builder.report, {});
  CHECK(contains(text, "NOT READ  12 values\n  gap 0: torn at 0x10\n"));
  CHECK(contains(text, "  gap 9: torn at 0x10\n  ... and 2 more: --all shows them\n"));
}

}  // namespace asyncspy
