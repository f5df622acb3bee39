#include "view.h"

#include "choice.h"
#include "dot_report.h"
#include "json_report.h"
#include "text_report.h"

namespace asyncspy {
namespace {

const std::map<std::string, OutputFormat> kFormats{{"text", OutputFormat::kText}, {"json", OutputFormat::kJson}, {"dot", OutputFormat::kDot}};
constexpr const char* kStates[] = {"running", "pending", "finished", "cancelled", "unknown"};
constexpr const char* kFilters = "Which tasks (several of one option: any of them; different options: all of them)";

CLI::Option* add_filter(CLI::App* command, const std::string& name, std::vector<std::string>& words, const std::string& description) {
  // One word each time, or a second one would be taken from what follows.
  return command->add_option(name, words, description)->option_text("TEXT")->allow_extra_args(false)->group(kFilters);
}

}  // namespace

void add_view_options(CLI::App* command, ViewOptions& options) {
  add_choice(command, "-f,--format", options.format, kFormats, "Form of the report", "text");
  command->add_flag("-a,--all", options.all, "Leave nothing out of the text or picture");
  command->add_flag("--all-findings", options.all_findings, "Every finding in the text, with notes and all evidence");
  command->add_flag("-t,--threads", options.threads, "Stacks of all threads in the text");
  CLI::Option* tree = command->add_flag("--tree", options.tree, "Who waits for whom, from the roots, instead of groups of equal stacks");
  command->add_option("--task", options.task, "All that is known of one task, and who waits for it")
      ->option_text("NAME|ID")
      ->excludes(tree);
  add_choice(command, "--color,--colour", options.colour, kColours, "Colours in the text", "auto");
  TaskFilter& filter = options.filter;
  add_filter(command, "--name", filter.names, "Name of the task; like all of these part of it, or a pattern for the whole with * ? [a-z]");
  const auto check_state = [](const std::string& word) {
    return std::ranges::find(kStates, word) != std::end(kStates) ? std::string() : "'" + word + "' is no state";
  };
  add_filter(command, "--state", filter.states, "State of the task")
      ->option_text("running|pending|finished|cancelled|unknown")
      ->check(CLI::Validator(check_state, "", "state"));
  add_filter(command, "--function", filter.functions, "Qualified name of a function in its stack");
  add_filter(command, "--file", filter.files, "File of a function in its stack");
  add_filter(command, "--wait", filter.waits, "What it waits for, a whole word: timer, task, lock, queue, gather, ...");
  command->add_option("--waiting-longer-than", filter.waiting_longer_than, "Seconds for which it has been at its place, of --samples")
      ->option_text("SECONDS")
      ->check(CLI::NonNegativeNumber)
      ->group(kFilters);
  add_filter(command, "--loop", filter.loops, "Its loop: a number, from 1, or the type");
}

Result<void> check_view(const ViewOptions& options) {
  if (options.format == OutputFormat::kDot && !options.task.empty()) {
    return fail(ErrorKind::kUsage, "command line: --task is a text, not a picture",
                "--name '" + options.task + "' --format dot draws the tasks of this name and what they wait for");
  }
  if (options.format != OutputFormat::kJson) return {};
  if (options.filter.is_empty() && options.task.empty() && !options.tree) return {};
  return fail(ErrorKind::kUsage, "command line: the JSON report always holds everything",
              "leave out --tree, --task and the filters, and pick with jq: jq '.tasks[] | select(.name == \"main\")'");
}

Result<void> show_report(const Report& report, const std::string& tool_version, const ViewOptions& options, OutputFile& output) {
  if (options.filter.waiting_longer_than && report.capture.samples < 2) {
    return fail(ErrorKind::kUsage, "--waiting-longer-than: the report is of one look, which does not tell how long a task has been waiting",
                "asyncspy dump PID --samples 3 makes a report that tells");
  }
  if (options.format == OutputFormat::kJson) {
    write_json(report, {.tool_version = tool_version}, output);
    return {};
  }
  if (options.format == OutputFormat::kDot) {
    write_dot(report, {.all = options.all, .filter = options.filter}, output);
    return {};
  }
  TextOptions text{.colour = wants_colour(options.colour, output), .all = options.all, .threads = options.threads};
  text.all_findings = options.all_findings;
  text.filter = options.filter;
  if (options.tree) text.view = TextView::kTree;
  if (!options.task.empty()) {
    text.view = TextView::kTask;
    text.task = options.task;
    if (find_tasks_named(report, options.task).empty()) {
      return fail(ErrorKind::kUsage, "task '" + options.task + "': no task of the process has this name or id",
                  "leave out --task to see all tasks; a pattern such as '*" + options.task + "*' finds parts of names");
    }
  }
  write_text(report, text, output);
  return {};
}

}  // namespace asyncspy
