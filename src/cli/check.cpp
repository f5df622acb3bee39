#include "check.h"

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <thread>

#include "escape.h"
#include "output_file.h"
#include "own_code.h"
#include "own_cost.h"
#include "quantity.h"
#include "snapshot_source.h"
#include "target_watch.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr double kInterval = 0.002;  // seconds from one look to the next
constexpr double kSlowInterval = 0.02;
constexpr double kQuickSeconds = 0.1;

ExitCode say(const std::string& text, ExitCode code) {
  const ExitCode printed = print_text(escape_for_terminal(text) + "\n");
  return printed == ExitCode::kNothingWrong ? code : printed;
}

std::string describe_step(const LightLoop& loop) {
  std::string text;
  if (const LightFrame* frame = find_own_frame(loop.stack)) {
    text = fmt::format(" in {}  {}:{}", frame->function, frame->file, frame->line);
  } else if (!loop.callback.empty()) {
    text = " in " + loop.callback;
  }
  return loop.call.empty() ? text : text + ", asleep in " + loop.call;
}

}  // namespace

void add_check_options(CLI::App* command, CheckOptions& options) {
  command->add_option("PID", options.pid, "Process to check")->required()->option_text(" ")->check(CLI::Validator(check_process_id, "", "process id"));
  add_duration(command, "--max-stall", options.max_stall, "A loop that stays in one step for longer does not go on: exit code 1", 0.01, 3600);
  command->footer(R"(
Exit codes:
  0  all event loops go on or idle, or none runs     3  no permission
  1  one has been in one step for --max-stall        4  not a Python process that can be read
  2  wrong command line                              5  a Python version that asyncspy can not read

Never stops the process. The answer comes within milliseconds, unless a loop is in a long
step: then it is watched until it goes on, for --max-stall at the longest.)");
}

ExitCode run_check(const CheckOptions& options) {
  const auto parsed = parse_process_id(options.pid);
  if (!parsed) return report_error(parsed.error());
  const int pid = *parsed;
  WatchSettings settings;
  settings.interval = kInterval;
  settings.stall = options.max_stall;
  settings.lag = options.max_stall;
  settings.ring = 0;
  const double begun = monotonic_seconds();
  auto watch = TargetWatch::attach(pid, settings, begun);
  if (!watch) return report_error(watch.error());
  for (bool is_first = true;; is_first = false) {
    std::vector<LoopEvent> events;
    const double now = monotonic_seconds();
    if (now - begun > kQuickSeconds) settings.interval = kSlowInterval;
    if (auto looked = watch->look(now, events); !looked) return report_error(looked.error());
    for (const LoopEvent& event : events) {
      if (event.kind == LoopEvent::Kind::kStallEnds) continue;
      const std::string_view what = event.kind == LoopEvent::Kind::kLags ? "late by" : "in one step for";
      return say(fmt::format("process {}: an event loop has been {} at least {}{}", pid, what, format_duration(event.seconds), describe_step(event.loop)),
                 ExitCode::kFindings);
    }
    if (!is_first && watch->loops() == 0) return say(fmt::format("process {}: no event loop runs", pid), ExitCode::kNothingWrong);
    if (!is_first && watch->is_lively()) {
      return say(fmt::format("process {}: {} on", pid, watch->loops() == 1 ? "its event loop goes" : "all event loops go"), ExitCode::kNothingWrong);
    }
    // Neither in a step nor idle: a signal or a debugger has stopped it, for instance.
    if (now - begun > options.max_stall + kQuickSeconds) {
      return say(fmt::format("process {}: no event loop was seen to go on in {}", pid, format_duration(now - begun)), ExitCode::kFindings);
    }
    std::this_thread::sleep_for(std::chrono::duration<double>(std::max(0.0, watch->next_due() - monotonic_seconds())));
  }
}

}  // namespace asyncspy
