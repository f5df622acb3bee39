#include "doctor.h"

#include <array>
#include <string>
#include <tuple>

#include <fmt/format.h>

#include "escape.h"
#include "examine.h"
#include "fields.h"
#include "live_target.h"
#include "output_file.h"
#include "style.h"

namespace asyncspy {
namespace {

constexpr std::chrono::milliseconds kMaxPause{250};

std::string_view word_for(FieldOrigin origin) {
  switch (origin) {
    case FieldOrigin::kVersionFile: return "version file";
    case FieldOrigin::kDebugOffsets: return "_Py_DebugOffsets";
    case FieldOrigin::kAsyncioDebug: return ".AsyncioDebug";
    case FieldOrigin::kMachineCode: return "machine code of the getters";
    case FieldOrigin::kDwarf: return "debug information";
  }
  return "?";
}

std::string_view word_for(CheckResult result) {
  switch (result) {
    case CheckResult::kPassed: return "passed";
    case CheckResult::kFailed: return "FAILED";
    case CheckResult::kSkipped: return "skipped";
  }
  return "?";
}

void append_steps(const Examination& examination, const Style& style, std::string& text) {
  for (const ExaminationStep& step : examination.steps) {
    std::string_view mark = "ok  ";
    Role role = Role::kGood;
    if (step.outcome == ExaminationStep::Outcome::kNote) mark = "note", role = Role::kWarning;
    if (step.outcome == ExaminationStep::Outcome::kBad) mark = "BAD ", role = Role::kBlocked;
    text += fmt::format("{}  {:<12} {}\n", style.paint(role, mark), step.subject, escape_for_terminal(step.text));
    if (!step.hint.empty()) text += fmt::format("                   hint: {}\n", escape_for_terminal(step.hint));
  }
}

void append_origins(const Runtime& runtime, std::string& text) {
  std::array<int, 5> counts{};
  for (FieldOrigin origin : runtime.origins) ++counts[static_cast<std::size_t>(origin)];
  text += fmt::format("\nLAYOUT  3.{}, version file measured on {}\n", runtime.layout.minor, runtime.layout.measured_from);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) text += fmt::format("  {:>4} members from {}\n", counts[i], word_for(static_cast<FieldOrigin>(i)));
  }
}

void append_checks(const Runtime& runtime, std::string& text) {
  text += "\nSELF-CHECKS\n";
  for (const SelfCheck& check : runtime.checks) {
    text += fmt::format("  {:<8} {:<30} {}\n", word_for(check.result), check.subject, escape_for_terminal(check.detail));
  }
}

void append_fields(const Runtime& runtime, std::string& text) {
  text += "\nMEMBERS  offset in bytes, origin\n";
  std::size_t index = 0;
  for_each_field(runtime.layout, [&](std::string_view name, const auto& field) {
    std::int32_t offset = layout_detail::offset_of(field);
    std::string shown = offset < 0 ? std::string("absent") : fmt::format("{}", offset);
    text += fmt::format("  {:<36} {:>7}  {}\n", name, shown, word_for(runtime.origins[index]));
    ++index;
  });
}

}  // namespace

ExitCode run_doctor(const DoctorOptions& options) {
  auto output = OutputFile::open("-");
  if (!output) return report_error(output.error());
  auto target = LiveTarget::attach(options.pid);
  if (!target) return report_error(target.error());
  Examination examination = examine(**target, !options.no_pause, kMaxPause);
  Style style(wants_colour(options.colour, *output));
  std::string text;
  append_steps(examination, style, text);
  if (examination.runtime) {
    append_origins(*examination.runtime, text);
    append_checks(*examination.runtime, text);
    if (options.layout) append_fields(*examination.runtime, text);
  }
  std::ignore = output->write(text);
  return close_output(*output, examination.error ? to_exit_code(examination.error->kind) : ExitCode::kNothingWrong);
}

}  // namespace asyncspy
