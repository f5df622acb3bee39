#include "ps.h"

#include <algorithm>
#include <optional>

#include "analyse.h"
#include "capture.h"
#include "live_target.h"
#include "output_file.h"
#include "process_list.h"
#include "python_processes.h"

namespace asyncspy {
namespace {

Result<Report> read_report(int pid) {
  auto target = LiveTarget::attach(pid);
  if (!target) return std::unexpected(std::move(target.error()));
  CaptureOptions options;
  options.no_pause = true;
  auto snapshot = capture(**target, options);
  if (!snapshot) return std::unexpected(std::move(snapshot.error()));
  return analyse(*snapshot);
}

// Nothing when the process ended meanwhile or turned out to hold no Python.
std::optional<ProcessSummary> summarise(const Candidate& candidate) {
  ProcessSummary summary;
  summary.pid = candidate.pid;
  summary.name = candidate.name;
  summary.command_line = candidate.command_line;
  const auto report = read_report(candidate.pid);
  if (!report) {
    const ErrorKind kind = report.error().kind;
    if (kind == ErrorKind::kNoProcess || kind == ErrorKind::kNotPython) return std::nullopt;
    summary.error = report.error();
    return summary;
  }
  summary.python_version = report->python.version;
  summary.asyncio = report->asyncio == AsyncioPresence::kImported;
  summary.loops = report->loops.size();
  summary.blocked_loops = static_cast<std::size_t>(
      std::ranges::count(report->loops, LoopState::kBlocked, &Loop::state));
  summary.tasks = report->tasks.size();
  summary.findings = static_cast<std::size_t>(std::ranges::count_if(report->findings, [](const Finding& each) { return is_alarm(each); }));
  return summary;
}

}  // namespace

ExitCode run_ps(const PsOptions& options) {
  auto output = OutputFile::open("-");
  if (!output) return report_error(output.error());
  const Candidates candidates = find_python_processes();
  ProcessList list;
  list.not_inspected = candidates.hidden;
  for (const Candidate& candidate : candidates.processes) {
    if (auto summary = summarise(candidate)) list.processes.push_back(std::move(*summary));
  }
  if (options.format == OutputFormat::kJson) {
    write_process_json(list, ASYNCSPY_VERSION, *output);
  } else {
    write_process_table(list, Style(wants_colour(options.colour, *output)), *output);
  }
  // Refused everywhere is a failure of its own kind; refused here and there is normal on a shared machine.
  const bool any_read = std::ranges::any_of(list.processes, [](const auto& process) { return !process.error; });
  const bool any_refused = std::ranges::any_of(list.processes, [](const auto& process) {
    return process.error && process.error->kind == ErrorKind::kPermission;
  });
  return close_output(*output, !any_read && any_refused ? ExitCode::kNoPermission : ExitCode::kNothingWrong);
}

}  // namespace asyncspy
