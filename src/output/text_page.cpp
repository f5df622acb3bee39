#include "text_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "escape.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr std::size_t kBufferSize = 1 << 14;
constexpr std::size_t kListColumns = 72;
constexpr std::size_t kMaxDigits = 15;  // of a number at the end of a name that is still counted with

// A name as text and, if it ends in a plain number, that number apart.
struct NumberedName {
  std::string_view prefix;
  std::uint64_t number = 0;
  bool numbered = false;
};

NumberedName split_number(std::string_view name) {
  std::size_t at = name.size();
  while (at > 0 && name[at - 1] >= '0' && name[at - 1] <= '9') --at;
  const std::string_view digits = name.substr(at);
  if (digits.empty() || digits.size() > kMaxDigits || (digits.size() > 1 && digits[0] == '0')) return {name};
  std::uint64_t number = 0;
  for (char digit : digits) number = number * 10 + static_cast<std::uint64_t>(digit - '0');
  return {name.substr(0, at), number, true};
}

// A name with its parts, taken apart once.
struct ListedName {
  NumberedName parts;
  std::string_view whole;
};

// Where the run of consecutive numbers that begins at `from` ends.
std::size_t find_end_of_run(const std::vector<ListedName>& names, std::size_t from) {
  const NumberedName& first = names[from].parts;
  std::size_t end = from + 1;
  if (!first.numbered) return end;
  while (end < names.size()) {
    const NumberedName& next = names[end].parts;
    if (!next.numbered || next.prefix != first.prefix || next.number != first.number + (end - from)) break;
    ++end;
  }
  return end;
}

bool comes_before(const ListedName& left, const ListedName& right) {
  const NumberedName& a = left.parts;
  const NumberedName& b = right.parts;
  return std::tie(a.prefix, a.numbered, a.number) < std::tie(b.prefix, b.numbered, b.number);
}

}  // namespace

TextPage::TextPage(const Report& report, const TextOptions& options, Sink& sink)
    : report_(report), options_(options), style_(options.colour), sink_(sink), wanted_(select_tasks(report, options.filter)) {
  for (std::size_t i = 0; i < report.primitives.size(); ++i) primitives_.emplace(report.primitives[i].id, i);
  for (std::size_t i = 0; i < report.jobs.size(); ++i) jobs_.emplace(report.jobs[i].id, i);
}

std::size_t TextPage::cut(std::size_t size, std::size_t limit) const {
  return options_.all ? size : std::min(size, limit);
}

void TextPage::line(std::string_view text) {
  blank_last_ = text.empty();
  if (captured_ != nullptr) {
    captured_->emplace_back(text);
    return;
  }
  buffer_ += text;
  buffer_ += '\n';
  ++lines_;
  if (buffer_.size() >= kBufferSize) flush();
}

void TextPage::blank() {
  if (!blank_last_) line("");
}

void TextPage::print(const std::vector<std::string>& lines) {
  for (const std::string& each : lines) line(each);
}

void TextPage::labelled(std::string_view label, std::string_view text) {
  line(fmt::format("  {}{}", paint(Role::kDim, fmt::format("{:<10}", label)), text));
}

bool TextPage::flush() {
  if (usable_ && !buffer_.empty()) usable_ = sink_.write(buffer_);
  buffer_.clear();
  return usable_;
}

std::string TextPage::safe(std::string_view text, std::size_t columns) const {
  // Cut before escaping as well: no name of a megabyte is worth escaping for sixty columns of it.
  constexpr std::size_t kBytesPerColumn = 8;
  if (text.size() <= columns && is_plain_text(text)) return std::string(text);
  if (options_.all) return escape_for_terminal(text);
  const std::size_t enough = columns * kBytesPerColumn;
  if (text.size() <= enough) return shorten(escape_for_terminal(text), columns);
  std::size_t end = enough;
  while (end > enough - 4 && (static_cast<unsigned char>(text[end]) & 0xC0u) == 0x80u) --end;
  return shorten(escape_for_terminal(text.substr(0, end)) + "...", columns);
}

const Primitive* TextPage::find_primitive(Address id) const {
  const auto found = primitives_.find(id);
  return found == primitives_.end() ? nullptr : &report_.primitives[found->second];
}

const Job* TextPage::find_job(Address id) const {
  const auto found = jobs_.find(id);
  return found == jobs_.end() ? nullptr : &report_.jobs[found->second];
}

const Descriptor* TextPage::find_descriptor(int number) const {
  const auto found = std::ranges::lower_bound(report_.descriptors, number, {}, &Descriptor::number);
  return found == report_.descriptors.end() || found->number != number ? nullptr : &*found;
}

const ChildProcess* TextPage::find_child(int pid) const {
  const auto found = std::ranges::find_if(report_.children, [pid](const ChildProcess& child) {
    return (child.namespace_pid == 0 ? child.pid : child.namespace_pid) == pid;
  });
  return found == report_.children.end() ? nullptr : &*found;
}

const Task* TextPage::find_task(Address id) const {
  if (!tasks_) {  // most reports name few tasks by their ids, or none
    tasks_.emplace().reserve(report_.tasks.size());
    for (std::size_t i = 0; i < report_.tasks.size(); ++i) tasks_->add(report_.tasks[i].id, i);
  }
  const std::size_t* found = tasks_->find(id);
  return found == nullptr ? nullptr : &report_.tasks[*found];
}

const Thread* TextPage::find_thread(std::int32_t index) const {
  if (index < 0 || static_cast<std::size_t>(index) >= report_.threads.size()) return nullptr;
  return &report_.threads[static_cast<std::size_t>(index)];
}

const Thread* TextPage::find_thread_by_tid(int tid) const {
  const auto found = std::ranges::find(report_.threads, tid, &Thread::tid);
  return found == report_.threads.end() ? nullptr : &*found;
}

std::string TextPage::name_of(const Task& task) const {
  if (task.name.empty()) return "task " + format_address(task.id);
  return safe(task.name, kNameColumns);
}

std::string TextPage::name_of_task(Address id) const {
  const Task* task = find_task(id);
  return task != nullptr ? name_of(*task) : "task " + format_address(id);
}

std::string TextPage::name_of(const Thread& thread) const {
  if (thread.name.empty()) return fmt::format("thread {}", thread.tid);
  return fmt::format("thread {} ({})", thread.tid, safe(thread.name, kNameColumns));
}

std::string TextPage::title_of_loop(std::size_t index) const {
  return report_.loops.size() == 1 ? "LOOP" : fmt::format("LOOP {}", index + 1);
}

std::string TextPage::list_names(const std::vector<std::string>& names) const {
  constexpr std::size_t kShortestRun = 3;
  std::vector<ListedName> sorted;
  sorted.reserve(names.size());
  for (const std::string& name : names) sorted.push_back({split_number(name), name});
  if (!std::ranges::is_sorted(sorted, comes_before)) std::ranges::stable_sort(sorted, comes_before);
  std::string text;
  std::size_t at = 0;
  std::size_t columns = 0;
  while (at < sorted.size()) {
    std::size_t end = find_end_of_run(sorted, at);
    if (end - at < kShortestRun) end = at + 1;
    const bool run = end - at > 1;
    const std::string item = run ? fmt::format("{}..{}", sorted[at].whole, sorted[end - 1].whole) : std::string(sorted[at].whole);
    columns += count_columns(item) + 2;
    if (!options_.all && at > 0 && columns > kListColumns) break;
    if (!text.empty()) text += ", ";
    text += item;
    at = end;
  }
  if (at < sorted.size()) text += fmt::format(" ... and {} more", sorted.size() - at);
  return text;
}

std::string TextPage::list_tasks(const std::vector<Address>& ids) const {
  std::vector<std::string> names;
  names.reserve(ids.size());
  for (Address id : ids) names.push_back(name_of_task(id));
  return list_names(names);
}

}  // namespace asyncspy
