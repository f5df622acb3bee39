#include "light_sampler.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "loop_glance.h"
#include "loop_state.h"
#include "thread_report.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostFrames = 200;       // of one stack
constexpr std::size_t kMostFunctions = 20'000; // kept from sample to sample
constexpr std::size_t kMostLoops = 1000;       // the same

Inspection begin_inspection(Memory& memory, const Runtime& runtime, std::optional<Inspection>& last) {
  Inspection fresh{.reader = runtime.reader(memory), .types = {}, .codes = {}, .names = {}, .text_names = {}};
  if (!last || last->codes.functions().size() > kMostFunctions) return fresh;
  fresh.types = std::move(last->types);
  fresh.codes = std::move(last->codes);
  fresh.names = std::move(last->names);
  fresh.text_names = std::move(last->text_names);
  fresh.handle_slots = std::move(last->handle_slots);
  return fresh;
}

LightFrame describe(const Inspection& inspection, const Frame& frame) {
  LightFrame light;
  if (frame.function == kNoFunction) return light;
  const Function& function = inspection.codes.functions()[frame.function];
  light.function = function.qualified_name.empty() ? function.name : function.qualified_name;
  if (const std::string_view own = inspection.names.name(frame.name); !own.empty()) light.function = own;  // the object's own
  light.file = function.file;
  light.line = frame.line;
  return light;
}

// What the loop called: the frames after its own.
void describe_stack(const Inspection& inspection, const std::vector<Frame>& stack, std::size_t begin, LightLoop& light) {
  for (std::size_t i = 0; i < stack.size(); ++i) {
    const LightFrame frame = describe(inspection, stack[i]);
    const bool runs_once = frame.function.ends_with("_run_once") && frame.file.ends_with("asyncio/base_events.py");
    if (runs_once) begin = i + 1;
  }
  light.runs_handle = !light.task.is_null();  // steps of tasks come from the ready queue, whatever the loop is written in
  for (std::size_t i = begin; i < stack.size() && light.stack.size() < kMostFrames; ++i) {
    LightFrame frame = describe(inspection, stack[i]);
    if (light.stack.empty() && frame.function.ends_with("_run") && frame.file.ends_with("asyncio/events.py")) {
      light.runs_handle = true;
      continue;
    }
    light.stack.push_back(std::move(frame));
  }
}

LightLoop observe(Inspection& inspection, Address id, const Thread& thread, const std::vector<Address>& frames, Address task, WaitingStack& waiting,
                  double now) {
  const LoopGlance glance = glance_at_loop(inspection, id);
  RawLoop raw;
  raw.loop.id = id;
  raw.ready_deadline = glance.ready_deadline;
  if (glance.first_timer) raw.loop.timers.push_back({.handle = {}, .deadline = glance.first_timer, .cancelled = false, .callback = kNoFunction});
  Loop loop;
  loop.id = id;
  std::size_t below = waiting.count_below(frames);
  if (below == frames.size()) below = 0;  // it waits, or what was taken for the waiting loop's was called by it
  observe_loop(inspection, {raw, thread, frames, !task.is_null(), now, below}, loop);
  if (loop.state == LoopState::kIdle) waiting.note_waiting(frames);
  LightLoop light;
  light.id = id;
  light.tid = thread.tid;
  light.state = loop.state;
  light.task = task;
  light.callback = loop.current_callback;
  if (loop.late) light.late = loop.late->seconds;
  light.ready = glance.ready;
  if (glance.first_timer) light.next_timer = *glance.first_timer - now;
  if (thread.system_call && !thread.on_cpu) light.call = thread.system_call->name;
  light.thread_state = thread.state;
  if (loop.state == LoopState::kRunning || loop.state == LoopState::kBlocked) {
    const std::size_t called = find_called_by_c_loop(inspection, thread, below);
    describe_stack(inspection, thread.stack, called < thread.stack.size() ? called : 0, light);
  }
  return light;
}

}  // namespace

LightSampler::LightSampler(Target& target, Runtime runtime, ProcessFacts process) : target_(target) {
  snapshot_.process = std::move(process);
  snapshot_.runtime = std::move(runtime);
  snapshot_.capture.mode = CaptureMode::kRunning;
}

Result<std::optional<Asyncio>> LightSampler::find_known_asyncio(const Interpreter& interpreter) {
  if (auto known = asyncio_.find(interpreter.address); known != asyncio_.end()) return std::optional(known->second);
  ASYNCSPY_TRY(found, find_asyncio(*inspection_, interpreter));
  if (found) asyncio_.emplace(interpreter.address, *found);
  return std::move(found);
}

Result<LightSample> LightSampler::take() {
  ASYNCSPY_TRY(threads, target_.read_threads());
  snapshot_.threads = std::move(threads);
  // The old pages go only when nothing refers to them any more.
  auto memory = std::make_unique<RecordingMemory>(&target_.memory());
  Inspection next = begin_inspection(*memory, *snapshot_.runtime, inspection_);
  inspection_.reset();
  inspection_.emplace(std::move(next));
  snapshot_.memory = std::move(memory);
  snapshot_.capture.monotonic_ns = target_.monotonic_now();
  ASYNCSPY_TRY(interpreters, read_interpreters(inspection_->reader, *snapshot_.runtime));
  std::vector<Gap> gaps;
  const ThreadReport report = report_threads(*inspection_, snapshot_, interpreters, nullptr, gaps);
  if (waiting_.size() > kMostLoops) waiting_.clear();
  LightSample sample;
  sample.time = snapshot_.capture.loop_time().value_or(0);
  for (const Interpreter& interpreter : interpreters) {
    ASYNCSPY_TRY(asyncio, find_known_asyncio(interpreter));
    if (!asyncio) continue;
    const std::vector<CurrentTask> current = find_current_tasks(*inspection_, *asyncio, report.states, gaps);
    for (std::size_t t = 0; t < report.states.size(); ++t) {
      if (report.states[t].interpreter != interpreter.id) continue;
      const Address loop = find_running_loop(*inspection_, report.states[t], snapshot_.process.namespace_pid);
      if (loop.is_null()) continue;
      const auto task = std::ranges::find(current, loop, &CurrentTask::loop);
      sample.loops.push_back(observe(*inspection_, loop, report.threads[t], report.frame_addresses[t],
                                     task == current.end() ? Address{} : task->task, waiting_[loop], sample.time));
    }
  }
  return sample;
}

Result<ReadyQueue> LightSampler::find_ready_queue(Address loop) {
  if (!inspection_) return fail(ErrorKind::kInternal, "light sample: none was taken");
  return asyncspy::find_ready_queue(*inspection_, loop);
}

}  // namespace asyncspy
