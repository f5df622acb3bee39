// Rows of the main table: tasks with equal stacks, or single tasks, with what several snapshots tell of them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "report.h"

namespace asyncspy {

using RowKey = std::uint64_t;  // the same from snapshot to snapshot; 0: none

struct TopRow {
  RowKey key = 0;
  std::uint64_t count = 1;
  bool running = false;
  std::string name;                // of the task, or of the first of them and how many more
  std::string where;               // innermost frame of the program's own code, with file and line
  std::string waits;               // what it waits for, in a sentence
  std::optional<double> waiting;   // seconds, a lower bound: the longest of them
  std::optional<double> share;     // of the loop's time
  std::optional<double> steps;     // per second, a lower bound
  std::int64_t trend = 0;          // growth over the last snapshots
  std::vector<std::uint32_t> tasks;  // indices into Report::tasks
};

enum class SortColumn : std::uint8_t { kCount, kTrend, kWaiting, kShare, kSteps, kName, kWhere, kWaits };
inline constexpr int kSortColumns = 8;
[[nodiscard]] std::string_view to_word(SortColumn column);

// Equal rows stay in the order of their keys: it does not change when the table is drawn anew.
void sort_rows(std::vector<TopRow>& rows, SortColumn column, bool descending);

// Rows in which name, place or wait contain the text, whatever the case of ASCII letters.
void filter_rows(std::vector<TopRow>& rows, std::string_view text);

// What a group has in common: state, functions and lines of the stack, kind of wait.
[[nodiscard]] RowKey key_of_group(const Report& report, const Task& task);
[[nodiscard]] RowKey key_of_task(const Task& task);

// The function that the table shows a task in, as a key of its name and file; empty: not known.
[[nodiscard]] std::string key_of_place(std::string_view function, std::string_view file);
[[nodiscard]] std::string key_of_place(const Report& report, const Task& task);

enum class RowUnit : std::uint8_t { kGroups, kTasks };

// At most so many rows are made of single tasks.
inline constexpr std::size_t kMostTaskRows = 20'000;

struct RowFacts {
  std::optional<double> share;
  std::optional<double> steps;
  std::int64_t trend = 0;
};

// Of the tasks of one loop, or of all where `loop` is negative. `facts` is asked for what the report alone does not tell.
[[nodiscard]] std::vector<TopRow> build_rows(const Report& report, RowUnit unit, std::int32_t loop,
                                             const std::function<RowFacts(const TopRow&)>& facts);

}  // namespace asyncspy
