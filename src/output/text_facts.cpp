// What is known of few tasks: which exceptions they are handling, what they ended with, where they were made, the context
// variables that were asked for. Of a group the most frequent, with their numbers.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "own_code.h"
#include "text_sections.h"
#include "words.h"

namespace asyncspy {
namespace {

using Members = std::vector<const Task*>;

constexpr std::size_t kMostKinds = 3;  // of what differs within a group
constexpr std::size_t kValueColumns = 100;

// How often each text occurs among the tasks, the most frequent first.
class Census {
 public:
  void add(std::string text) {
    ++counts_[std::move(text)];
    ++total_;
  }
  [[nodiscard]] bool is_empty() const { return counts_.empty(); }

  // "a", or "a (3 tasks), b ... and 2 other kinds"
  [[nodiscard]] std::string describe(const TextPage& page, std::size_t members) const {
    std::vector<std::pair<std::string_view, std::size_t>> sorted(counts_.begin(), counts_.end());
    std::ranges::stable_sort(sorted, std::ranges::greater(), [](const auto& each) { return each.second; });
    const std::size_t shown = page.cut(sorted.size(), kMostKinds);
    std::string text;
    for (std::size_t i = 0; i < shown; ++i) {
      if (i > 0) text += "; ";
      text += sorted[i].first;
      const bool is_all = sorted.size() == 1 && sorted[i].second == members;
      if (!is_all && members > 1) text += fmt::format(" ({})", format_count(sorted[i].second, "task"));
    }
    if (shown < sorted.size()) text += fmt::format("; and {} more", format_count(sorted.size() - shown, "kind"));
    return text;
  }

 private:
  std::map<std::string, std::size_t> counts_;
  std::size_t total_ = 0;
};

std::string describe_handled(const TextPage& page, const Task& task, const HandledException& handled) {
  std::string text = "suspended while handling " + page.safe(handled.text, kValueColumns);
  if (handled.frame >= task.stack.size()) return text;
  const Frame& frame = task.stack[handled.frame];
  const std::string_view name = name_of_frame(page.report(), frame);
  if (!name.empty()) text += " in " + page.safe(name, TextPage::kNameColumns);
  const std::string place = place_of_frame(page.report(), frame);
  if (!place.empty()) text += "  " + page.safe(place);
  return text;
}

std::string describe_place(const TextPage& page, const SourcePlace& place) {
  const std::vector<std::string>& names = page.report().names;
  const std::string_view function = place.function < names.size() ? std::string_view(names[place.function]) : std::string_view();
  const std::string_view file = place.file < names.size() ? std::string_view(names[place.file]) : std::string_view();
  std::string text = page.safe(function, TextPage::kNameColumns) + "  " + page.safe(file);
  if (place.line > 0) text += fmt::format(":{}", place.line);
  return text;
}

// The innermost place in the program's own code, or the innermost one.
const SourcePlace& find_own_place(const TextPage& page, const std::vector<SourcePlace>& places) {
  const std::vector<std::string>& names = page.report().names;
  for (std::size_t i = places.size(); i-- > 0;) {
    if (places[i].file < names.size() && !is_library_file(names[places[i].file])) return places[i];
  }
  return places.back();
}

std::string describe_outcome(const TextPage& page, const Outcome& outcome) {
  std::string text = page.safe(outcome.text, kValueColumns);
  if (!outcome.is_exception) return "returned " + text;
  if (!outcome.raised_at.empty()) text += " in " + describe_place(page, find_own_place(page, outcome.raised_at));
  return "raised " + text + (outcome.never_retrieved ? " (exception was never retrieved)" : "");
}

std::vector<std::string> list_context_names(const TextPage& page, const Members& members) {
  std::vector<std::string> names;
  for (const Task* task : members) {
    const TaskFacts* facts = page.report().facts_of(*task);
    if (facts == nullptr) continue;
    for (const ContextValue& value : facts->context) {
      if (std::ranges::find(names, value.name) == names.end()) names.push_back(value.name);
    }
  }
  return names;
}

std::string describe_abandonment(const TextPage& page, const Abandonment& abandoned) {
  const std::string construct = page.safe(abandoned.construct) + "()";
  if (abandoned.was_cancelled) return fmt::format("goes on although the {} around it was cancelled", construct);
  return fmt::format("goes on although the {} around it is over{}", construct, abandoned.error.empty() ? "" : ", with " + page.safe(abandoned.error, kValueColumns));
}

void put_places(TextPage& page, std::string_view label, const std::vector<SourcePlace>& places) {
  for (std::size_t i = places.size(); i-- > 0;) {
    page.labelled(i + 1 == places.size() ? label : std::string_view(), describe_place(page, places[i]));
  }
}

}  // namespace

std::string describe_context(const TextPage& page, const std::vector<const Task*>& members) {
  std::string text;
  for (const std::string& name : list_context_names(page, members)) {
    std::vector<std::string> values;
    for (const Task* task : members) {
      const TaskFacts* facts = page.report().facts_of(*task);
      if (facts == nullptr) continue;
      for (const ContextValue& value : facts->context) {
        if (value.name == name) values.push_back(page.safe(value.value, kValueColumns));
      }
    }
    const bool is_same = std::ranges::all_of(values, [&](const std::string& value) { return value == values.front(); });
    if (is_same) values.resize(1);
    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", page.safe(name, TextPage::kNameColumns), page.list_names(values));
  }
  return text;
}

void put_fact_remarks(TextPage& page, const std::vector<const Task*>& members, const std::string& indent) {
  Census handling;
  Census outcomes;
  Census created;
  Census states;
  for (const Task* task : members) {
    const TaskFacts* facts = page.report().facts_of(*task);
    if (facts == nullptr) continue;
    for (const HandledException& handled : facts->handling) handling.add(describe_handled(page, *task, handled));
    if (facts->abandoned) states.add(describe_abandonment(page, *facts->abandoned));
    if (facts->unreachable) states.add("nothing else refers to it or to what it awaits: it will be destroyed while it is pending");
    if (facts->outcome) outcomes.add(describe_outcome(page, *facts->outcome));
    if (!facts->created_at.empty()) created.add(describe_place(page, find_own_place(page, facts->created_at)));
  }
  const std::string arrow = indent + "= ";
  if (!handling.is_empty()) page.line(arrow + page.paint(Role::kWarning, handling.describe(page, members.size())));
  if (!states.is_empty()) page.line(arrow + page.paint(Role::kWarning, states.describe(page, members.size())));
  if (!outcomes.is_empty()) page.line(arrow + outcomes.describe(page, members.size()));
  if (!created.is_empty()) page.line(arrow + page.paint(Role::kDim, "created in " + created.describe(page, members.size())));
}

void put_all_facts(TextPage& page, const Task& task) {
  const TaskFacts* facts = page.report().facts_of(task);
  if (facts == nullptr) return;
  for (const ContextValue& value : facts->context) page.labelled("context", page.safe(value.name) + " = " + page.safe(value.value));
  put_places(page, "created", facts->created_at);
  put_places(page, "origin", facts->coroutine_origin);
  if (facts->outcome) put_places(page, "raised", facts->outcome->raised_at);
}

}  // namespace asyncspy
