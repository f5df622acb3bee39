#include "standstill.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "control_groups.h"
#include "escaped_text.h"
#include "procfs.h"

namespace asyncspy {
namespace {

// What tells whether a thread has run: it can not without a context switch.
struct Rest {
  char state = '?';
  std::uint64_t context_switches = 0;
  bool operator==(const Rest&) const = default;
};
using Rests = std::map<int, Rest>;  // by thread

bool is_stopped(char state) { return state == 'T' || state == 't'; }
bool is_dead(char state) { return state == 'Z' || state == 'X'; }

// Nothing when the process has ended.
std::optional<Rests> read_rests(int pid) {
  Rests rests;
  for (const int tid : read_thread_ids(pid)) {
    const std::string path = fmt::format("{}/task/{}", pid, tid);
    const auto stat = read_process_stat(path);
    const auto status = read_process_status(path);
    if (stat && status && !is_dead(stat->state)) rests.emplace(tid, Rest{stat->state, status->context_switches});
  }
  if (rests.empty()) return std::nullopt;
  return rests;
}

class FoundStandstill final : public Standstill {
 public:
  FoundStandstill(int pid, Rests rests, std::string reason) : pid_(pid), rests_(std::move(rests)), reason_(std::move(reason)) {}

  [[nodiscard]] const std::string& reason() const override { return reason_; }
  [[nodiscard]] bool still_holds() const override { return read_rests(pid_) == rests_; }

 private:
  int pid_;
  Rests rests_;
  std::string reason_;
};

std::string describe_stop(int pid) {
  const auto status = read_process_status(std::to_string(pid));
  const int tracer = status ? status->tracer : 0;
  const auto stat = read_process_stat(std::to_string(tracer));
  const std::string name = stat ? fmt::format(" ({})", escape_text(stat->name)) : "";
  return fmt::format("it was already stopped by its tracer, process {}{} (state t)", tracer, name);
}

}  // namespace

std::unique_ptr<Standstill> find_standstill(int pid) {
  auto rests = read_rests(pid);
  if (!rests) return nullptr;
  const auto any = [&](auto condition) {
    return std::ranges::any_of(*rests, [&](const auto& each) { return condition(each.second.state); });
  };
  if (any([](char state) { return state == 'R'; })) return nullptr;
  std::string reason;
  // A thread in an uninterruptible sleep obeys the order to stop before it executes anything of the program.
  const bool all_stopped = !any([](char state) { return !is_stopped(state) && state != 'D'; });
  // One that a signal stopped (T) can be traced all the same: that stops nothing more, leaves it in T, and yields registers.
  if (all_stopped && any([](char state) { return state == 't'; })) {
    reason = describe_stop(pid);
  } else if (const auto group = find_frozen_group(pid)) {
    reason = fmt::format("it was already frozen with its control group, {}", escape_text(*group));
  } else {
    return nullptr;
  }
  return std::make_unique<FoundStandstill>(pid, std::move(*rests), std::move(reason));
}

}  // namespace asyncspy
