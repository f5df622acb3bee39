#include "process_list.h"

#include <fmt/format.h>

#include <algorithm>

#include "escape.h"
#include "json_report.h"
#include "json_parts.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr std::size_t kCommandColumns = 60;

std::string describe_command(const ProcessSummary& process) {
  std::string text;
  for (const std::string& argument : process.command_line) {
    if (!text.empty()) text += ' ';
    text += argument;
  }
  if (text.empty()) text = "[" + process.name + "]";
  return shorten(escape_for_terminal(text), kCommandColumns);
}

// "-" where there is nothing to count: without asyncio there are no loops.
std::string describe_number(const ProcessSummary& process, std::size_t number) {
  return process.asyncio ? std::to_string(number) : "-";
}

std::string describe_loops(const ProcessSummary& process) {
  if (process.blocked_loops == 0) return describe_number(process, process.loops);
  return fmt::format("{} ({} BLOCKED)", process.loops, process.blocked_loops);
}

std::string make_row(std::string_view pid, std::string_view python, std::string_view asyncio, std::string_view loops,
                     std::string_view tasks, std::string_view findings) {
  return fmt::format("{:>7}  {:<9}  {:<7}  {:<14}  {:>7}  {:>8}  ", pid, python, asyncio, loops, tasks, findings);
}

void put_summary(JsonWriter& json, const ProcessSummary& process) {
  const bool readable = !process.error.has_value();
  const auto put_if_read = [&](std::string_view key, const auto& content) {
    json.key(key);
    if (readable) {
      json.value(content);
    } else {
      json.null();
    }
  };
  json.begin_object();
  json.field("pid", process.pid);
  json.field("name", process.name);
  put_texts(json, "command_line", process.command_line);
  json.key("error");
  if (readable) {
    json.null();
  } else {
    json.begin_object();
    json.field("kind", to_word(process.error->kind));
    json.field("what", process.error->what);
    json.field("hint", process.error->hint);
    json.end_object();
  }
  put_if_read("python", process.python_version);
  put_if_read("asyncio_imported", process.asyncio);
  put_if_read("loops", process.loops);
  put_if_read("blocked_loops", process.blocked_loops);
  put_if_read("tasks", process.tasks);
  put_if_read("findings", process.findings);
  json.end_object();
}

}  // namespace

bool write_process_table(const ProcessList& list, const Style& style, Sink& sink) {
  std::string text;
  std::size_t refused = 0;
  if (list.processes.empty()) {
    text += "no Python process that could be read\n";
  } else {
    const std::string head = make_row("PID", "PYTHON", "ASYNCIO", "LOOPS", "TASKS", "FINDINGS") + "COMMAND";
    text += style.paint(Role::kHeading, head) + "\n";
  }
  for (const ProcessSummary& process : list.processes) {
    if (process.error) {
      if (process.error->kind == ErrorKind::kPermission) ++refused;
      const std::string row = make_row(std::to_string(process.pid), "?", "?", "?", "?", "?");
      text += row + describe_command(process) + "\n" + std::string(9, ' ') +
              style.paint(Role::kWarning, escape_for_terminal(process.error->what)) + "\n";
      continue;
    }
    const std::string row = make_row(std::to_string(process.pid), escape_for_terminal(process.python_version),
                                     process.asyncio ? "yes" : "no", describe_loops(process),
                                     describe_number(process, process.tasks), std::to_string(process.findings));
    const bool wrong = process.blocked_loops > 0 || process.findings > 0;
    text += (wrong ? style.paint(Role::kBlocked, row) : row) + describe_command(process) + "\n";
  }
  if (refused > 0 || list.not_inspected > 0) {
    std::vector<std::string> parts;
    if (refused > 0) parts.push_back(format_count(refused, "Python process", "Python processes"));
    if (list.not_inspected > 0) {
      parts.push_back(format_count(list.not_inspected, "other process", "other processes"));
    }
    text += fmt::format("{} could not be read for lack of permission: run as root, or with CAP_SYS_PTRACE\n",
                        fmt::join(parts, " and "));
  }
  return sink.write(text);
}

bool write_process_json(const ProcessList& list, const std::string& tool_version, Sink& sink) {
  JsonWriter json(sink);
  json.begin_object();
  json.field("schema_version", kJsonSchemaVersion);
  json.break_line();
  json.key("tool");
  put_tool(json, tool_version);
  json.break_line();
  json.key("processes");
  json.begin_array();
  for (const ProcessSummary& process : list.processes) {
    json.break_line();
    put_summary(json, process);
  }
  json.end_array();
  json.break_line();
  json.field("not_inspected", list.not_inspected);
  json.break_line();
  json.end_object();
  return json.flush() && sink.write("\n");
}

}  // namespace asyncspy
