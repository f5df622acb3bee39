#include "diff.h"

#include "diff_report.h"
#include "output_file.h"
#include "stored_report.h"

namespace asyncspy {

ExitCode run_diff(const DiffCommandOptions& options) {
  auto output = OutputFile::open(options.output);
  if (!output) return report_error(output.error());
  const auto before = load_report(options.before);
  if (!before) return report_error(before.error());
  const auto after = load_report(options.after);
  if (!after) return report_error(after.error());
  const Comparison comparison = compare_reports(before->report, after->report);
  if (comparison.seconds.value_or(0) < 0) {
    return report_error({ErrorKind::kUsage, options.after + ": is older than " + options.before,
                         "asyncspy diff " + options.after + " " + options.before, {}});
  }
  if (options.format == OutputFormat::kJson) {
    write_diff_json(before->report, after->report, comparison, ASYNCSPY_VERSION, *output);
  } else {
    write_diff_text(before->report, after->report, comparison, {.colour = wants_colour(options.colour, *output), .all = options.all}, *output);
  }
  return close_output(*output, ExitCode::kNothingWrong);
}

}  // namespace asyncspy
