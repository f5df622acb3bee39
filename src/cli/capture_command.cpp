#include "capture_command.h"

#include <chrono>

#include "analyse.h"
#include "output_file.h"
#include "recording.h"

namespace asyncspy {
namespace {

Result<Snapshot> take(const CaptureCommandOptions& options) {
  CaptureOptions capture_options;
  capture_options.max_pause = std::chrono::milliseconds(options.max_pause_ms);
  capture_options.native = options.native;
  capture_options.full = options.full;
  capture_options.sparse = !options.full;
  if (options.locals) capture_options.wanted = {.locals = true, .mask = false, .context = {"*"}};
  auto snapshot = take_snapshot(options.source, capture_options);
  if (!snapshot || !snapshot->source) return snapshot;
  // A recording is made smaller, to be handed on: what an analysis of it does not ask for is left out.
  if (options.full) {
    return fail(ErrorKind::kUsage, "command line: --full takes a process or a core", "a recording can only be made smaller");
  }
  if (auto report = analyse(*snapshot); !report) return std::unexpected(std::move(report.error()));
  return snapshot;
}

// A write that fails shows when the output is closed.
Result<void> write(Snapshot& snapshot, bool plain, OutputFile& output) {
  const auto put = [&output](std::string_view bytes) { return output.write(bytes); };
  if (plain) {
    const auto done = write_recording(snapshot, ASYNCSPY_VERSION, put);
    if (!done) return std::unexpected(done.error());
    return {};
  }
  ZstdWriter compressed(put);
  const auto done = write_recording(snapshot, ASYNCSPY_VERSION, [&](std::string_view bytes) { return compressed.write(bytes); });
  if (!done) return std::unexpected(done.error());
  if (*done) (void)compressed.finish();
  return {};
}

}  // namespace

ExitCode run_capture(const CaptureCommandOptions& options) {
  auto output = OutputFile::open(options.output);
  if (!output) return report_error(output.error());
  if (output->is_terminal()) {
    return report_error({ErrorKind::kUsage, "command line: a recording is no text for a terminal", "name a file with -o FILE", {}});
  }
  auto snapshot = take(options);
  if (!snapshot) return report_error(snapshot.error());
  if (auto done = write(*snapshot, options.plain, *output); !done) return report_error(done.error());
  return close_output(*output, ExitCode::kNothingWrong);
}

}  // namespace asyncspy
