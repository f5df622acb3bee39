#include "process_model.h"

#include <algorithm>
#include <set>

#include "compare.h"
#include "confirm.h"
#include "own_code.h"
#include "waiting_times.h"

namespace asyncspy {
namespace {

constexpr std::size_t kTrendSnapshots = 10;
constexpr std::uint64_t kMostRecent = 6000;      // samples, a minute at 100 Hz: then all counts are halved
constexpr std::size_t kMostCounted = 20'000;     // functions or tasks of one loop that are counted
constexpr std::size_t kMostLoops = 64;

// The counts of long ago weigh less: half after each kMostRecent / 2 samples.
template <class Map>
void halve(Map& counts) {
  for (auto each = counts.begin(); each != counts.end();) {
    each->second /= 2;
    each = each->second == 0 ? counts.erase(each) : std::next(each);
  }
}

void count(LoopRecord& record, const LightLoop& loop) {
  ++record.recent;
  if (!loop.task.is_null()) {
    std::set<std::string> places;  // a function that calls itself counts once
    for (const LightFrame& frame : loop.stack) places.insert(key_of_place(frame.function, frame.file));
    for (const std::string& place : places) {
      if (record.by_place.size() < kMostCounted) ++record.by_place[place];
    }
    if (record.by_task.size() < kMostCounted) ++record.by_task[loop.task];
  }
  if (record.recent < kMostRecent) return;
  record.recent /= 2;
  halve(record.by_place);
  halve(record.by_task);
}

}  // namespace

void ProcessModel::add_sample(const LightSample& sample) {
  for (const LightLoop& loop : sample.loops) {
    if (!loops_.contains(loop.id) && loops_.size() >= kMostLoops) continue;
    LoopRecord& record = loops_[loop.id];
    record.history.add(sample.time, loop);
    record.hot.add(loop.stack);
    count(record, loop);
  }
}

void ProcessModel::compare_with(const Report& before, Report& now) {
  carry_waiting_times(before, now);
  confirm_findings(before, now);
  const Comparison changes = compare_reports(before, now);
  moved_.assign(now.tasks.size(), false);
  seconds_ = changes.seconds && *changes.seconds > 0 ? changes.seconds : std::nullopt;
  if (!changes.same_process) return;
  double created = 0;
  double finished = 0;
  for (const TaskChange& change : changes.tasks) {
    const bool was_done = change.before != kNowhere && before.tasks[change.before].state != TaskState::kPending;
    if (change.fate == TaskFate::kNew) ++created;
    if (change.fate == TaskFate::kDone || (change.fate == TaskFate::kGone && !was_done)) ++finished;
    if (change.fate == TaskFate::kMoved && change.after != kNowhere) moved_[change.after] = true;
  }
  if (seconds_) rates_ = TaskRates{created / *seconds_, finished / *seconds_};
}

void ProcessModel::add_report(Report report) {
  rates_.reset();
  seconds_.reset();
  if (report_) {
    compare_with(*report_, report);
  } else {
    confirm_findings(Report{}, report);  // what may be over in a moment is no alarm until it is seen again
    moved_.assign(report.tasks.size(), false);
  }
  report_ = std::move(report);
  ++serial_;
  status_ = WatchStatus::kLive;
  count_groups();
  std::erase_if(loops_, [this](const auto& each) {  // closed loops
    return std::ranges::find(report_->loops, each.first, &Loop::id) == report_->loops.end();
  });
  add_sample(build_light_sample(*report_));
}

void ProcessModel::count_groups() {
  std::unordered_map<RowKey, std::uint64_t> now;
  for (const TaskGroup& group : report_->groups) {
    if (!group.tasks.empty() && group.tasks.front() < report_->tasks.size()) {
      now[key_of_group(*report_, report_->tasks[group.tasks.front()])] += group.tasks.size();
    }
  }
  for (auto& [key, counts] : counts_) {
    if (!now.contains(key)) counts.push_back(0);
  }
  for (const auto& [key, tasks] : now) {
    std::deque<std::uint64_t>& counts = counts_[key];
    if (counts.empty() && snapshots_ > 0) counts.push_back(0);  // it was not there before
    counts.push_back(tasks);
  }
  ++snapshots_;
  for (auto& [key, counts] : counts_) {
    while (counts.size() > kTrendSnapshots) counts.pop_front();
  }
  std::erase_if(counts_, [](const auto& each) { return std::ranges::all_of(each.second, [](std::uint64_t tasks) { return tasks == 0; }); });
}

void ProcessModel::set_status(WatchStatus status, std::string text) {
  status_ = status;
  status_text_ = std::move(text);
}

void ProcessModel::replace(int pid, std::string why) {
  const std::uint64_t serial = serial_ + 1;
  *this = ProcessModel(pid);
  serial_ = serial;
  status_text_ = std::move(why);
}

const LoopRecord* ProcessModel::find_loop(Address id) const {
  const auto found = loops_.find(id);
  return found == loops_.end() ? nullptr : &found->second;
}

RowFacts ProcessModel::facts_of(const TopRow& row, RowUnit unit, std::int32_t loop) const {
  RowFacts facts;
  const Task& first = report_->tasks[row.tasks.front()];
  const std::int32_t its_loop = loop >= 0 ? loop : first.loop;
  const bool has_loop = its_loop >= 0 && static_cast<std::size_t>(its_loop) < report_->loops.size();
  if (const LoopRecord* record = has_loop ? find_loop(report_->loops[static_cast<std::size_t>(its_loop)].id) : nullptr; record != nullptr && record->recent > 0) {
    std::uint64_t ran = 0;
    if (unit == RowUnit::kTasks) {
      if (const auto found = record->by_task.find(first.id); found != record->by_task.end()) ran = found->second;
    } else if (const auto found = record->by_place.find(key_of_place(*report_, first)); found != record->by_place.end()) {
      ran = found->second;
    }
    facts.share = std::min(1.0, static_cast<double>(ran) / static_cast<double>(record->recent));
  }
  if (seconds_) {
    const auto moved = std::ranges::count_if(row.tasks, [this](std::uint32_t index) { return index < moved_.size() && moved_[index]; });
    facts.steps = static_cast<double>(moved) / *seconds_;
  }
  if (unit == RowUnit::kTasks) return facts;
  if (const auto counts = counts_.find(row.key); counts != counts_.end() && !counts->second.empty()) {
    facts.trend = static_cast<std::int64_t>(counts->second.back()) - static_cast<std::int64_t>(counts->second.front());
  }
  return facts;
}

std::vector<TopRow> ProcessModel::rows(RowUnit unit, std::int32_t loop) const {
  if (!report_) return {};
  return build_rows(*report_, unit, loop, [&](const TopRow& row) { return facts_of(row, unit, loop); });
}

LightSample build_light_sample(const Report& report) {
  LightSample sample;
  sample.time = report.capture.loop_time().value_or(0);
  for (const Loop& loop : report.loops) {
    if (loop.thread < 0 || static_cast<std::size_t>(loop.thread) >= report.threads.size()) continue;
    const Thread& thread = report.threads[static_cast<std::size_t>(loop.thread)];
    LightLoop light;
    light.id = loop.id;
    light.tid = thread.tid;
    light.state = loop.state;
    light.task = loop.current_task;
    light.callback = loop.current_callback;
    if (loop.late) light.late = loop.late->seconds;
    light.ready = loop.ready;
    for (const Timer& timer : loop.timers) {
      if (timer.cancelled || !timer.deadline || sample.time == 0) continue;
      const double left = *timer.deadline - sample.time;
      if (!light.next_timer || left < *light.next_timer) light.next_timer = left;
    }
    if (thread.system_call && !thread.on_cpu) light.call = thread.system_call->name;
    const bool executes = loop.state == LoopState::kRunning || loop.state == LoopState::kBlocked;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < thread.stack.size(); ++i) {
      const Frame& frame = thread.stack[i];
      if (frame.function >= report.functions.size()) continue;
      const Function& function = report.functions[frame.function];
      const bool runs_once = function.name == "_run_once" && function.file.ends_with("asyncio/base_events.py");
      const bool runs = function.name == "_run" && function.file.ends_with("asyncio/events.py") && i == begin;
      if (runs_once || runs) begin = i + 1;
    }
    for (std::size_t i = begin; executes && i < thread.stack.size(); ++i) {
      const Frame& frame = thread.stack[i];
      LightFrame shown{std::string(name_of_frame(report, frame)), "", frame.line};
      if (frame.function < report.functions.size()) shown.file = report.functions[frame.function].file;
      light.stack.push_back(std::move(shown));
    }
    sample.loops.push_back(std::move(light));
  }
  return sample;
}

}  // namespace asyncspy
