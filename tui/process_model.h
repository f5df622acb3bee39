// One watched process over time: its last report, and what the samples before it tell. Knows no terminal and reads no target.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "hot_stacks.h"
#include "light_sample.h"
#include "loop_history.h"
#include "report.h"
#include "top_row.h"

namespace asyncspy {

enum class WatchStatus : std::uint8_t { kStarting, kLive, kGone, kUnreadable, kAwaited };

// What is known of one loop beyond its history: who ran on it.
struct LoopRecord {
  LoopHistory history;
  HotStacks hot;
  std::uint64_t recent = 0;  // samples, of which the older ones count less and less
  std::unordered_map<std::string, std::uint64_t> by_place;  // of these, those in which a task ran in this function or what it called
  std::unordered_map<Address, std::uint64_t> by_task;
};

// How the number of tasks changed between the last two snapshots, per second: lower bounds.
struct TaskRates {
  double created = 0;
  double finished = 0;
};

class ProcessModel {
 public:
  explicit ProcessModel(int pid) : pid_(pid) {}

  [[nodiscard]] int pid() const { return pid_; }

  void add_report(Report report);
  void add_sample(const LightSample& sample);
  void set_status(WatchStatus status, std::string text);

  // Another program in its place: what was known is of no use. Says why in the status line.
  void replace(int pid, std::string why);

  [[nodiscard]] WatchStatus status() const { return status_; }
  [[nodiscard]] const std::string& status_text() const { return status_text_; }  // empty: nothing unusual
  [[nodiscard]] const std::optional<Report>& report() const { return report_; }
  [[nodiscard]] std::uint64_t serial() const { return serial_; }  // differs after each report
  [[nodiscard]] const std::optional<TaskRates>& rates() const { return rates_; }

  // Null: no such loop, or never sampled.
  [[nodiscard]] const LoopRecord* find_loop(Address id) const;

  // Rows of the tasks of the report's loop number `loop`, or of all tasks where that is negative.
  [[nodiscard]] std::vector<TopRow> rows(RowUnit unit, std::int32_t loop) const;

 private:
  void compare_with(const Report& before, Report& now);
  void count_groups();
  [[nodiscard]] RowFacts facts_of(const TopRow& row, RowUnit unit, std::int32_t loop) const;

  int pid_;
  WatchStatus status_ = WatchStatus::kStarting;
  std::string status_text_;
  std::optional<Report> report_;
  std::uint64_t serial_ = 0;
  std::optional<TaskRates> rates_;
  std::optional<double> seconds_;          // between the last two reports
  std::vector<bool> moved_;                // of each task of the report: it was elsewhere in the one before
  std::map<Address, LoopRecord> loops_;
  std::unordered_map<RowKey, std::deque<std::uint64_t>> counts_;  // of each group, the latest last
  std::size_t snapshots_ = 0;
};

// What a full report says of its running loops, as a light sample.
[[nodiscard]] LightSample build_light_sample(const Report& report);

}  // namespace asyncspy
