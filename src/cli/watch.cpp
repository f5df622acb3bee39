#include "watch.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <regex>

#include "quantity.h"
#include "snapshot_source.h"
#include "watcher.h"

namespace asyncspy {
namespace {

constexpr double kDay = 86'400;

constexpr const char* kWatchFooter = R"(
Logs one JSON object a line on standard output: started, target, incident, stall_ended,
target_ended, removed, error, stopped. An incident's file is the JSON of `asyncspy dump`
with one more member, `incident`: asyncspy show FILE prints it.
SIGUSR1 takes a snapshot of every process; SIGTERM ends the watch.
TIME is a number with us, ms, s, m, h or d behind it; seconds without.)";

// "127.0.0.1:9464", "[::1]:9464", ":9464" (of this machine only).
std::optional<HttpAddress> parse_address_and_port(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  HttpAddress address;
  address.host = text.substr(0, colon);
  if (address.host.empty()) address.host = "127.0.0.1";
  if (address.host.size() > 2 && address.host.front() == '[' && address.host.back() == ']') address.host = address.host.substr(1, address.host.size() - 2);
  const char* begin = text.data() + colon + 1;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(begin, end, address.port);
  if (error != std::errc() || stop != end) return std::nullopt;
  return address;
}

// A line of the log, whole. When nobody reads it any more, the watch goes on: its files and metrics are still there.
void write_line(std::string_view line) {
  while (!line.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, line.data(), line.size());
    if (written < 0 && errno != EINTR) return;
    if (written > 0) line.remove_prefix(static_cast<std::size_t>(written));
  }
}

Result<void> complete(WatchCommandOptions& options) {
  WatchSettings& settings = options.settings;
  for (const std::string& word : options.pids) {
    ASYNCSPY_TRY(pid, parse_process_id(word));
    settings.pids.push_back(pid);
  }
  if (settings.pids.empty() && settings.pattern.empty() && !settings.all) {
    return fail(ErrorKind::kUsage, "command line: nothing to watch", "name a PID, or --match REGEX, or --all; asyncspy ps lists the Python processes");
  }
  try {
    const std::regex pattern(settings.pattern, std::regex::extended | std::regex::nosubs);
  } catch (const std::regex_error& error) {
    return fail(ErrorKind::kUsage, fmt::format("--match '{}': {}", settings.pattern, error.what()), "an extended regular expression, as grep -E takes it");
  }
  if (!options.listen.empty()) {
    settings.listen = parse_address_and_port(options.listen);
    if (!settings.listen) return fail(ErrorKind::kUsage, "--listen " + options.listen + ": is no address and port", "--listen 127.0.0.1:9464, for example");
  }
  settings.max_pause = std::chrono::milliseconds(options.max_pause_ms);
  settings.tool_version = ASYNCSPY_VERSION;
  return {};
}

}  // namespace

void add_watch_options(CLI::App* command, WatchCommandOptions& options) {
  WatchSettings& settings = options.settings;
  command->add_option("PID", options.pids, "Processes to watch; it ends when they have ended")->option_text(" ")->check(CLI::Validator(check_process_id, "", "process id"));
  command->add_option("--match", settings.pattern, "Watch the Python processes whose command line matches, as they come and go")->option_text("REGEX");
  command->add_flag("--all", settings.all, "Watch all Python processes, as they come and go");
  add_duration(command, "-i,--interval", settings.interval, "From one look at a loop to the next; no process is stopped for these", 1e-4, 60);
  add_duration(command, "--stall", settings.stall, "A loop in one step for longer is an incident; 0: it is none", 0, kDay);
  add_duration(command, "--lag", settings.lag, "A loop that goes on, but is later than this; 0: no matter", 0, kDay);
  add_duration(command, "--pending", settings.pending, "A task that waits at one place for longer, as full looks tell; 0: no matter", 0, 365 * kDay);
  command->add_option("--growth", settings.growth, "So many more tasks after five full looks that found ever more; 0: no matter")
      ->option_text("N [0]");
  add_duration(command, "--survey", settings.survey, "From one full look to the next, for which a process is stopped for milliseconds; 0: none", 0, 365 * kDay);
  command->add_option("-d,--directory", settings.directory, "Where the files of incidents go; created when missing")->option_text("DIR [" + settings.directory + "]");
  command->add_option("--keep", settings.keep.files, "So many files at the most: the oldest go")->option_text(fmt::format("N [{}]", settings.keep.files))->check(CLI::PositiveNumber);
  add_size(command, "--keep-bytes", settings.keep.bytes, "So large at the most, together");
  add_duration(command, "--keep-age", settings.keep.age, "So old at the most", 1, 3650 * kDay);
  command->add_option("--rate", settings.files_a_minute, "Files a minute at the most, for each process; 0: no limit")
      ->option_text(fmt::format("N [{}]", settings.files_a_minute))
      ->check(CLI::NonNegativeNumber);
  add_duration(command, "--same-cause", settings.same_cause, "No other file of the same cause for so long; 0: each incident gets one", 0, 365 * kDay);
  add_duration(command, "--ring", settings.ring, "Samples of so long before an incident are kept with it", 0, 3600);
  command->add_option("--listen", options.listen, "Serve /metrics, /healthz, /snapshot?pid=N and /incidents there")->option_text("ADDRESS:PORT");
  CLI::Option* max_pause = command->add_option("--max-pause", options.max_pause_ms, "Longest time that a process may stand still at a stretch, for a full look");
  max_pause->option_text("MS [" + std::to_string(options.max_pause_ms) + "]")->check(CLI::Range(1, 60'000));
  command->add_flag("--no-pause", settings.no_pause, "Never stop a process: values in full looks may be torn")->option_text(" ")->excludes(max_pause);
  command->footer(kWatchFooter);
}

ExitCode run_watch_command(WatchCommandOptions& options) {
  if (auto complete_options = complete(options); !complete_options) return report_error(complete_options.error());
  if (auto done = run_watch(options.settings, write_line); !done) return report_error(done.error());
  return ExitCode::kNothingWrong;
}

}  // namespace asyncspy
