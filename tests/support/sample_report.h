// Reports made by hand, for the tests of everything that prints one.
#pragma once

#include <string>
#include <utility>

#include "report.h"

namespace asyncspy::sample {

class ReportBuilder {
 public:
  ReportBuilder() {
    Report& r = report;
    r.process.pid = 4242;
    r.process.namespace_pid = 4242;
    r.process.command_line = {"python3", "-m", "shop.server", "--port", "8080"};
    r.process.executable = "/usr/bin/python3.11";
    r.process.name = "python3";
    r.process.state = 'S';
    r.process.user_id = 1000;
    r.process.uptime_seconds = 11520;
    r.process.resident_bytes = 88'290'000;
    r.python = {.version = "3.11.2", .hex_version = 0x030b02f0, .library = "/usr/bin/python3.11", .interpreters = 1};
    r.capture = {.mode = CaptureMode::kStopped,
                 .pause_seconds = 0.0012,
                 .stops = 1,
                 .bytes_copied = 3'565'158,
                 .monotonic_ns = 1'000'000'000'000,
                 .realtime_ns = 1'795'166'400'123'456'000};
    r.asyncio = AsyncioPresence::kImported;
  }

  Frame frame(FrameKind kind, std::string function, std::string file, int line, bool running = false) {
    const std::size_t dot = function.rfind('.');
    std::string name = dot == std::string::npos ? function : function.substr(dot + 1);
    const auto index = static_cast<FunctionIndex>(report.functions.size());
    report.functions.push_back({std::move(name), std::move(function), std::move(file), line > 0 ? line - 1 : 0});
    Frame result;
    result.function = index;
    result.line = line;
    result.kind = kind;
    result.running = running;
    if (kind != FrameKind::kFunction) result.object = Address{0x7f00'0000'9000} + 16 * index;
    return result;
  }

  Thread& thread(int tid, std::string name) {
    Thread thread;
    thread.tid = tid;
    thread.namespace_tid = tid;
    thread.name = std::move(name);
    thread.state = 'S';
    thread.has_python = true;
    thread.python_thread = Address{0x7f11'0000'0000 + static_cast<std::uint64_t>(tid) * 4096};
    report.threads.push_back(std::move(thread));
    return report.threads.back();
  }

  Loop& loop(LoopState state) {
    Loop loop;
    loop.id = Address{0x7f22'0000'0000 + 64 * report.loops.size()};
    loop.type = "asyncio.unix_events._UnixSelectorEventLoop";
    loop.state = state;
    loop.ready = 0;
    report.loops.push_back(std::move(loop));
    return report.loops.back();
  }

  Task& task(std::string name, Wait wait) {
    Task task;
    task.id = Address{0x7f33'0000'0000 + 256 * report.tasks.size()};
    task.name = std::move(name);
    task.state = TaskState::kPending;
    task.type = "_asyncio.Task";
    task.loop = 0;
    task.must_cancel = false;
    task.cancel_requests = 0;
    task.callbacks = 1;
    task.wait = std::move(wait);
    report.tasks.push_back(std::move(task));
    return report.tasks.back();
  }

  void group(std::uint32_t first, std::uint32_t count) {
    TaskGroup group;
    for (std::uint32_t i = 0; i < count; ++i) group.tasks.push_back(first + i);
    report.groups.push_back(std::move(group));
  }

  Report report;
};

// A service whose loop hangs in a query to its database, with two hundred sleepers, waiters and a worker thread.
[[nodiscard]] Report make_blocked_service();

}  // namespace asyncspy::sample
