#include "sample_report.h"

namespace asyncspy::sample {
namespace {

void add_blocked_task(ReportBuilder& b) {
  std::vector<Frame> stack{
      b.frame(FrameKind::kCoroutine, "Server.handle", "/srv/shop/server.py", 88, true),
      b.frame(FrameKind::kCoroutine, "place_order", "/srv/shop/orders.py", 31, true),
      b.frame(FrameKind::kFunction, "Session.request", "/usr/lib/python3/dist-packages/requests/sessions.py", 587,
              true),
      b.frame(FrameKind::kFunction, "SocketIO.readinto", "/usr/lib/python3.11/socket.py", 706, true)};
  Task& task = b.task("request-17", Running{});
  task.running = true;
  task.stack = std::move(stack);
  b.report.loops[0].current_task = task.id;
}

void add_sleepers(ReportBuilder& b, int count) {
  const Frame outer = b.frame(FrameKind::kCoroutine, "refresh_price", "/srv/shop/prices.py", 12);
  const Frame inner = b.frame(FrameKind::kCoroutine, "sleep", "/usr/lib/python3.11/asyncio/tasks.py", 639);
  const auto first = static_cast<std::uint32_t>(b.report.tasks.size());
  for (int i = 0; i < count; ++i) {
    const double remaining = -27.3 + i;
    b.task("Task-" + std::to_string(i + 3), OnTimer{1000 + remaining, remaining}).stack = {outer, inner};
  }
  b.group(first, static_cast<std::uint32_t>(count));
}

void add_lock_waiter(ReportBuilder& b) {
  std::vector<Frame> stack{b.frame(FrameKind::kCoroutine, "update_stock", "/srv/shop/stock.py", 54),
                           b.frame(FrameKind::kCoroutine, "Lock.acquire", "/usr/lib/python3.11/asyncio/locks.py", 113)};
  const auto index = static_cast<std::uint32_t>(b.report.tasks.size());
  Task& task = b.task("stock", OnPrimitive{"Lock", "asyncio.locks.Lock", "acquire", Address{0x7f44'0000'1000}});
  task.stack = std::move(stack);
  task.cancel_requests = 1;
  task.gaps = {{"context of task", "memory is not mapped", Address{0xdead'0000}}};
  b.group(index, 1);
}

void add_threads(ReportBuilder& b) {
  Thread& main = b.thread(4242, "python3");
  main.cpu_seconds = 3.2;
  main.loop = 0;
  Descriptor socket;
  socket.number = 12;
  socket.kind = Descriptor::Kind::kSocket;
  socket.path = "socket:[987]";
  socket.protocol = "tcp";
  socket.local = "127.0.0.1:50122";
  socket.peer = "127.0.0.1:5432";
  socket.tcp_state = "ESTABLISHED";
  main.system_call = SystemCallReport{"recvfrom", "recvfrom(fd 12)", socket, std::nullopt, {}};
  for (int i = 0; i < 3; ++i) {
    const Frame worker =
        b.frame(FrameKind::kFunction, "_worker", "/usr/lib/python3.11/concurrent/futures/thread.py", 81);
    Thread& thread = b.thread(4250 + i, "pool_" + std::to_string(i));
    thread.system_call = SystemCallReport{"futex", "futex(FUTEX_WAIT, 0x7f00" + std::to_string(i) + ")", {}, {}, {}};
    thread.stack = {worker};
    thread.stack[0].function = i == 0 ? worker.function : b.report.threads[1].stack[0].function;
  }
  Thread& native = b.thread(4260, "jemalloc_bg");
  native.has_python = false;
}

}  // namespace

Report make_blocked_service() {
  ReportBuilder b;
  Loop& loop = b.loop(LoopState::kBlocked);
  loop.thread = 0;
  loop.late = Lateness{27.3, "timer due at 972.700"};
  loop.ready = 52;
  loop.debug = false;
  loop.descriptors = {5, 6, 9};
  const auto callback = static_cast<std::uint32_t>(b.report.names.size());
  b.report.names.emplace_back("Future.set_result");
  loop.timers = {{Address{0x7f55'0000'0000}, 972.7, false, callback},
                 {Address{0x7f55'0000'0100}, 1003.2, false, callback},
                 {Address{0x7f55'0000'0200}, 1004.0, true, kNoFunction}};
  add_threads(b);
  add_blocked_task(b);
  b.group(0, 1);
  add_sleepers(b, 200);
  add_lock_waiter(b);
  Finding finding;
  finding.rule = "P01";
  finding.severity = Severity::kError;
  finding.confidence = Confidence::kObserved;
  finding.sentence = "the loop is blocked: request-17 waits in recvfrom for 127.0.0.1:5432";
  finding.tasks = {b.report.tasks[0].id};
  finding.threads = {4242};
  finding.evidence = {"the thread of the loop sleeps in recvfrom(fd 12)"};
  finding.fix = "use an asynchronous client, or await asyncio.to_thread(...)";
  b.report.findings = {finding};
  b.report.warnings = {"the layout of 3.11.2 was chosen by its version"};
  return std::move(b.report);
}

}  // namespace asyncspy::sample
