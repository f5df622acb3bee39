#include "show.h"

#include "output_file.h"
#include "stored_report.h"

namespace asyncspy {

ExitCode run_show(const ShowOptions& options) {
  if (auto view = check_view(options.view); !view) return report_error(view.error());
  auto output = OutputFile::open(options.output);
  if (!output) return report_error(output.error());
  const auto stored = load_report(options.file);
  if (!stored) return report_error(stored.error());
  if (auto shown = show_report(stored->report, stored->tool_version, options.view, *output); !shown) return report_error(shown.error());
  return close_output(*output, stored->report.findings.empty() ? ExitCode::kNothingWrong : ExitCode::kFindings);
}

}  // namespace asyncspy
