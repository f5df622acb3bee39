#include "dump.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "analyse.h"
#include "confirm.h"
#include "growth.h"
#include "output_file.h"
#include "second_look.h"
#include "waiting_times.h"

namespace asyncspy {
namespace {

// To give much memory back takes a while, in which the report can be finished and shown.
void give_back(std::unique_ptr<RecordingMemory> memory) {
  constexpr std::uint64_t kMuch = std::uint64_t{8} << 20;  // less is done before another thread has begun
  if (!memory || memory->bytes() < kMuch) return;
  try {
    std::thread([kept = std::move(memory)]() mutable { kept.reset(); }).detach();
  } catch (const std::system_error&) {
    // No thread is to be had: it is given back here and now.
  }
}

Result<Report> read_report(const DumpOptions& options) {
  CaptureOptions capture_options;
  capture_options.max_pause = std::chrono::milliseconds(options.max_pause_ms);
  capture_options.no_pause = options.no_pause;
  capture_options.wanted = {.locals = options.locals, .mask = !options.no_mask, .heap = options.heap, .context = options.context};
  capture_options.native = options.native;
  auto snapshot = take_snapshot(options.source, capture_options);
  if (!snapshot) return std::unexpected(std::move(snapshot.error()));
  if (options.native && !snapshot->native_stacks) {
    return fail(ErrorKind::kUsage, "--native: the recording holds no native stacks", "record the process again: asyncspy capture --native PID -o FILE");
  }
  if (!options.native) snapshot->native_stacks.reset();
  if (snapshot->analysis) give_back(std::move(snapshot->memory));  // all of it was read
  auto report = analyse(*snapshot);
  give_back(std::move(snapshot->memory));
  return report;
}

bool is_live(const DumpOptions& options) { return options.source.core.empty() && is_process_id(options.source.name); }

Result<void> check_samples(const DumpOptions& options) {
  if (options.samples < 2 && options.view.filter.waiting_longer_than && is_process_id(options.source.name)) {
    return fail(ErrorKind::kUsage, "--waiting-longer-than: one look does not tell how long a task has been waiting",
                "add --samples 3 --interval 1, for example");
  }
  if (options.samples < 2 || is_live(options)) return {};
  return fail(ErrorKind::kUsage, "--samples: a file is one look at a process, and another one would be the same",
              "asyncspy diff BEFORE AFTER compares two files");
}

// The last of several looks, with what the others say of how long its tasks have been waiting.
Result<Report> sample_report(const DumpOptions& options) {
  auto report = read_report(options);
  const std::chrono::duration<double> interval(options.interval);
  std::optional<Report> first;
  if (options.samples > 1 && report) first = *report;
  auto next = std::chrono::steady_clock::now();
  for (int sample = 1; sample < options.samples && report; ++sample) {
    // Whatever a look takes, the next one is due an interval after this one; one that is late already follows at once.
    next += std::chrono::duration_cast<std::chrono::steady_clock::duration>(interval);
    std::this_thread::sleep_until(next);
    auto later = read_report(options);
    if (later) {
      carry_waiting_times(*report, *later);
      confirm_findings(*report, *later);
    }
    report = std::move(later);
  }
  if (first && report) add_growth_findings(*first, *report);
  if (options.samples < 2 && report && is_live(options)) return confirm_by_second_look(std::move(*report), [&] { return read_report(options); });
  return report;
}

}  // namespace

ExitCode run_dump(const DumpOptions& options) {
  auto output = OutputFile::open(options.output);
  if (!output) return report_error(output.error());
  if (auto samples = check_samples(options); !samples) return report_error(samples.error());
  if (auto view = check_view(options.view); !view) return report_error(view.error());
  // Left to the end of the process, which takes less time than to destroy a million tasks one by one.
  static const auto& report = *new Result<Report>(sample_report(options));
  if (!report) return report_error(report.error());
  if (auto shown = show_report(*report, ASYNCSPY_VERSION, options.view, *output); !shown) return report_error(shown.error());
  const bool is_wrong = std::ranges::any_of(report->findings, [&](const Finding& each) { return is_alarm(each, options.fail_on); });
  return close_output(*output, is_wrong ? ExitCode::kFindings : ExitCode::kNothingWrong);
}

}  // namespace asyncspy
