// Looks at what the loops of a running process execute, many times a second, without stopping it.
//
// Everything that does not change from moment to moment (interpreter, layout, classes, code objects) is taken from an earlier
// snapshot or kept from sample to sample. The process runs on meanwhile: a sample whose parts do not fit together is an error,
// and a statement about many samples, not about one.
#pragma once

#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "find_asyncio.h"
#include "inspection.h"
#include "light_sample.h"
#include "ready_queue.h"
#include "snapshot.h"
#include "target.h"
#include "waiting_stack.h"

namespace asyncspy {

class LightSampler {
 public:
  // `runtime` and `process` are of a snapshot of the same target, which must outlive this.
  LightSampler(Target& target, Runtime runtime, ProcessFacts process);

  [[nodiscard]] Result<LightSample> take();

  // The ready queue of a loop that the last sample showed.
  [[nodiscard]] Result<ReadyQueue> find_ready_queue(Address loop);

  // What was learned of code and classes: to be read anew, should their places hold other things by now.
  void forget() { inspection_.reset(); }

  [[nodiscard]] const PythonLayout& layout() const { return snapshot_.runtime->layout; }

 private:
  [[nodiscard]] Result<std::optional<Asyncio>> find_known_asyncio(const Interpreter& interpreter);

  Target& target_;
  Snapshot snapshot_;
  std::optional<Inspection> inspection_;  // of the last sample: what it learned is carried on
  std::unordered_map<Address, Asyncio> asyncio_;  // by interpreter
  std::unordered_map<Address, WaitingStack> waiting_;  // by loop, of those that are written in C
};

}  // namespace asyncspy
