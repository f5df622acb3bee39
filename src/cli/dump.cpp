#include "dump.h"

#include <algorithm>
#include <chrono>

#include "analyse.h"
#include "output_file.h"

namespace asyncspy {
namespace {

Result<Report> read_report(const DumpOptions& options) {
  CaptureOptions capture_options;
  capture_options.max_pause = std::chrono::milliseconds(options.max_pause_ms);
  capture_options.no_pause = options.no_pause;
  capture_options.wanted = {.locals = options.locals, .mask = !options.no_mask, .context = options.context};
  capture_options.native = options.native;
  auto snapshot = take_snapshot(options.source, capture_options);
  if (!snapshot) return std::unexpected(std::move(snapshot.error()));
  if (options.native && !snapshot->native_stacks) {
    return fail(ErrorKind::kUsage, "--native: the recording holds no native stacks", "record the process again: asyncspy capture --native PID -o FILE");
  }
  if (!options.native) snapshot->native_stacks.reset();
  return analyse(*snapshot);
}

}  // namespace

ExitCode run_dump(const DumpOptions& options) {
  auto output = OutputFile::open(options.output);
  if (!output) return report_error(output.error());
  if (auto view = check_view(options.view); !view) return report_error(view.error());
  // Left to the end of the process, which takes less time than to destroy a million tasks one by one.
  static const auto& report = *new Result<Report>(read_report(options));
  if (!report) return report_error(report.error());
  if (auto shown = show_report(*report, ASYNCSPY_VERSION, options.view, *output); !shown) return report_error(shown.error());
  const bool is_wrong = std::ranges::any_of(report->findings, [&](const Finding& each) { return is_alarm(each, options.fail_on); });
  return close_output(*output, is_wrong ? ExitCode::kFindings : ExitCode::kNothingWrong);
}

}  // namespace asyncspy
