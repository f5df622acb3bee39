// Two reports of one process, held against each other: what moved, what did not, what grew.
//
// Memory is used again: a task at the address of an old one may be another. Two tasks are one when address, name, type and
// the function and address of the coroutine agree. Asyncio's own names ("Task-17") count the tasks of a process, so with one
// of these it is certain; with a name that the program gave, or without one (3.7), it is very likely.
//
// A task that is at the same place in both may have moved in between and come back, as a worker does that waits for its
// queue again: what is the same says `still`, not "has not moved".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "report.h"

namespace asyncspy {

inline constexpr std::uint32_t kNowhere = 0xFFFFFFFF;

enum class TaskFate : std::uint8_t {
  kStill,  // the same functions and lines, in the same coroutines, waiting for the same thing
  kMoved,
  kDone,   // pending before, finished or cancelled now
  kNew,
  kGone,
};

struct TaskChange {
  TaskFate fate = TaskFate::kStill;
  std::uint32_t before = kNowhere;  // index into the tasks of the earlier report; kNowhere: kNew
  std::uint32_t after = kNowhere;   // of the later one; kNowhere: kGone
  bool certain = true;              // that both are one task
};

// Tasks with equal stacks, states and kinds of wait.
struct GroupChange {
  std::vector<std::uint32_t> before;  // indices of tasks
  std::vector<std::uint32_t> after;

  [[nodiscard]] std::int64_t growth() const { return static_cast<std::int64_t>(after.size()) - static_cast<std::int64_t>(before.size()); }
};

struct LoopChange {
  std::uint32_t before = kNowhere;  // index into the loops
  std::uint32_t after = kNowhere;
  bool same_step = false;           // runs the same task, and that is at the same place
};

// Of a queue and the like: how much is in it.
struct PrimitiveChange {
  std::uint32_t before = 0;  // index into the primitives
  std::uint32_t after = 0;
  std::int64_t size_before = 0;
  std::int64_t size_after = 0;
};

struct Comparison {
  bool same_process = false;      // otherwise only groups are compared, which need no identity
  std::optional<double> seconds;  // from the one to the other; absent: a clock is not known, as in core files
  std::vector<TaskChange> tasks;  // those of the later report in its order, then those that are gone
  std::vector<GroupChange> groups;          // the greatest growth first, those that shrank last
  std::vector<LoopChange> loops;
  std::vector<PrimitiveChange> primitives;  // whose size differs, the greatest growth first

  [[nodiscard]] std::size_t count(TaskFate fate) const;
};

[[nodiscard]] Comparison compare_reports(const Report& before, const Report& after);

}  // namespace asyncspy
