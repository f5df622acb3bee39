// The thing that is inspected: a live process, a core file or a recording, with one interface that only reads.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bulk_memory.h"
#include "mapped_files.h"
#include "process_facts.h"
#include "result.h"

namespace asyncspy {

// While a Freeze exists no thread of the target runs. Its end lets the target run on, whatever happens.
class Freeze {
 public:
  Freeze() = default;
  Freeze(const Freeze&) = delete;
  Freeze& operator=(const Freeze&) = delete;
  virtual ~Freeze() = default;

  // Threads with registers and system calls, as stopped.
  [[nodiscard]] virtual const std::vector<ThreadFacts>& threads() const = 0;

  // Until when no thread runs at the longest. What is copied later is not of the frozen moment.
  using Clock = std::chrono::steady_clock;
  [[nodiscard]] virtual Clock::time_point ends_at() const { return Clock::time_point::max(); }

  // What is unusual about it, in sentences.
  [[nodiscard]] virtual std::vector<std::string> warnings() const { return {}; }

  // Ends the freeze and says how long the target stood still. May be called once.
  [[nodiscard]] virtual std::chrono::nanoseconds release() = 0;
};

// A target that stands still by no act of ours, and can begin to run at any time.
class Standstill {
 public:
  Standstill() = default;
  Standstill(const Standstill&) = delete;
  Standstill& operator=(const Standstill&) = delete;
  virtual ~Standstill() = default;

  [[nodiscard]] virtual const std::string& reason() const = 0;

  // Whether no thread has run since it was found.
  [[nodiscard]] virtual bool still_holds() const = 0;
};

class Target {
 public:
  Target() = default;
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;
  virtual ~Target() = default;

  // Facts as of now: process, mappings, images. A live process is asked again at each call.
  [[nodiscard]] virtual Result<ProcessFacts> read_process() = 0;

  // Threads without stopping them: registers are absent, system calls are there where procfs tells.
  [[nodiscard]] virtual Result<std::vector<ThreadFacts>> read_threads() = 0;

  // One thread as of now, without registers and system call; nothing where that is not known.
  [[nodiscard]] virtual std::optional<ThreadFacts> read_thread(int /*tid*/) { return std::nullopt; }

  // Uncached reads of the target's memory.
  [[nodiscard]] virtual BulkMemory& memory() = 0;

  // Stops all threads, or fails and leaves them running. They run on after `longest` at the latest.
  [[nodiscard]] virtual Result<std::unique_ptr<Freeze>> freeze(std::chrono::milliseconds longest) = 0;

  // Null: it runs, or could. Else it is read as it is, without a freeze.
  [[nodiscard]] virtual std::unique_ptr<Standstill> find_standstill() { return nullptr; }

  // What the descriptors in `numbers` are now (one table read for all; order as asked).
  [[nodiscard]] virtual std::vector<Descriptor> read_descriptors(const std::vector<int>& numbers) = 0;

  // Its child processes as of now; empty where that is not known.
  [[nodiscard]] virtual std::vector<ChildProcess> read_children() { return {}; }

  // Its parent, when it is a fork of that without exec; 0: it is none, or that is not known.
  [[nodiscard]] virtual int find_fork_parent(const ProcessFacts&) { return 0; }

  // The files that are mapped into it; null where there are none to be had. Lives as long as this.
  [[nodiscard]] virtual MappedFiles* mapped_files() { return nullptr; }

  // CLOCK_MONOTONIC as the target sees it (its time namespace), in nanoseconds; 0: not known.
  [[nodiscard]] virtual std::int64_t monotonic_now() = 0;

  // Whether it runs, so that it changes unless it is frozen.
  [[nodiscard]] virtual bool is_live() const { return true; }

  // The pages that the process itself has written: private, and neither untouched nor a file's.
  [[nodiscard]] virtual Result<std::vector<PageRange>> find_written_pages(const std::vector<Mapping>& mappings) = 0;

  // About how many bytes that are, as of the last read_process(); 0: not known.
  [[nodiscard]] virtual std::uint64_t private_bytes() const { return 0; }

  // What turned out to be missing while its memory was read, in sentences.
  [[nodiscard]] virtual std::vector<std::string> warnings() const { return {}; }
};

}  // namespace asyncspy
