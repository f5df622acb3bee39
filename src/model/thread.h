// A thread of the inspected process, as a value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "address.h"
#include "frame.h"
#include "frame_run.h"
#include "gap.h"
#include "native_call.h"
#include "process_facts.h"

namespace asyncspy {

// A system call in words.
struct SystemCallReport {
  std::string name;  // "clock_nanosleep"
  std::string text;  // "clock_nanosleep(CLOCK_MONOTONIC, wakes in 27.3 s)"
  std::optional<Descriptor> descriptor;    // of the first descriptor argument
  std::optional<double> remaining_seconds;  // of a sleep or a timeout
  Address object;  // futex word, or null
};

struct Thread {
  int tid = 0;
  int namespace_tid = 0;
  std::string name;
  char state = '?';
  bool on_cpu = false;  // running or runnable in user mode or state R
  double cpu_seconds = 0;
  std::optional<SystemCallReport> system_call;
  bool has_python = false;  // has a PyThreadState
  Address python_thread;    // pthread_self
  std::int64_t interpreter = 0;  // interpreter id
  bool holds_gil = false;
  bool waits_for_gil = false;
  std::int32_t loop = -1;    // index into Report::loops of the loop that it runs, -1: none
  Address awaited_job;       // the concurrent future in whose result() it waits, or null
  Address awaited_task;      // the task that will complete that future, when one is known
  std::int32_t awaited_loop = -1;  // index into Report::loops: the one that has yet to begin that task, -1: none is known
  std::vector<Frame> stack;  // outermost first
  std::vector<FrameRun> runs;           // of these, outermost first
  std::optional<NativeCalls> native;    // absent: not asked for, or not known
  std::vector<Gap> gaps;
};

}  // namespace asyncspy
