// Everything that one look at a process yields. A Report and a JSON snapshot are one to one.
//
// Plain values without pointers between them: tasks refer to loops and threads by index, to each other by id.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "finding.h"
#include "frame.h"
#include "gap.h"
#include "incident.h"
#include "job.h"
#include "live_objects.h"
#include "loop.h"
#include "primitive.h"
#include "process_facts.h"
#include "task.h"
#include "task_facts.h"
#include "thread.h"
#include "variable.h"

namespace asyncspy {

struct PythonFacts {
  std::string version;  // "3.11.7"
  std::uint32_t hex_version = 0;
  std::string library;  // path of the image that holds the interpreter
  std::uint32_t interpreters = 1;
};

enum class CaptureMode : std::uint8_t { kStopped, kRunning, kCore };

struct CaptureFacts {
  CaptureMode mode = CaptureMode::kStopped;
  double pause_seconds = 0;       // how long all threads stood still, summed over `stops`
  int stops = 0;
  std::uint64_t bytes_copied = 0;
  std::optional<std::uint64_t> heap_objects{};  // how many objects the garbage collector tracks; absent: the heap was not looked at
  int samples = 1;                // looks at the process, of which the report shows the last; pauses and stops are of all
  double sampled_seconds = 0;     // from the first to the last
  std::int64_t monotonic_ns = 0;  // the target's CLOCK_MONOTONIC during the (last) stop; 0: not known, as in a core file
  std::int64_t realtime_ns = 0;   // wall clock, Unix time; 0: not known

  // The time of asyncio's loops at the snapshot, in seconds.
  [[nodiscard]] std::optional<double> loop_time() const {
    return monotonic_ns == 0 ? std::nullopt : std::optional(static_cast<double>(monotonic_ns) / 1e9);
  }
};

enum class AsyncioPresence : std::uint8_t { kNotImported, kImported };

// Tasks with equal stacks, equal kinds of wait and equal state, largest or most telling first.
struct TaskGroup {
  std::vector<std::uint32_t> tasks;  // indices into Report::tasks, in the order found
};

struct Report {
  ProcessFacts process;  // without the mappings
  PythonFacts python;
  CaptureFacts capture;
  AsyncioPresence asyncio = AsyncioPresence::kNotImported;
  std::vector<Function> functions;
  std::vector<std::string> names;  // referred to by Frame
  std::vector<FrameLocals> locals;  // referred to by Frame; empty unless they were asked for
  std::vector<Thread> threads;
  std::vector<Loop> loops;
  std::vector<Task> tasks;
  std::vector<TaskFacts> facts;           // of few tasks, which refer to them
  std::vector<Primitive> primitives;      // those that tasks wait at, and the locks of conditions among them
  std::vector<Job> jobs;                  // those that tasks or threads wait for
  std::vector<ChildProcess> children;
  std::vector<Descriptor> descriptors;    // those that tasks or threads wait for, by number
  std::vector<LiveObjects> objects;       // when the heap was looked at (CaptureFacts::heap_objects), the most first
  std::vector<TaskGroup> groups;
  std::vector<Finding> findings;
  std::vector<Gap> gaps;
  std::vector<std::string> warnings;  // which facts are not from the usual place, and the like
  std::optional<Incident> incident{};  // when `asyncspy watch` took it

  // Null where there are none.
  [[nodiscard]] const TaskFacts* facts_of(const Task& task) const { return task.facts < facts.size() ? &facts[task.facts] : nullptr; }
};

}  // namespace asyncspy
