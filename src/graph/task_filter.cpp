#include "task_filter.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "wait_kind.h"

namespace asyncspy {
namespace {

std::vector<Pattern> make_patterns(const std::vector<std::string>& words) { return {words.begin(), words.end()}; }

bool match_any(const std::vector<Pattern>& patterns, std::string_view text) {
  return std::ranges::any_of(patterns, [text](const Pattern& pattern) { return pattern.matches(text); });
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::vector<std::string> lower_all(const std::vector<std::string>& words) {
  std::vector<std::string> out;
  for (const std::string& word : words) out.push_back(lower(word));
  return out;
}

std::string_view state_of(const Task& task) {
  if (task.running) return "running";
  switch (task.state) {
    case TaskState::kPending: return "pending";
    case TaskState::kCancelled: return "cancelled";
    case TaskState::kFinished: return "finished";
    case TaskState::kUnknown: break;
  }
  return "unknown";
}

// All words that say what a task waits for.
std::vector<std::string> wait_words(const Task& task) {
  std::vector<std::string> words{std::string(to_word(task.wait))};
  if (const auto* primitive = std::get_if<OnPrimitive>(&task.wait)) words.push_back(lower(primitive->kind));
  if (const auto* on_task = std::get_if<OnTask>(&task.wait)) words.push_back(lower(on_task->construct));
  if (const auto* many = std::get_if<OnMany>(&task.wait)) words.push_back(lower(many->construct));
  return words;
}

bool is_number(std::string_view word) {
  return !word.empty() && std::ranges::all_of(word, [](char c) { return c >= '0' && c <= '9'; });
}

class Selection {
 public:
  Selection(const Report& report, const TaskFilter& filter)
      : report_(report), names_(make_patterns(filter.names)), functions_(make_patterns(filter.functions)),
        states_(filter.states), waits_(make_patterns(lower_all(filter.waits))) {
    // A million frames share a few thousand functions.
    const std::vector<Pattern> files = make_patterns(filter.files);
    for (const Function& function : report.functions) {
      const std::string& name = function.qualified_name.empty() ? function.name : function.qualified_name;
      in_function_.push_back(match_any(functions_, name));
      in_file_.push_back(match_any(files, function.file));
    }
    for (const std::string& name : report.names) by_name_.push_back(match_any(functions_, name));
    by_file_ = !files.empty();
    waiting_longer_than_ = filter.waiting_longer_than;
    pick_loops(filter.loops);
  }

  [[nodiscard]] bool accepts(const Task& task) const {
    if (!names_.empty() && !match_any(names_, task.name)) return false;
    if (!states_.empty() && std::ranges::find(states_, state_of(task)) == states_.end()) return false;
    if (waiting_longer_than_ && task.waiting_at_least.value_or(0) <= *waiting_longer_than_) return false;
    if (!loops_.empty() && !is_on_wanted_loop(task)) return false;
    if (!waits_.empty() && !waits_as_wanted(task)) return false;
    if (!functions_.empty() && !std::ranges::any_of(task.stack, [this](const Frame& frame) { return is_in_function(frame); })) return false;
    return !by_file_ || std::ranges::any_of(task.stack, [this](const Frame& frame) {
      return frame.function < in_file_.size() && in_file_[frame.function];
    });
  }

 private:
  [[nodiscard]] bool is_on_wanted_loop(const Task& task) const {
    const auto loop = static_cast<std::size_t>(task.loop);
    return task.loop >= 0 && loop < loops_.size() && loops_[loop];
  }

  [[nodiscard]] bool waits_as_wanted(const Task& task) const {
    const std::vector<std::string> words = wait_words(task);
    return std::ranges::any_of(waits_, [&words](const Pattern& pattern) {
      return std::ranges::any_of(words, [&pattern](const std::string& word) { return pattern.matches_whole(word); });
    });
  }

  [[nodiscard]] bool is_in_function(const Frame& frame) const {
    if (frame.name < by_name_.size()) return by_name_[frame.name];
    if (frame.function < in_function_.size()) return in_function_[frame.function];
    return frame.type_name < by_name_.size() && by_name_[frame.type_name];
  }

  void pick_loops(const std::vector<std::string>& words) {
    if (words.empty()) return;
    loops_.assign(std::max<std::size_t>(report_.loops.size(), 1), false);
    for (const std::string& word : words) {
      std::size_t number = 0;
      if (is_number(word)) {
        std::from_chars(word.data(), word.data() + word.size(), number);
        if (number >= 1 && number <= loops_.size()) loops_[number - 1] = true;
        continue;
      }
      const Pattern pattern(word);
      for (std::size_t i = 0; i < report_.loops.size(); ++i) {
        if (pattern.matches(report_.loops[i].type)) loops_[i] = true;
      }
    }
  }

  const Report& report_;
  std::vector<Pattern> names_;
  std::vector<Pattern> functions_;
  std::vector<std::string> states_;
  std::vector<Pattern> waits_;
  std::vector<bool> in_function_;  // beside Report::functions
  std::vector<bool> in_file_;
  std::vector<bool> by_name_;      // beside Report::names
  std::vector<bool> loops_;        // beside Report::loops, or empty: all
  std::optional<double> waiting_longer_than_;
  bool by_file_ = false;
};

}  // namespace

std::vector<bool> select_tasks(const Report& report, const TaskFilter& filter) {
  std::vector<bool> selected(report.tasks.size(), true);
  if (filter.is_empty()) return selected;
  const Selection selection(report, filter);
  for (std::size_t i = 0; i < report.tasks.size(); ++i) selected[i] = selection.accepts(report.tasks[i]);
  return selected;
}

std::vector<std::uint32_t> find_tasks_named(const Report& report, std::string_view word) {
  const auto find = [&](const auto& accepts) {
    std::vector<std::uint32_t> found;
    for (std::size_t i = 0; i < report.tasks.size(); ++i) {
      if (accepts(report.tasks[i])) found.push_back(static_cast<std::uint32_t>(i));
    }
    return found;
  };
  std::vector<std::uint32_t> found;
  if (word.starts_with("0x")) {
    std::uint64_t id = 0;
    const auto [end, error] = std::from_chars(word.data() + 2, word.data() + word.size(), id, 16);
    if (error == std::errc() && end == word.data() + word.size()) {
      found = find([id](const Task& task) { return task.id.value() == id; });
    }
  }
  if (found.empty()) found = find([word](const Task& task) { return task.name == word; });
  if (found.empty() && !word.empty()) {
    const Pattern pattern{std::string(word)};
    found = find([&pattern](const Task& task) { return pattern.matches(task.name); });
  }
  return found;
}

}  // namespace asyncspy
