#include "case.h"

#include <fmt/format.h>

#include <algorithm>

#include "own_code.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostNames = 6;

AwaitGraph build_graph(const Report& report) { return AwaitGraph::build(report, LoopEdges::kInclude); }

template <class T>
const T* find_in(const std::vector<T>& all, const AddressMap<std::size_t>& places, Address id) {
  const std::size_t* found = places.find(id);
  return found == nullptr ? nullptr : &all[*found];
}

}  // namespace

Case::Case(const Report& report) : report_(report), graph_(build_graph(report)), blocked_(find_blocked_steps(report)), deadlocks_(find_deadlocks(report, graph_)) {
  for (std::size_t i = 0; i < report.primitives.size(); ++i) primitives_.add(report.primitives[i].id, i);
  for (std::size_t i = 0; i < report.jobs.size(); ++i) jobs_.add(report.jobs[i].id, i);
  held_up_.assign(report.loops.size(), false);
  for (const BlockedStep& step : blocked_) held_up_[step.loop] = true;
}

const Task* Case::find_task(Address id) const {
  const NodeIndex node = graph_.find(NodeKind::kTask, id.value());
  return node < report_.tasks.size() ? &report_.tasks[node] : nullptr;  // beyond them: one that the report only refers to
}
const Primitive* Case::find_primitive(Address id) const { return find_in(report_.primitives, primitives_, id); }
const Job* Case::find_job(Address id) const { return find_in(report_.jobs, jobs_, id); }

const Descriptor* Case::find_descriptor(int number) const {
  const auto found = std::ranges::lower_bound(report_.descriptors, number, {}, &Descriptor::number);  // they are sorted
  return found == report_.descriptors.end() || found->number != number ? nullptr : &*found;
}

const Thread* Case::find_thread(std::int32_t index) const {
  const bool exists = index >= 0 && static_cast<std::size_t>(index) < report_.threads.size();
  return exists ? &report_.threads[static_cast<std::size_t>(index)] : nullptr;
}

const Loop* Case::find_loop(std::int32_t index) const {
  const bool exists = index >= 0 && static_cast<std::size_t>(index) < report_.loops.size();
  return exists ? &report_.loops[static_cast<std::size_t>(index)] : nullptr;
}

bool Case::is_held_up(const Task& task) const {
  return task.loop >= 0 && static_cast<std::size_t>(task.loop) < held_up_.size() && held_up_[static_cast<std::size_t>(task.loop)];
}

std::string Case::name_of(const Task& task) const { return task.name.empty() ? "task " + format_address(task.id) : task.name; }

std::string Case::name_of_task(Address id) const {
  const Task* task = find_task(id);
  return task == nullptr ? "task " + format_address(id) : name_of(*task);
}

std::string Case::name_of(const Thread& thread) const {
  return thread.name.empty() ? fmt::format("thread {}", thread.tid) : fmt::format("thread {} ({})", thread.tid, thread.name);
}

std::string Case::list_tasks(const std::vector<Address>& ids) const {
  std::string text;
  for (std::size_t i = 0; i < ids.size() && i < kMostNames; ++i) text += (i == 0 ? "" : ", ") + name_of_task(ids[i]);
  if (ids.size() > kMostNames) text += fmt::format(" and {} more", ids.size() - kMostNames);
  return text;
}

std::string_view Case::file_of(const Frame& frame) const {
  return frame.function < report_.functions.size() ? std::string_view(report_.functions[frame.function].file) : std::string_view();
}

std::string_view Case::name_of(const Frame& frame) const { return name_of_frame(report_, frame); }

std::string Case::place_of(const Frame& frame) const {
  const std::string place = place_of_frame(report_, frame);
  const std::string name(name_of(frame));
  return place.empty() ? name : fmt::format("{} ({})", name, place);
}

std::string Case::place_of(const Task& task) const {
  const Frame* own = find_own_frame(report_, task.stack);
  return own == nullptr ? std::string() : place_of(*own);
}

std::string Case::place_of(const Thread& thread) const {
  const Frame* own = find_own_frame(report_, thread.stack);
  return own == nullptr ? std::string() : place_of(*own);
}

Culprit Case::culprit_at(const Frame& frame, std::string call) const {
  return {std::string(name_of(frame)), std::string(file_of(frame)), frame.line, std::move(call)};
}

std::optional<Culprit> Case::culprit_of(const Task& task) const {
  const Frame* own = find_own_frame(report_, task.stack);
  if (own == nullptr) return std::nullopt;
  const auto next = static_cast<std::size_t>(own - task.stack.data()) + 1;
  return culprit_at(*own, next < task.stack.size() ? std::string(name_of(task.stack[next])) : std::string());
}

}  // namespace asyncspy
