#include "top_row.h"

#include <fmt/format.h>

#include <algorithm>

#include "own_code.h"
#include "text_sections.h"
#include "wait_kind.h"
#include "words.h"

namespace asyncspy {
namespace {

// FNV-1a: a few hundred keys of 64 bits do not collide by chance.
class KeyHash {
 public:
  void add(std::string_view text) {
    for (const char each : text) mix(static_cast<unsigned char>(each));
    mix(0);
  }
  void add(std::uint64_t number) {
    for (int i = 0; i < 8; ++i) mix(static_cast<unsigned char>(number >> (8 * i)));
  }
  [[nodiscard]] RowKey value() const { return value_ == 0 ? 1 : value_; }

 private:
  void mix(unsigned char byte) { value_ = (value_ ^ byte) * 0x100000001b3ULL; }
  std::uint64_t value_ = 0xcbf29ce484222325ULL;
};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) { return lower(c); });
  return result;
}

// The title of the column has said it.
std::string without_verb(std::string sentence) {
  for (const std::string_view verb : {"waits for ", "wait for "}) {
    if (sentence.starts_with(verb)) return sentence.substr(verb.size());
  }
  return sentence;
}

class SilentSink final : public Sink {
 public:
  bool write(std::string_view) override { return true; }
};

class RowBuilder {
 public:
  RowBuilder(const Report& report, RowUnit unit, std::int32_t loop, const std::function<RowFacts(const TopRow&)>& facts)
      : report_(report), unit_(unit), loop_(loop), facts_(facts), page_(report, {}, sink_) {}

  std::vector<TopRow> run() {
    for (const TaskGroup& group : report_.groups) {
      std::vector<std::uint32_t> members;
      for (const std::uint32_t index : group.tasks) {
        if (index < report_.tasks.size() && (loop_ < 0 || report_.tasks[index].loop == loop_ || report_.tasks[index].loop < 0)) members.push_back(index);
      }
      if (members.empty()) continue;
      if (unit_ == RowUnit::kGroups) {
        add(std::move(members));
        continue;
      }
      for (const std::uint32_t index : members) {
        if (rows_.size() < kMostTaskRows) add({index});
      }
    }
    return std::move(rows_);
  }

 private:
  void add(std::vector<std::uint32_t> members) {
    const Task& first = report_.tasks[members.front()];
    std::vector<const Task*> tasks;
    TopRow row;
    for (const std::uint32_t index : members) {
      const Task& task = report_.tasks[index];
      tasks.push_back(&task);
      if (task.waiting_at_least) row.waiting = std::max(row.waiting.value_or(0), *task.waiting_at_least);
      row.running = row.running || task.running;
    }
    row.key = unit_ == RowUnit::kGroups ? key_of_group(report_, first) : key_of_task(first);
    row.count = members.size();
    row.name = page_.name_of(first);
    if (members.size() > 1) row.name += fmt::format(" +{}", members.size() - 1);
    row.where = page_.safe(describe_where(first));
    row.waits = row.running ? "running" : without_verb(describe_wait(page_, tasks));
    if (row.waits.empty()) row.waits = std::string(to_word(first.state));  // it waits for nothing any more
    row.tasks = std::move(members);
    const RowFacts facts = facts_(row);
    row.share = facts.share;
    row.steps = facts.steps;
    row.trend = facts.trend;
    rows_.push_back(std::move(row));
  }

  [[nodiscard]] std::string describe_where(const Task& task) const {
    const Frame* frame = find_own_frame(report_, task.stack);
    if (frame == nullptr) return "";
    std::string text(name_of_frame(report_, *frame));
    const std::string place = place_of_frame(report_, *frame);
    if (const std::size_t slash = place.rfind('/'); !place.empty()) text += "  " + (slash == std::string::npos ? place : place.substr(slash + 1));
    return text;
  }

  const Report& report_;
  const RowUnit unit_;
  const std::int32_t loop_;
  const std::function<RowFacts(const TopRow&)>& facts_;
  SilentSink sink_;
  TextPage page_;
  std::vector<TopRow> rows_;
};

// Negative, zero or positive, as of the column's values; nothing known is less than anything.
int compare(const TopRow& a, const TopRow& b, SortColumn column) {
  const auto order = [](const auto& x, const auto& y) { return x < y ? -1 : y < x ? 1 : 0; };
  switch (column) {
    case SortColumn::kCount: return order(a.count, b.count);
    case SortColumn::kTrend: return order(a.trend, b.trend);
    case SortColumn::kWaiting: return order(a.waiting, b.waiting);
    case SortColumn::kShare: return order(a.share, b.share);
    case SortColumn::kSteps: return order(a.steps, b.steps);
    case SortColumn::kName: return order(a.name, b.name);
    case SortColumn::kWhere: return order(a.where, b.where);
    case SortColumn::kWaits: return order(a.waits, b.waits);
  }
  return 0;
}

}  // namespace

std::string_view to_word(SortColumn column) {
  switch (column) {
    case SortColumn::kCount: return "count";
    case SortColumn::kTrend: return "trend";
    case SortColumn::kWaiting: return "waiting";
    case SortColumn::kShare: return "loop share";
    case SortColumn::kSteps: return "steps";
    case SortColumn::kName: return "name";
    case SortColumn::kWhere: return "where";
    case SortColumn::kWaits: return "waits for";
  }
  return "";
}

void sort_rows(std::vector<TopRow>& rows, SortColumn column, bool descending) {
  std::ranges::sort(rows, [column, descending](const TopRow& a, const TopRow& b) {
    if (a.running != b.running) return a.running;  // what runs now stays in sight
    const int order = descending ? -compare(a, b, column) : compare(a, b, column);
    return order != 0 ? order < 0 : a.key < b.key;
  });
}

void filter_rows(std::vector<TopRow>& rows, std::string_view text) {
  if (text.empty()) return;
  const std::string wanted = lower(text);
  const auto has = [&wanted](const std::string& field) { return lower(field).find(wanted) != std::string::npos; };
  std::erase_if(rows, [&](const TopRow& row) { return !has(row.name) && !has(row.where) && !has(row.waits); });
}

RowKey key_of_group(const Report& report, const Task& task) {
  KeyHash hash;
  hash.add(static_cast<std::uint64_t>(task.state) + (task.running ? 16U : 0U));
  hash.add(to_word(task.wait));
  for (const Frame& frame : task.stack) {
    hash.add(name_of_frame(report, frame));
    if (frame.function < report.functions.size()) hash.add(report.functions[frame.function].file);
    hash.add(static_cast<std::uint64_t>(frame.line));
  }
  return hash.value();
}

RowKey key_of_task(const Task& task) {
  KeyHash hash;
  hash.add(task.id.value());
  hash.add(task.name);
  return hash.value();
}

std::string key_of_place(std::string_view function, std::string_view file) {
  std::string key(function);
  key += '\0';
  key += file;
  return key;
}

std::string key_of_place(const Report& report, const Task& task) {
  const Frame* frame = find_own_frame(report, task.stack);
  if (frame == nullptr || frame->function >= report.functions.size()) return "";
  return key_of_place(name_of_frame(report, *frame), report.functions[frame->function].file);
}

std::vector<TopRow> build_rows(const Report& report, RowUnit unit, std::int32_t loop, const std::function<RowFacts(const TopRow&)>& facts) {
  return RowBuilder(report, unit, loop, facts).run();
}

}  // namespace asyncspy
