// Which tasks a person wants to see.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pattern.h"
#include "report.h"
#include "result.h"

namespace asyncspy {

// A task passes when it meets each kind of condition that is given: of several patterns of one kind, any.
struct TaskFilter {
  std::vector<std::string> names = {};
  std::vector<std::string> states = {};     // "running", "pending" (and not running), "finished", "cancelled", "unknown"
  std::vector<std::string> functions = {};  // of any frame of its stack
  std::vector<std::string> files = {};      // likewise
  std::vector<std::string> waits = {};      // kind of wait ("timer"), of primitive ("lock") or of construct ("gather"): whole words
  std::optional<double> waiting_longer_than = {};  // seconds, of which only several samples tell
  std::vector<std::string> loops = {};      // number of the loop, from 1, or a pattern of its type

  [[nodiscard]] bool is_empty() const {
    return names.empty() && states.empty() && functions.empty() && files.empty() && waits.empty() && loops.empty() && !waiting_longer_than;
  }
};

// One for each task of the report.
[[nodiscard]] std::vector<bool> select_tasks(const Report& report, const TaskFilter& filter);

// The tasks that `word` means, as indices: those with this id ("0x7f..."), else with this name, else those whose name it is
// a pattern of. Empty: there is none.
[[nodiscard]] std::vector<std::uint32_t> find_tasks_named(const Report& report, std::string_view word);

}  // namespace asyncspy
