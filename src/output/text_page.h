// What the sections of the text output share: the report with look-ups by id, the style, and lines that go out one by
// one. Internal to text_*.cpp, and what the panels of tui/ are made of.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "address_map.h"
#include "report.h"
#include "sink.h"
#include "style.h"
#include "text_report.h"

namespace asyncspy {

class TextPage {
 public:
  TextPage(const Report& report, const TextOptions& options, Sink& sink);

  [[nodiscard]] const Report& report() const { return report_; }
  [[nodiscard]] bool all() const { return options_.all; }
  void show_all(bool all) { options_.all = all; }  // for a part of the page
  [[nodiscard]] bool all_threads() const { return options_.threads; }
  [[nodiscard]] const TextOptions& options() const { return options_; }

  // Passes the filter of the options.
  [[nodiscard]] bool is_wanted(const Task& task) const { return wanted_[static_cast<std::size_t>(&task - report_.tasks.data())]; }

  // The number of things to show out of `size` when at most `limit` are wanted.
  [[nodiscard]] std::size_t cut(std::size_t size, std::size_t limit) const;

  [[nodiscard]] std::string paint(Role role, std::string_view text) const { return style_.paint(role, text); }

  // One line. `text` is escaped already.
  void line(std::string_view text);
  void blank();
  // `label` in a column of its own, then `text`.
  void labelled(std::string_view label, std::string_view text);

  // The lines that `put` would print, instead of printing them.
  template <class Put>
  [[nodiscard]] std::vector<std::string> capture(Put put) {
    std::vector<std::string> lines;
    std::vector<std::string>* const outer = std::exchange(captured_, &lines);
    const bool blank_last = blank_last_;
    put();
    blank_last_ = blank_last;
    captured_ = outer;
    return lines;
  }
  void print(const std::vector<std::string>& lines);
  [[nodiscard]] std::size_t lines() const { return lines_; }  // printed so far

  // Longer stacks lose their middle, unless everything is wanted.
  [[nodiscard]] std::size_t most_frames() const { return most_frames_; }
  void set_most_frames(std::size_t most) { most_frames_ = most; }
  static constexpr std::size_t kMostFrames = 40;

  // False when nothing more can be written.
  [[nodiscard]] bool usable() const { return usable_; }
  bool flush();

  // A string of the target, escaped and, unless everything is wanted, cut to `columns`.
  [[nodiscard]] std::string safe(std::string_view text, std::size_t columns = kWideColumns) const;

  [[nodiscard]] const Task* find_task(Address id) const;
  [[nodiscard]] const Primitive* find_primitive(Address id) const;
  [[nodiscard]] const Job* find_job(Address id) const;
  [[nodiscard]] const Descriptor* find_descriptor(int number) const;
  [[nodiscard]] const ChildProcess* find_child(int pid) const;  // as the target numbers it
  [[nodiscard]] const Thread* find_thread(std::int32_t index) const;
  [[nodiscard]] const Thread* find_thread_by_tid(int tid) const;

  // "Task-3", or "task 0x7f..." when it has no name; "thread 4711 (worker)".
  [[nodiscard]] std::string name_of(const Task& task) const;
  [[nodiscard]] std::string name_of_task(Address id) const;
  [[nodiscard]] std::string name_of(const Thread& thread) const;
  // "LOOP", or "LOOP 2" when there are several.
  [[nodiscard]] std::string title_of_loop(std::size_t index) const;

  // "a, b, c ... and 197 more"; runs of numbered names become "worker-3..worker-9". As many as fit.
  [[nodiscard]] std::string list_names(const std::vector<std::string>& names) const;
  [[nodiscard]] std::string list_tasks(const std::vector<Address>& ids) const;

  static constexpr std::size_t kWideColumns = 200;
  static constexpr std::size_t kNameColumns = 60;

 private:
  const Report& report_;
  TextOptions options_;
  Style style_;
  Sink& sink_;
  std::string buffer_;
  std::vector<std::string>* captured_ = nullptr;
  std::size_t lines_ = 0;
  std::size_t most_frames_ = kMostFrames;
  bool blank_last_ = true;
  bool usable_ = true;
  mutable std::optional<AddressMap<std::size_t>> tasks_;  // by id, once one is asked for
  std::unordered_map<Address, std::size_t> primitives_;  // by id
  std::unordered_map<Address, std::size_t> jobs_;        // by id
  std::vector<bool> wanted_;                        // of each task
};

}  // namespace asyncspy
