// How many handles a loop has taken from its ready queue: what tells one step from the next without stopping anything.
//
// A loop takes each handle from the left of a deque before it runs it, and puts new ones only to the right (asyncio/base_events.py
// _run_once and _call_soon; uvloop/loop.pyx _on_idle and _append_ready_handle). A deque counts what is added and what is taken in one
// number (`state`, Modules/_collectionsmodule.c), and its size is the difference: both together say how many were taken. As long as
// that number stays, the loop has begun no other step.
#pragma once

#include <cstdint>
#include <optional>

#include "inspection.h"

namespace asyncspy {

struct ReadyQueue {
  Address deque;
  bool takes_all = false;  // whatever the loop runs comes from it; not so in uvloop, where libuv calls protocols directly
  Address turn;            // of a number that changes whenever such a loop comes round; null: there is none
};

// Fails when the loop is none that is known.
[[nodiscard]] Result<ReadyQueue> find_ready_queue(Inspection& inspection, Address loop);

struct QueueCount {
  Address type;             // of the object at this place: another one is another queue
  std::uint64_t moves = 0;  // added and taken, since the deque was made
  std::int64_t size = 0;
  std::uint64_t turn = 0;   // see ReadyQueue; 0: there is none
};

// One read of a few bytes, uncached.
[[nodiscard]] Result<QueueCount> read_queue_count(Memory& memory, const PythonLayout& layout, Address queue);

// The same, and one more read for the turn where there is such a thing.
[[nodiscard]] Result<QueueCount> read_queue_count(Memory& memory, const PythonLayout& layout, const ReadyQueue& queue);

// How many handles were taken between two looks; nothing when the two do not fit together, as when one was caught in the middle of
// a change.
[[nodiscard]] std::optional<std::uint64_t> count_taken(const QueueCount& before, const QueueCount& after);

}  // namespace asyncspy
