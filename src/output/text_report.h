// A report as the screen that a person reads at three in the morning: what is wrong first, equal things once, every
// line of code with its file and line.
//
// Every string of the target is escaped on its way out (escape.h). Long lists are cut, and the cut says so.
#pragma once

#include <string>

#include "report.h"
#include "sink.h"
#include "task_filter.h"

namespace asyncspy {

enum class TextView : std::uint8_t {
  kGroups,  // tasks with equal stacks together
  kTree,    // who waits for whom, from the roots
  kTask,    // the tasks that TextOptions::task means, and all that is known of them
};

struct TextOptions {
  bool colour = false;
  bool all = false;      // cut nothing
  bool all_findings = false;  // notes too, with all evidence
  bool threads = false;  // stacks of all threads, also of those that run a loop or no Python
  TextView view = TextView::kGroups;
  std::string task = {};   // kTask: a name, an id or a pattern (task_filter.h)
  TaskFilter filter = {};  // of the tasks in groups and trees
};

// False when the sink took no more before the end.
bool write_text(const Report& report, const TextOptions& options, Sink& sink);

[[nodiscard]] std::string render_text(const Report& report, const TextOptions& options);

}  // namespace asyncspy
