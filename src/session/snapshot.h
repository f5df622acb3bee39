// Everything that was copied out of a target at one moment. analyse() turns it into a report, now or years later.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "analysis_options.h"
#include "native_frame.h"
#include "process_facts.h"
#include "recording_memory.h"
#include "report.h"
#include "runtime.h"

namespace asyncspy {

struct Snapshot {
  ProcessFacts process;
  std::vector<ThreadFacts> threads;
  std::unique_ptr<BulkMemory> source;  // what `memory` still reads from, when it is an open recording; or null
  std::unique_ptr<RecordingMemory> memory;
  CaptureFacts capture;
  std::unordered_map<int, Descriptor> descriptors;  // those that the report mentions

  std::vector<ChildProcess> children;               // when the report mentions one

  std::optional<std::vector<NativeStack>> native_stacks;  // where they were asked for

  std::vector<std::string> warnings;  // what the target could not supply

  AnalysisOptions wanted;   // what analyse() is to tell
  bool has_values = false;  // what values of the target need was copied, too

  std::optional<Runtime> runtime;  // the interpreter as the last analysis found it

  // The analysis by which capture() made sure that nothing is missing. analyse() hands it out instead of repeating it.
  std::optional<Report> analysis;
};

}  // namespace asyncspy
