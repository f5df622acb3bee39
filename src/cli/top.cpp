#include "top.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <ctime>

#include "json_report.h"
#include "output_file.h"
#include "procfs.h"
#include "python_processes.h"
#include "snapshot_source.h"
#include "top_program.h"

namespace asyncspy {
namespace {

bool is_called(const Candidate& candidate, const std::string& name) {
  const auto has = [&name](const std::string& text) { return text.find(name) != std::string::npos; };
  return has(candidate.name) || std::ranges::any_of(candidate.command_line, has);
}

// The highest number: as good as any, and mostly the newest.
std::optional<int> find_process(const std::string& name, int but) {
  std::optional<int> found;
  for (const Candidate& candidate : find_python_processes().processes) {
    if (candidate.pid != but && is_called(candidate, name)) found = candidate.pid;
  }
  return found;
}

// Whether `ancestor` started it, or what it started did.
bool descends_from(int pid, int ancestor) {
  constexpr int kMostGenerations = 32;
  for (int generation = 0; generation < kMostGenerations && pid > 1; ++generation) {
    const auto stat = read_process_stat(std::to_string(pid));
    if (!stat) return false;
    if (stat->parent == ancestor) return true;
    pid = stat->parent;
  }
  return false;
}

std::vector<int> find_children(int pid) {
  std::vector<int> children;
  for (const Candidate& candidate : find_python_processes().processes) {
    if (descends_from(candidate.pid, pid)) children.push_back(candidate.pid);
  }
  return children;
}

// Into the working directory, under a name that says of what and when.
Result<std::string> save_report(const Report& report) {
  const std::time_t when = static_cast<std::time_t>(report.capture.realtime_ns / 1'000'000'000);
  std::tm parts{};
  ::gmtime_r(&when, &parts);
  const std::string path = fmt::format("asyncspy-{}-{:04}{:02}{:02}T{:02}{:02}{:02}.{:03}Z.json", report.process.pid, parts.tm_year + 1900, parts.tm_mon + 1,
                                       parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, report.capture.realtime_ns / 1'000'000 % 1000);
  auto file = OutputFile::open(path);
  if (!file) return std::unexpected(std::move(file.error()));
  write_json(report, {.tool_version = ASYNCSPY_VERSION}, *file);
  if (auto done = file->finish(); !done) return std::unexpected(std::move(done.error()));
  return path;
}

bool wants_no_colour(ColourChoice choice) {
  const char* no_colour = std::getenv("NO_COLOR");
  return choice == ColourChoice::kNever || (choice == ColourChoice::kAuto && no_colour != nullptr && *no_colour != '\0');
}

int batch_width() {
  constexpr int kUsual = 160;
  constexpr int kWidest = 1000;
  const char* columns = std::getenv("COLUMNS");
  const int wanted = columns == nullptr ? 0 : std::atoi(columns);
  return wanted >= 40 ? std::min(wanted, kWidest) : kUsual;
}

Result<TopOptions> make_options(const TopCommandOptions& command) {
  TopOptions options;
  for (const std::string& word : command.pids) {
    ASYNCSPY_TRY(pid, parse_process_id(word));
    options.pids.push_back(pid);
  }
  if (options.pids.empty() && command.wait_name.empty()) {
    return fail(ErrorKind::kUsage, "command line: PID is required", "asyncspy ps lists the Python processes; --wait NAME waits for one");
  }
  options.wait_name = command.wait_name;
  options.subprocesses = command.subprocesses;
  options.watch.no_pause = command.no_pause;
  options.watch.max_pause = std::chrono::milliseconds(command.max_pause_ms);
  options.watch.limits.full_interval = command.interval;
  options.colours = wants_no_colour(command.colour) ? ColourUse::kNone : ColourUse::kWhereThereAre;
  options.batch_count = command.count;
  options.batch_width = batch_width();
  return options;
}

ExitCode run_batch(const TopOptions& options, TopServices services) {
  auto output = OutputFile::open("-");
  if (!output) return report_error(output.error());
  services.print = [&output](std::string_view text) { return output->write(text); };
  if (const auto done = run_top_batch(options, services); !done) return report_error(done.error());
  return close_output(*output, ExitCode::kNothingWrong);
}

}  // namespace

ExitCode run_top(const TopCommandOptions& command) {
  const auto options = make_options(command);
  if (!options) return report_error(options.error());
  TopServices services{find_process, find_children, save_report, [](std::string_view) { return false; }};
  if (command.batch) return run_batch(*options, std::move(services));
  const auto end = run_top_screen(*options, services);
  if (!end) return report_error(end.error());
  if (end->signal != 0) {  // the shell is to see what ended it
    ::signal(end->signal, SIG_DFL);
    ::raise(end->signal);
  }
  return ExitCode::kNothingWrong;
}

}  // namespace asyncspy
