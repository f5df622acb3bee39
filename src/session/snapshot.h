// Everything that was copied out of a target at one moment. analyse() turns it into a report, now or years later.
#pragma once

#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "process_facts.h"
#include "recording_memory.h"
#include "report.h"

namespace asyncspy {

struct Snapshot {
  ProcessFacts process;
  std::vector<ThreadFacts> threads;
  std::unique_ptr<RecordingMemory> memory;
  CaptureFacts capture;
  std::unordered_map<int, Descriptor> descriptors;  // those that the report mentions

  // The analysis by which capture() made sure that nothing is missing. analyse() hands it out instead of repeating it.
  std::optional<Report> analysis;
};

}  // namespace asyncspy
