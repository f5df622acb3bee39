// How a report is to be shown: the options that dump and show share, and the showing.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "colour_choice.h"
#include "output_file.h"
#include "report.h"
#include "result.h"
#include "task_filter.h"

namespace asyncspy {

enum class OutputFormat { kText, kJson, kDot };

struct ViewOptions {
  OutputFormat format = OutputFormat::kText;
  bool all = false;
  bool all_findings = false;
  bool threads = false;
  bool tree = false;
  std::string task;  // empty: all of them
  TaskFilter filter;
  ColourChoice colour = ColourChoice::kAuto;
};

void add_view_options(CLI::App* command, ViewOptions& options);

// Whether the options go together. To be asked before anything is done to a target.
[[nodiscard]] Result<void> check_view(const ViewOptions& options);

// `tool_version` is of the asyncspy that made the report. Fails when there is nothing to show of what is asked for.
[[nodiscard]] Result<void> show_report(const Report& report, const std::string& tool_version, const ViewOptions& options,
                                       OutputFile& output);

}  // namespace asyncspy
