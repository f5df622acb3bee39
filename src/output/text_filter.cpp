// Which tasks a filter leaves out: never in silence.
#include <fmt/format.h>

#include "text_sections.h"
#include "words.h"

namespace asyncspy {
namespace {

void add_conditions(const TextPage& page, std::string& text, std::string_view option, const std::vector<std::string>& words) {
  for (const std::string& word : words) text += fmt::format("{}{} '{}'", text.empty() ? "" : ", ", option, page.safe(word));
}

}  // namespace

void put_filter(TextPage& page) {
  const TaskFilter& filter = page.options().filter;
  if (filter.is_empty()) return;
  const std::vector<Task>& tasks = page.report().tasks;
  std::size_t wanted = 0;
  for (const Task& task : tasks) wanted += page.is_wanted(task) ? 1 : 0;
  std::string conditions;
  add_conditions(page, conditions, "--name", filter.names);
  add_conditions(page, conditions, "--state", filter.states);
  add_conditions(page, conditions, "--function", filter.functions);
  add_conditions(page, conditions, "--file", filter.files);
  add_conditions(page, conditions, "--wait", filter.waits);
  add_conditions(page, conditions, "--loop", filter.loops);
  if (filter.waiting_longer_than) {
    conditions += fmt::format("{}--waiting-longer-than {}", conditions.empty() ? "" : ", ", format_duration(*filter.waiting_longer_than));
  }
  page.blank();
  page.line(fmt::format("{}  {}", page.paint(Role::kHeading, "FILTER"), conditions));
  page.line(fmt::format("  {} of {} pass, {} left out", wanted, format_count(tasks.size(), "task"),
                        format_count(tasks.size() - wanted, "is", "are")));
}

}  // namespace asyncspy
