// Reads an event loop: its queues, timers and watched descriptors, and what they will complete.
#pragma once

#include <unordered_map>
#include <vector>

#include "find_asyncio.h"
#include "handles.h"
#include "loop.h"

namespace asyncspy {

// A timer that ends a wait by giving it up.
struct Timeout {
  double when = 0;        // loop time, seconds
  std::string construct;  // "asyncio.timeout", "asyncio.wait_for", or what the timer calls
};

// What a watched descriptor is watched for.
struct Watch {
  int descriptor = -1;
  std::string callback;  // what is called when it is ready
};

// What the loops know, by what it is about.
struct LoopIndex {
  AddressMap<double> deadlines;                     // future -> loop time of the timer that sets its result
  std::unordered_map<Address, Timeout> timeouts;    // task, or future that it awaits -> the earliest timer that gives it up
  std::unordered_map<Address, Watch> descriptors;   // future, or what a callback's closure holds -> descriptor
  std::unordered_map<Address, int> transports;      // transport, or whatever else is called when a descriptor is ready
  AddressSet ready_steps;                           // tasks of which a step is in a ready queue
  std::unordered_map<Address, Address> submitted;   // future of run_coroutine_threadsafe() whose task is yet to be made -> loop
};

struct RawLoop {
  Loop loop;
  std::uint64_t thread_id = 0;  // pthread_self of the thread inside run_forever, or 0
  std::optional<double> ready_deadline;  // earliest deadline of a timer that already moved to the ready queue
};

// Never fails: members that can not be read become gaps of the loop.
[[nodiscard]] RawLoop read_loop(Inspection& inspection, Address object, LoopIndex& index);

}  // namespace asyncspy
