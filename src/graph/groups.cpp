#include "groups.h"

#include <algorithm>
#include <unordered_map>

namespace asyncspy {
namespace {

using Key = std::vector<std::uint64_t>;

struct KeyHash {
  std::size_t operator()(const Key& key) const {
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (std::uint64_t word : key) hash = (hash ^ word) * 0x100000001b3ULL + (hash >> 29);
    return static_cast<std::size_t>(hash);
  }
};

// Primitives differ in kind and operation, descriptors do not differ in number: 500 idle connections are one group.
void append_wait(Key& key, const Wait& wait) {
  key.push_back(wait.index());
  auto append_text = [&key](const std::string& text) { key.push_back(std::hash<std::string>{}(text)); };
  if (const auto* primitive = std::get_if<OnPrimitive>(&wait)) {
    append_text(primitive->kind);
    append_text(primitive->operation);
  } else if (const auto* future = std::get_if<OnFuture>(&wait)) {
    append_text(future->type);
  } else if (const auto* unknown = std::get_if<Unknown>(&wait)) {
    append_text(unknown->why);
  } else if (const auto* ready = std::get_if<Ready>(&wait)) {
    append_text(ready->reason);
  } else if (const auto* task = std::get_if<OnTask>(&wait)) {
    append_text(task->construct);
  } else if (const auto* many = std::get_if<OnMany>(&wait)) {
    append_text(many->construct);
  }
}

void make_key(const Task& task, Key& key) {
  key.clear();
  key.push_back(static_cast<std::uint64_t>(task.state) * 2 + (task.running ? 1 : 0));
  append_wait(key, task.wait);
  for (const Frame& frame : task.stack) {
    key.push_back((std::uint64_t{frame.function} << 32) | static_cast<std::uint32_t>(frame.line));
    if (frame.function == kNoFunction) key.push_back(frame.name);
  }
}

int rank_of(const Task& task) {
  if (task.running) return 0;
  if (task.state == TaskState::kPending || task.state == TaskState::kUnknown) return 1;
  return 2;
}

}  // namespace

std::vector<TaskGroup> build_groups(const std::vector<Task>& tasks) {
  std::unordered_map<Key, std::size_t, KeyHash> index;
  std::vector<TaskGroup> groups;
  Key key;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    make_key(tasks[i], key);  // in the same room: most tasks bring no new group
    auto [at, added] = index.try_emplace(key, groups.size());
    if (added) groups.emplace_back();
    groups[at->second].tasks.push_back(static_cast<std::uint32_t>(i));
  }
  std::stable_sort(groups.begin(), groups.end(), [&](const TaskGroup& a, const TaskGroup& b) {
    int rank_a = rank_of(tasks[a.tasks.front()]);
    int rank_b = rank_of(tasks[b.tasks.front()]);
    if (rank_a != rank_b) return rank_a < rank_b;
    return a.tasks.size() > b.tasks.size();
  });
  return groups;
}

}  // namespace asyncspy
