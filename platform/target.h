// The thing that is inspected: a live process, a core file or a recording, with one interface that only reads.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bulk_memory.h"
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

  // Ends the freeze and says how long the target stood still. May be called once.
  [[nodiscard]] virtual std::chrono::nanoseconds release() = 0;
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

  // Uncached reads of the target's memory.
  [[nodiscard]] virtual BulkMemory& memory() = 0;

  // Stops all threads, or fails and leaves them running. `deadline` bounds the wait for them to stop.
  [[nodiscard]] virtual Result<std::unique_ptr<Freeze>> freeze(std::chrono::milliseconds deadline) = 0;

  // What the descriptors in `numbers` are now (one table read for all; order as asked).
  [[nodiscard]] virtual std::vector<Descriptor> read_descriptors(const std::vector<int>& numbers) = 0;

  // CLOCK_MONOTONIC as the target sees it (its time namespace), in nanoseconds; 0: not known.
  [[nodiscard]] virtual std::int64_t monotonic_now() = 0;

  // Whether it runs, so that it changes unless it is frozen.
  [[nodiscard]] virtual bool is_live() const { return true; }

  // The pages that the process itself has written: private, and neither untouched nor a file's.
  [[nodiscard]] virtual Result<std::vector<PageRange>> find_written_pages(const std::vector<Mapping>& mappings) = 0;

  // What turned out to be missing while its memory was read, in sentences.
  [[nodiscard]] virtual std::vector<std::string> warnings() const { return {}; }
};

}  // namespace asyncspy
