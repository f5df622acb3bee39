// The head of the page: which process, which Python, how it was looked at, how much there is.
#include <fmt/format.h>

#include <algorithm>

#include "escape.h"
#include "text_sections.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr std::size_t kCommandColumns = 88;

std::string describe_pause(const CaptureFacts& capture) {
  switch (capture.mode) {
    case CaptureMode::kRunning: return "read without stopping: values may be torn";
    case CaptureMode::kCore: return "read from a core file";
    case CaptureMode::kStopped: break;
  }
  if (capture.stops == 0) return "read while it stood still";
  std::string text = "stopped for " + format_duration(capture.pause_seconds);
  if (capture.stops > 1) text += fmt::format(" in {} stops", capture.stops);
  return text;
}

std::string describe_capture(const CaptureFacts& capture) {
  if (capture.samples < 2) return describe_pause(capture);
  return fmt::format("the last of {} samples in {}, {}", capture.samples, format_duration(capture.sampled_seconds), describe_pause(capture));
}

std::string describe_tasks(const std::vector<Task>& tasks) {
  std::size_t running = 0;
  std::size_t pending = 0;
  std::size_t finished = 0;
  std::size_t cancelled = 0;
  std::size_t unknown = 0;
  for (const Task& task : tasks) {
    if (task.running) {
      ++running;
    } else if (task.state == TaskState::kPending) {
      ++pending;
    } else if (task.state == TaskState::kFinished) {
      ++finished;
    } else if (task.state == TaskState::kCancelled) {
      ++cancelled;
    } else {
      ++unknown;
    }
  }
  std::string text = format_count(tasks.size(), "task");
  std::string_view separator = ": ";
  const auto add = [&](std::size_t count, std::string_view word) {
    if (count == 0) return;
    text += fmt::format("{}{} {}", separator, count, word);
    separator = ", ";
  };
  add(running, "running");
  add(pending, "pending");
  add(finished, "finished");
  add(cancelled, "cancelled");
  add(unknown, "in an unknown state");
  return text;
}

std::string describe_python(const TextPage& page) {
  const Report& report = page.report();
  const ProcessFacts& process = report.process;
  std::string text = "Python " + page.safe(report.python.version);
  if (!report.python.library.empty()) text += fmt::format(" ({})", escape_for_terminal(report.python.library));
  if (report.python.interpreters > 1) text += fmt::format(", {} interpreters", report.python.interpreters);
  if (report.capture.mode != CaptureMode::kCore) text += ", up " + format_duration(process.uptime_seconds);
  if (process.resident_bytes > 0) text += fmt::format(", {} resident", format_bytes(process.resident_bytes));
  return text;
}

// What is unusual about the process and explains the rest.
std::vector<std::string> list_remarks(const ProcessFacts& process) {
  std::vector<std::string> remarks;
  if (process.state == 'T') {
    remarks.emplace_back("the process is stopped by a signal (state T): kill -CONT lets it go on");
  }
  if (process.state == 't') remarks.emplace_back("the process is stopped by a debugger (state t)");
  if (process.state == 'Z') remarks.emplace_back("the process is a zombie");
  if (process.tracer_pid != 0) remarks.push_back(fmt::format("it is traced by process {}", process.tracer_pid));
  if (process.executable_deleted) remarks.emplace_back("its executable was deleted or replaced since it started");
  return remarks;
}

}  // namespace

std::string describe_command(const ProcessFacts& process) {
  std::string text;
  for (const std::string& argument : process.command_line) {
    if (!text.empty()) text += ' ';
    const bool quote = argument.empty() || argument.find_first_of(" \t\n'\"") != std::string::npos;
    text += quote ? "'" + argument + "'" : argument;
  }
  return text.empty() ? "[" + process.name + "]" : text;
}

void put_process(TextPage& page) {
  const Report& report = page.report();
  const ProcessFacts& process = report.process;
  page.line(fmt::format("{} {}", page.paint(Role::kHeading, fmt::format("process {}", process.pid)),
                        page.safe(describe_command(process), kCommandColumns)));
  page.line("  " + describe_python(page));

  const auto python = std::ranges::count_if(report.threads, &Thread::has_python);
  std::string counts = format_count(report.threads.size(), "thread");
  if (static_cast<std::size_t>(python) != report.threads.size()) counts += fmt::format(" ({} with Python)", python);
  counts += ", " + format_count(report.loops.size(), "event loop") + ", " + describe_tasks(report.tasks);
  page.line("  " + counts);

  std::string origin = describe_capture(report.capture);
  if (report.capture.realtime_ns != 0) {
    // "2026-11-20T09:20:00.123456Z" as people write it, without the fraction.
    const std::string instant = format_instant(report.capture.realtime_ns);
    const std::size_t date = instant.find('T');
    origin = fmt::format("{} {} UTC, {}", instant.substr(0, date), instant.substr(date + 1, 8), origin);
  }
  if (process.namespace_pid != 0 && process.namespace_pid != process.pid) {
    origin += fmt::format("; pid {} in its own namespace", process.namespace_pid);
  }
  if (process.other_root) origin += "; in a container (another root)";
  page.line("  " + page.paint(Role::kDim, origin));
  for (const std::string& remark : list_remarks(process)) page.line("  " + page.paint(Role::kWarning, remark));

  if (report.asyncio == AsyncioPresence::kNotImported) {
    page.line("  asyncio is not imported: there are no event loops and no tasks; all threads follow");
  } else if (report.loops.empty()) {
    page.line("  asyncio is imported, but no event loop was found; all threads follow");
  }
}

}  // namespace asyncspy
