// What every rule looks at: the report with look-ups by id, its await graph, and the names under which findings speak of
// tasks, threads and places. Nothing here is escaped: a renderer does that.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "address_map.h"
#include "await_graph.h"
#include "blocked_step.h"
#include "deadlock.h"
#include "report.h"

namespace asyncspy {

class Case {
 public:
  explicit Case(const Report& report);

  [[nodiscard]] const Report& report() const { return report_; }
  [[nodiscard]] const AwaitGraph& graph() const { return graph_; }  // with the edges to loops
  // Loops that go on with nothing because of the step that they execute; at most one entry for each loop.
  [[nodiscard]] const std::vector<BlockedStep>& blocked_steps() const { return blocked_; }

  [[nodiscard]] const std::vector<Deadlock>& deadlocks() const { return deadlocks_; }

  [[nodiscard]] const Task* find_task(Address id) const;
  [[nodiscard]] const Primitive* find_primitive(Address id) const;
  [[nodiscard]] const Job* find_job(Address id) const;
  [[nodiscard]] const Descriptor* find_descriptor(int number) const;
  [[nodiscard]] const Thread* find_thread(std::int32_t index) const;
  [[nodiscard]] const Loop* find_loop(std::int32_t index) const;

  // Its loop stands still for a reason that has a finding of its own: what the task waits for tells nothing then.
  [[nodiscard]] bool is_held_up(const Task& task) const;

  [[nodiscard]] std::string name_of(const Task& task) const;  // "Task-3", or "task 0x7f.."
  [[nodiscard]] std::string name_of_task(Address id) const;
  [[nodiscard]] std::string name_of(const Thread& thread) const;  // "thread 4711 (worker)"
  // "a, b, c and 7 more".
  [[nodiscard]] std::string list_tasks(const std::vector<Address>& ids) const;

  // "Shop.checkout (/srv/shop.py:50)"; of a task or thread: its own innermost frame, or empty when nothing is known.
  [[nodiscard]] std::string place_of(const Frame& frame) const;
  [[nodiscard]] std::string place_of(const Task& task) const;
  [[nodiscard]] std::string place_of(const Thread& thread) const;
  [[nodiscard]] std::string_view file_of(const Frame& frame) const;
  [[nodiscard]] std::string_view name_of(const Frame& frame) const;  // qualified

  [[nodiscard]] Culprit culprit_at(const Frame& frame, std::string call = {}) const;
  // Its own innermost frame and the library function that this one awaits.
  [[nodiscard]] std::optional<Culprit> culprit_of(const Task& task) const;

 private:
  const Report& report_;
  AwaitGraph graph_;
  AddressMap<std::size_t> primitives_;
  AddressMap<std::size_t> jobs_;
  std::vector<BlockedStep> blocked_;
  std::vector<bool> held_up_;  // of each loop
  std::vector<Deadlock> deadlocks_;
};

}  // namespace asyncspy
