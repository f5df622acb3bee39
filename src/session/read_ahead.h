// Many tasks are more than the processor's caches hold: what the next ones are read from is fetched beside the one that is read.
#pragma once

#include <span>

#include "inspection.h"
#include "read_task.h"

namespace asyncspy {

inline constexpr std::size_t kAhead = 4;  // tasks
inline constexpr std::size_t kExpectedOfTask = 256;  // bytes
inline constexpr std::size_t kExpectedOfCoroutine = 256;
inline constexpr std::size_t kExpectedOfFuture = 128;

// For read_task(): the i-th is about to be read.
inline void expect_tasks(const Inspection& inspection, std::span<const Address> ids, std::size_t i) {
  if (i + 2 * kAhead < ids.size()) inspection.reader.expect(ids[i + 2 * kAhead], kExpectedOfTask);
  if (i + kAhead < ids.size()) inspection.reader.expect_behind(ids[i + kAhead], inspection.layout().task.coroutine, kExpectedOfCoroutine);
}

// For what is found out of a task that was read.
inline void expect_facts(const Inspection& inspection, std::span<const RawTask> tasks, std::size_t i) {
  if (i + kAhead >= tasks.size()) return;
  const RawTask& raw = tasks[i + kAhead];
  inspection.reader.expect(raw.task.id, kExpectedOfTask);
  inspection.reader.expect(raw.task.awaited, kExpectedOfFuture);
  if (!raw.chain.frame_addresses.empty()) inspection.reader.expect(raw.chain.frame_addresses.back(), kExpectedOfCoroutine);
}

}  // namespace asyncspy
