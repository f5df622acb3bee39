#include "watched_set.h"

#include <algorithm>

#include "own_cost.h"

namespace asyncspy {
namespace {

constexpr double kSearchInterval = 1;        // seconds, for a process of a name
constexpr double kChildrenInterval = 3;      // seconds
constexpr std::size_t kMostProcesses = 256;

}  // namespace

WatchedSet::WatchedSet(const TopOptions& options, const TopServices& services) : options_(options), services_(services) {
  model_.waiting_for = options.wait_name;
  for (const int pid : options.pids) add(pid);
}

void WatchedSet::add(int pid) {
  const bool known = std::ranges::any_of(watches_, [pid](const ProcessWatch& each) { return each.pid() == pid; });
  if (known || watches_.size() >= kMostProcesses) return;
  WatchOptions watch = options_.watch;
  // What all of them cost together counts.
  const auto together = static_cast<double>(std::max<std::size_t>(options_.pids.size(), watches_.size() + 1));
  watch.limits.cpu_share /= together;
  watches_.emplace_back(pid, watch);
  model_.processes.emplace_back(pid);
  model_.costs.emplace_back();
}

void WatchedSet::add_children() {
  const std::vector<int> parents = options_.pids;
  for (const int parent : parents) {
    for (const int child : services_.find_children(parent)) add(child);
  }
}

Result<void> WatchedSet::begin(double now) {
  cpu_before_ = processor_seconds();
  if (options_.subprocesses) add_children();
  next_search_ = now + kChildrenInterval;
  if (watches_.empty()) {
    pick_up_next(now);
    return {};
  }
  Result<void> first;
  bool any = false;
  for (std::size_t i = 0; i < watches_.size(); ++i) {
    auto looked = watches_[i].look(monotonic_seconds(), model_.processes[i]);
    if (looked) any = true;
    else if (first) first = std::move(looked);
  }
  if (any || !options_.wait_name.empty()) return {};
  return first;
}

bool WatchedSet::pick_up_next(double now) {
  if (now < next_search_ && !watches_.empty()) return false;
  next_search_ = now + kSearchInterval;
  const auto found = services_.find_process(options_.wait_name, watches_.empty() ? 0 : watches_.front().pid());
  if (!found) return false;
  if (watches_.empty()) {
    add(*found);
  } else {
    const int before = watches_.front().pid();
    watches_.front() = ProcessWatch(*found, options_.watch);
    model_.processes.front().replace(*found, "process " + std::to_string(before) + " has ended: this is the next one called " + options_.wait_name);
  }
  (void)watches_.front().look(now, model_.processes.front());
  return true;
}

bool WatchedSet::step(double now) {
  bool news = false;
  for (std::size_t i = 0; i < watches_.size(); ++i) {
    if (watches_[i].next_due() <= now) news = watches_[i].step(monotonic_seconds(), model_.processes[i]) || news;
  }
  if (!options_.wait_name.empty() && (watches_.empty() || watches_.front().is_over())) return pick_up_next(now) || news;
  if (options_.subprocesses && now >= next_search_) {
    next_search_ = now + kChildrenInterval;
    add_children();
  }
  return news;
}

double WatchedSet::next_due() const {
  double due = !options_.wait_name.empty() || options_.subprocesses ? next_search_ : ProcessWatch::kNever;
  for (const ProcessWatch& each : watches_) due = std::min(due, each.next_due());
  return due;
}

void WatchedSet::measure(double now) {
  const double cpu = processor_seconds();
  cpu_.note(now, cpu - cpu_before_);
  cpu_before_ = cpu;
  const std::uint64_t memory = resident_bytes();
  for (std::size_t i = 0; i < watches_.size(); ++i) {
    model_.costs[i] = watches_[i].costs(now);
    model_.costs[i].cpu_share = cpu_.share(now);
    model_.costs[i].memory_bytes = memory;
  }
}

bool WatchedSet::is_over() const {
  return options_.wait_name.empty() && std::ranges::all_of(watches_, [](const ProcessWatch& each) { return each.is_over(); });
}

}  // namespace asyncspy
