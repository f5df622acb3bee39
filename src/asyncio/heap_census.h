// What lives in the heap and matters to asyncio: tasks that no list names any more, coroutines that were never started, async
// generators that nobody goes on with, clients and connections that are to be closed.
#pragma once

#include <vector>

#include "find_asyncio.h"
#include "live_objects.h"

namespace asyncspy {

struct HeapCensus {
  std::uint64_t objects = 0;          // that were looked at
  std::vector<Address> tasks;         // in no order that means anything
  std::vector<Address> unstarted;     // coroutines, those of tasks included
  std::vector<Address> suspended;     // async generators that no frame refers to
  std::vector<LiveObjects> instances;
};

// `objects`: all that the garbage collector tracks. What makes no sense is left out.
[[nodiscard]] HeapCensus take_heap_census(Inspection& inspection, const Asyncio& asyncio, const std::vector<Address>& objects);

// By function and line, the most frequent first. `kind` is what they are.
[[nodiscard]] std::vector<LiveObjects> count_by_place(Inspection& inspection, const std::vector<Address>& generators, LiveKind kind);

}  // namespace asyncspy
