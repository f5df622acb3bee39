// Threads of a report: what the kernel says of them joined with Python's thread states and stacks.
#pragma once

#include <unordered_map>
#include <vector>

#include "frames.h"
#include "locals.h"
#include "report.h"
#include "snapshot.h"
#include "threads.h"

namespace asyncspy {

// A coroutine's frame on a thread's stack.
struct StackPlace {
  std::size_t thread = 0;  // index into Report::threads
  std::size_t frame = 0;   // index into its stack
};

struct ThreadReport {
  std::vector<Thread> threads;                      // Python threads first, as the interpreter lists them
  std::vector<std::vector<Address>> frame_addresses;  // beside each thread's stack
  std::vector<ThreadState> states;                  // beside the first threads, those with Python
  std::unordered_map<Address, StackPlace> places;   // frame structure -> where it runs
};

// `locals`: reads those of all frames; null when they are not wanted.
[[nodiscard]] ThreadReport report_threads(Inspection& inspection, Snapshot& snapshot,
                                          const std::vector<Interpreter>& interpreters, LocalsReader* locals,
                                          std::vector<Gap>& gaps);

}  // namespace asyncspy
