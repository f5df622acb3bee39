// Reports that consist of who waits for whom, for the tests of the graph.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "report.h"

namespace asyncspy::sample {

inline Address task_address(std::size_t task) { return Address{0x7f00'0000'0000 + 64 * static_cast<std::uint64_t>(task)}; }

// Task i waits for the tasks waits[i]: for none in a timer, for one by awaiting it, for several in gather.
inline Report make_tasks(const std::vector<std::vector<std::size_t>>& waits) {
  Report report;
  for (std::size_t i = 0; i < waits.size(); ++i) {
    Task task;
    task.id = task_address(i);
    task.name = "t" + std::to_string(i);
    task.state = TaskState::kPending;
    task.awaited = Address{0x1000 + 16 * static_cast<std::uint64_t>(i)};
    if (waits[i].empty()) {
      task.wait = OnTimer{};
    } else if (waits[i].size() == 1) {
      OnTask wait;
      wait.task = task_address(waits[i][0]);
      task.wait = wait;
    } else {
      OnMany many;
      many.construct = "gather";
      for (std::size_t other : waits[i]) many.tasks.push_back(task_address(other));
      many.pending = many.total = many.tasks.size();
      task.wait = many;
    }
    report.tasks.push_back(std::move(task));
  }
  return report;
}

// Layers of `width` tasks, each of which waits for all of the next layer: the number of paths grows without bound.
inline std::vector<std::vector<std::size_t>> make_diamond(std::size_t layers, std::size_t width) {
  std::vector<std::vector<std::size_t>> waits(layers * width);
  for (std::size_t i = 0; i + width < waits.size(); ++i) {
    for (std::size_t k = 0; k < width; ++k) waits[i].push_back((i / width + 1) * width + k);
  }
  return waits;
}

// Some edges among `count` tasks, always the same ones for the same seed.
inline std::vector<std::vector<std::size_t>> make_random(std::size_t count, std::size_t edges, std::uint32_t seed) {
  std::vector<std::vector<std::size_t>> waits(count);
  std::uint64_t state = seed * 2654435761ULL + 1;
  const auto next = [&state](std::size_t below) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::size_t>(state >> 33) % below;
  };
  for (std::size_t i = 0; i < edges; ++i) {
    std::vector<std::size_t>& from = waits[next(count)];
    const std::size_t to = next(count);
    if (std::ranges::find(from, to) == from.end()) from.push_back(to);
  }
  return waits;
}

}  // namespace asyncspy::sample
