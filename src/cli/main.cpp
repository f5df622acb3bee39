// The command line of asyncspy: parses it and hands over to one file per command.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <string>
#include <string_view>

#include "capture_command.h"
#include "check.h"
#include "choice.h"
#include "diff.h"
#include "doctor.h"
#include "dump.h"
#include "explain.h"
#include "exit_code.h"
#include "output_file.h"
#include "ps.h"
#include "show.h"
#include "top.h"
#include "watch.h"

namespace asyncspy {
namespace {

constexpr const char* kFooter = R"(
Exit codes:
  0  nothing wrong              4  not a Python process that can be read
  1  findings (see --fail-on)   5  a Python version that asyncspy can not read
  2  wrong command line         6  internal error, or output that can not be written
  3  no permission

Permissions:
  asyncspy reads another process, so it needs what a debugger needs: the same user with
  kernel.yama.ptrace_scope=0, or root, or the capability CAP_SYS_PTRACE. In a container add
  it with --cap-add SYS_PTRACE; in Kubernetes with securityContext.capabilities, and
  shareProcessNamespace: true when asyncspy runs in a container beside the target's.
  The target is only read: no code is injected and no byte of it is written.)";

// A process, or what is left of one. In place of the process id: a file's path, which --core also takes when it looks
// like a number.
void add_source(CLI::App* command, SnapshotSource& source) {
  CLI::Option* name = command->add_option("PID", source.name, "Process to read, or a core file or recording in its place");
  name->required()->option_text(" ")->check(CLI::Validator(check_source, "", "process id"));
  const auto take_core = [&source, name](const std::string& path) {
    source.core = path;
    name->required(false);
  };
  CLI::Option* core = command->add_option_function<std::string>("--core", take_core, "Core file or recording to read");
  core->option_text("FILE")->check(CLI::ExistingPath)->excludes(name)->trigger_on_parse();
  command->add_option("--root", source.root, "Directory that holds the files of the process, for a core of another machine")
      ->option_text("DIR")
      ->check(CLI::ExistingDirectory);
}

const std::map<std::string, Confidence> kConfidences{
    {"proven", Confidence::kProven}, {"observed", Confidence::kObserved}, {"suspected", Confidence::kSuspected}};

void add_dump_options(CLI::App* command, DumpOptions& options) {
  add_source(command, options.source);
  add_view_options(command, options.view);
  command->add_option("-o,--output", options.output, "File to write, readable by its owner only; - is standard output")
      ->option_text("FILE");
  command->add_flag("--locals", options.locals, "Arguments and local variables under each frame");
  command->add_option("--context", options.context, "Context variable to show for each task, such as request_id; may be repeated")
      ->option_text("NAME")
      ->allow_extra_args(false)
      ->take_all();
  command->add_flag("--no-mask", options.no_mask, "Show values that look like secrets");
  CLI::Option* samples = command->add_option("--samples", options.samples, "Look so many times, and say how long tasks have been where they are");
  samples->option_text("N [1]")->check(CLI::Range(1, 10'000));
  command->add_option("--interval", options.interval, "From one sample to the next")
      ->option_text("SECONDS [1]")
      ->check(CLI::Range(0.01, 3600.0))
      ->needs(samples);
  CLI::Option* max_pause = command->add_option("--max-pause", options.max_pause_ms,
                                               "Longest time that the process may stand still at a stretch");
  max_pause->option_text("MS [" + std::to_string(options.max_pause_ms) + "]")->check(CLI::Range(1, 60'000));
  command->add_flag("--no-pause", options.no_pause, "Do not stop the process: values may be torn")
      ->option_text(" ")
      ->excludes(max_pause);
  add_choice(command, "--fail-on", options.fail_on, kConfidences, "Exit with 1 for warnings and errors that are at least as sure", "observed");
  command->add_flag("--heap", options.heap, "Look at every object of the process: what was never awaited or closed; a longer pause");
  command->add_flag("-n,--native", options.native, "Between Python's frames the calls in C of each thread, by the libraries' symbols");
  command->footer(kFooter);
}

const std::map<std::string, OutputFormat> kListFormats{{"text", OutputFormat::kText}, {"json", OutputFormat::kJson}};

void add_diff_options(CLI::App* command, DiffCommandOptions& options) {
  command->add_option("BEFORE", options.before, "JSON of dump, a recording or a core file")->required()->option_text(" ");
  command->add_option("AFTER", options.after, "The same, of the same process, later")->required()->option_text(" ");
  add_choice(command, "-f,--format", options.format, kListFormats, "Form of the comparison", "text");
  command->add_flag("-a,--all", options.all, "Leave nothing out of the text");
  add_choice(command, "--color,--colour", options.colour, kColours, "Colours in the text", "auto");
  command->add_option("-o,--output", options.output, "File to write, readable by its owner only; - is standard output")
      ->option_text("FILE");
  command->footer(kFooter);
}

void add_show_options(CLI::App* command, ShowOptions& options) {
  command->add_option("FILE", options.file, "File to show; - is JSON from standard input")->required()->option_text(" ");
  add_view_options(command, options.view);
  command->add_option("-o,--output", options.output, "File to write, readable by its owner only; - is standard output")
      ->option_text("FILE");
  command->footer(kFooter);
}

void add_capture_options(CLI::App* command, CaptureCommandOptions& options) {
  add_source(command, options.source);
  command->add_option("-o,--output", options.output, "File to write, readable by its owner only; - is standard output")
      ->required()
      ->option_text("FILE");
  command->add_flag("--full", options.full, "Record all memory that the process has written, not only what a report needs");
  command->add_flag("--locals", options.locals, "Record also what dump needs for --locals and --context");
  command->add_flag("-n,--native", options.native, "Record the calls in C of each thread, too, with the names of their functions");
  command->add_flag("--plain", options.plain, "Do not compress: gdb opens the file as a core");
  command->add_option("--max-pause", options.max_pause_ms, "Longest time that the process may stand still at a stretch")
      ->option_text("MS [" + std::to_string(options.max_pause_ms) + "]")
      ->check(CLI::Range(1, 60'000));
  command->footer(kFooter);
}

void add_ps_options(CLI::App* command, PsOptions& options) {
  add_choice(command, "-f,--format", options.format, kListFormats, "Form of the list", "text");
  add_choice(command, "--color,--colour", options.colour, kColours, "Colours in the text", "auto");
  command->footer(kFooter);
}

void add_doctor_options(CLI::App* command, DoctorOptions& options) {
  command->add_option("PID", options.pid, "Process to examine")
      ->required()
      ->option_text(" ")
      ->check(CLI::Validator(check_process_id, "", "process id"));
  command->add_flag("-l,--layout", options.layout, "List every member that is read, with its offset and origin");
  command->add_flag("--no-pause", options.no_pause, "Do not try to stop the process");
  add_choice(command, "--color,--colour", options.colour, kColours, "Colours in the text", "auto");
  command->footer(kFooter);
}

void add_top_options(CLI::App* command, TopCommandOptions& options) {
  command->add_option("PID", options.pids, "Processes to watch")->option_text(" ")->check(CLI::Validator(check_process_id, "", "process id"));
  command->add_flag("--subprocesses", options.subprocesses, "Watch the Python processes that they started, too");
  command->add_option("--wait", options.wait_name, "Wait for a Python process with this in its command line, and for the next one when it ends")
      ->option_text("NAME");
  command->add_option("-i,--interval", options.interval, "From one full look to the next, or longer where looks are expensive")
      ->option_text("SECONDS [2]")
      ->check(CLI::Range(0.1, 3600.0));
  CLI::Option* max_pause = command->add_option("--max-pause", options.max_pause_ms, "Longest time that a process may stand still at a stretch");
  max_pause->option_text("MS [" + std::to_string(options.max_pause_ms) + "]")->check(CLI::Range(1, 60'000));
  command->add_flag("--no-pause", options.no_pause, "Never stop the processes: values may be torn")->option_text(" ")->excludes(max_pause);
  CLI::Option* batch = command->add_flag("-b,--batch", options.batch, "Write plain text, one screen after each full look");
  command->add_option("-n", options.count, "So many screens, then end; without it, until the processes end")
      ->option_text("N")
      ->check(CLI::Range(1, 1'000'000))
      ->needs(batch);
  add_choice(command, "--color,--colour", options.colour, kColours, "Colours on the screen", "auto");
  command->footer(kFooter);
}

void add_explain_options(CLI::App* command, std::string& rule) {
  command->add_option("RULE", rule, "Rule of a finding, or list")->option_text(" ")->default_str("list");
  command->footer(kFooter);
}

// A command's options are made when the command is there: those of the others are never asked for, and to make them all
// takes as long as many a dump. `options` must outlive the parsing.
template <class Options>
CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& description, void (*add_options)(CLI::App*, Options&),
                      Options& options) {
  CLI::App* command = app.add_subcommand(name, description);
  command->preparse_callback([=, &options](std::size_t) { add_options(command, options); });
  return command;
}

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

ExitCode report_usage(const CLI::App& app, std::string problem, int argc, char** argv) {
  std::string hint = "asyncspy --help";
  if (app.get_subcommands().empty() && argc > 1 && argv[1][0] != '-') {
    problem = std::string("'") + argv[1] + "' is no command";
  }
  for (const CLI::App* command : app.get_subcommands()) hint = "asyncspy " + command->get_name() + " --help";
  if (argc > 1 && is_number(argv[1])) hint = std::string("asyncspy dump ") + argv[1];
  return report_error({ErrorKind::kUsage, "command line: " + problem, hint, {}});
}

ExitCode run(int argc, char** argv) {
  DumpOptions dump_options;
  ShowOptions show_options;
  DiffCommandOptions diff_options;
  PsOptions ps_options;
  CaptureCommandOptions capture_options;
  DoctorOptions doctor_options;
  TopCommandOptions top_options;
  WatchCommandOptions watch_options;
  CheckOptions check_options;
  std::string rule;
  CLI::App app("Says which coroutine blocks an asyncio event loop, which tasks are pending, and on what.\n"
               "Reads the process from outside: nothing to import, nothing to restart.", "asyncspy");
  app.require_subcommand(1);
  app.set_version_flag("-V,--version", std::string("asyncspy ") + ASYNCSPY_VERSION);
  app.footer(kFooter);
  const CLI::App* dump = add_command(app, "dump", "Show what blocks the event loops of a process, and all its tasks", add_dump_options, dump_options);
  const CLI::App* show = add_command(app, "show", "Show a stored report again: JSON of dump, a recording or a core file", add_show_options, show_options);
  const CLI::App* diff = add_command(app, "diff", "Show what moved, what did not and what grew between two stored reports", add_diff_options, diff_options);
  const CLI::App* capture = add_command(app, "capture", "Record one look at a process, for asyncspy dump FILE", add_capture_options, capture_options);
  add_command(app, "ps", "List the Python processes, their loops and tasks, stopping none", add_ps_options, ps_options);
  const CLI::App* doctor = add_command(app, "doctor", "Show what was detected in a process, and what stands in the way of reading it", add_doctor_options, doctor_options);
  const CLI::App* top = add_command(app, "top", "Watch the event loops of processes live: what runs, what is late, where tasks pile up", add_top_options, top_options);
  const CLI::App* watch = add_command(app, "watch", "Follow processes, and keep a snapshot of the moment when an event loop stalls", add_watch_options, watch_options);
  const CLI::App* check = add_command(app, "check", "Say with the exit code whether the event loops of a process go on; for liveness probes", add_check_options, check_options);
  const CLI::App* explain = add_command(app, "explain", "Say what a finding means: explain P01; explain list names all rules", add_explain_options, rule);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const auto chosen = app.get_subcommands();
    return print_text(chosen.empty() ? app.help() : chosen.front()->help(app.get_name()));
  } catch (const CLI::CallForVersion& version) {
    return print_text(std::string(version.what()) + "\n");
  } catch (const CLI::ParseError& error) {
    return report_usage(app, error.what(), argc, argv);
  }
  if (diff->parsed()) return run_diff(diff_options);
  if (show->parsed()) return run_show(show_options);
  if (capture->parsed()) return run_capture(capture_options);
  if (doctor->parsed()) return run_doctor(doctor_options);
  if (top->parsed()) return run_top(top_options);
  if (watch->parsed()) return run_watch_command(watch_options);
  if (check->parsed()) return run_check(check_options);
  if (explain->parsed()) return run_explain(rule);
  return dump->parsed() ? run_dump(dump_options) : run_ps(ps_options);
}

}  // namespace
}  // namespace asyncspy

int main(int argc, char** argv) {
  using asyncspy::ErrorKind;
  asyncspy::secure_standard_streams();
  std::string problem = "unknown exception";
  try {
    return static_cast<int>(asyncspy::run(argc, argv));
  } catch (const std::exception& error) {
    problem = error.what();
  } catch (...) {
    // Something that is no std::exception: there is nothing more to say about it.
  }
  return static_cast<int>(asyncspy::report_error(
      {ErrorKind::kInternal, "internal error: " + problem,
       "this is a defect of asyncspy; report it with the command line, `asyncspy --version` and the Python version",
       {}}));
}
