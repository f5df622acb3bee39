#include "asyncio_report.h"

#include <algorithm>
#include <iterator>

#include "abandoned.h"
#include "find_wait.h"
#include "heap_census.h"
#include "held_tasks.h"
#include "heap_room.h"
#include "holders.h"
#include "loop_state.h"
#include "queue_users.h"
#include "read_ahead.h"
#include "read_task_facts.h"
#include "shared_reading.h"
#include "tracked_objects.h"
#include "unreachable.h"

namespace asyncspy {
namespace {

// One interpreter's part.
class AsyncioReport {
 public:
  AsyncioReport(Inspection& inspection, const Asyncio& asyncio, ThreadReport& threads, const Snapshot& snapshot, LocalsReader* locals,
                Report& report)
      : inspection_(inspection), asyncio_(asyncio), threads_(threads), snapshot_(snapshot), locals_(locals), report_(report),
        facts_(inspection, snapshot.wanted.context, snapshot.wanted.mask), now_(snapshot.capture.loop_time()) {}

  // `heap`: all tracked objects of the interpreter, or null.
  void run(const std::vector<Address>* heap) {
    std::vector<Address> ids = find_tasks(inspection_, asyncio_, threads_.states, report_.gaps);
    make_heap_room(ids.size() * kHeapRoomForTask);
    task_ids_.reserve(ids.size());
    for (Address task : ids) task_ids_.add(task);
    if (heap != nullptr) census_ = take_heap_census(inspection_, asyncio_, *heap);
    for (Address task : census_.tasks) {  // done ones, which asyncio does not list from 3.14 on
      if (task_ids_.add(task)) ids.push_back(task);
    }
    current_ = find_current_tasks(inspection_, asyncio_, threads_.states, report_.gaps);
    for (const CurrentTask& current : current_) {  // an eager task may be in no list yet
      if (task_ids_.add(current.task)) ids.push_back(current.task);
    }
    read_tasks_and_loops(ids);
    place_loops();
    if (heap != nullptr) report_objects();
    finish_tasks();
  }

 private:
  void read_tasks_and_loops(const std::vector<Address>& ids) {
    const std::vector<Address> loops = find_first_loops();
    RecordingMemory* memory = snapshot_.capture.mode == CaptureMode::kRunning ? nullptr : snapshot_.memory.get();  // it needs the processors itself
    TasksAndLoops read = ::asyncspy::read_tasks_and_loops(inspection_, asyncio_, memory, ids, loops);
    tasks_ = std::move(read.tasks);
    raw_tasks_ = std::move(read.raw_tasks);
    index_ = std::move(read.index);
    for (std::size_t i = 0; i < loops.size(); ++i) add_loop(loops[i], [&] { return std::move(read.loops[i]); });
    for (const RawTask& raw : raw_tasks_) add_loop(raw.loop, [&] { return read_loop(inspection_, raw.loop, index_); });
  }

  template <class Read>
  void add_loop(Address id, const Read& read) {
    if (id.is_null() || loop_indices_.contains(id)) return;
    loop_indices_.add(id, static_cast<std::int32_t>(report_.loops.size()));
    raw_loops_.push_back(read());
    report_.loops.emplace_back();  // its place; place_loops() fills it
  }

  void report_objects() {
    AddressSet of_tasks;
    for (const RawTask& raw : raw_tasks_) {
      if (!raw.task.stack.empty()) of_tasks.add(raw.task.stack.front().object);
    }
    std::erase_if(census_.unstarted, [&](Address coroutine) { return of_tasks.contains(coroutine); });
    report_.capture.heap_objects = report_.capture.heap_objects.value_or(0) + census_.objects;
    for (auto& counts : {count_by_place(inspection_, census_.unstarted, LiveKind::kCoroutine),
                         count_by_place(inspection_, census_.suspended, LiveKind::kAsyncGenerator), census_.instances}) {
      report_.objects.insert(report_.objects.end(), counts.begin(), counts.end());
    }
  }

  // Those that are known before any task was read.
  std::vector<Address> find_first_loops() {
    first_loop_ = report_.loops.size();
    std::vector<Address> loops;
    for (const ThreadState& state : threads_.states) {
      if (state.interpreter == asyncio_.interpreter) {
        running_loops_.push_back(find_running_loop(inspection_, state, snapshot_.process.namespace_pid));
        loops.push_back(running_loops_.back());
      } else {
        running_loops_.emplace_back();
      }
    }
    for (const CurrentTask& current : current_) loops.push_back(current.loop);
    AddressSet known;
    std::erase_if(loops, [&](Address loop) { return !known.add(loop); });  // also of null
    return loops;
  }

  // The thread that runs a loop says so itself, or the loop names it (a process without the C accelerator keeps the running
  // loop in a threading.local, which is not read).
  void place_loops() {
    for (std::size_t i = 0; i < raw_loops_.size(); ++i) {
      place_loop(i);
      report_.loops[first_loop_ + i] = std::move(raw_loops_[i].loop);
    }
  }

  void place_loop(std::size_t i) {
    Loop& loop = raw_loops_[i].loop;
    for (std::size_t t = 0; t < threads_.states.size() && loop.thread < 0; ++t) {
      bool says_so = running_loops_[t] == loop.id;
      bool is_named = raw_loops_[i].thread_id != 0 && raw_loops_[i].thread_id == threads_.states[t].thread_id;
      if (says_so || is_named) loop.thread = static_cast<std::int32_t>(t);
    }
    for (const CurrentTask& current : current_) {
      if (current.loop == loop.id && loop.thread >= 0) loop.current_task = current.task;
    }
    if (loop.thread < 0) {
      loop.state = LoopState::kNotRunning;
      return;
    }
    auto thread = static_cast<std::size_t>(loop.thread);
    if (threads_.threads[thread].loop < 0) threads_.threads[thread].loop = static_cast<std::int32_t>(first_loop_ + i);
    observe_loop(inspection_, {raw_loops_[i], threads_.threads[thread], threads_.frame_addresses[thread],
                               !loop.current_task.is_null(), now_}, loop);
  }

  void finish_tasks() {
    AddressSet running;
    for (std::size_t i = first_loop_; i < report_.loops.size(); ++i) running.add(report_.loops[i].current_task);
    for (const RawTask& raw : raw_tasks_) {
      if (raw.chain.end == ChainEnd::kRunning && !raw.task.stack.empty()) first_coroutines_.add(raw.task.stack.front().object);
    }
    std::vector<Address> with_callbacks;
    for (const RawTask& raw : raw_tasks_) {
      if (raw.task.callbacks > 0) with_callbacks.push_back(raw.task.id);
    }
    CompletionIndex completions(inspection_, asyncio_, with_callbacks);
    Transports transports(inspection_, index_);
    PrimitiveTable primitives(inspection_, transports);
    const ThreadStacks stacks{threads_.threads, threads_.frame_addresses};
    JobTable jobs(inspection_, stacks);
    Representer representer(inspection_.reader, inspection_.types);
    AbandonmentSearch abandonments(inspection_, asyncio_);
    WaitContext context{asyncio_, index_, task_ids_, now_, completions, transports, primitives, jobs, representer};
    for (std::size_t i = 0; i < raw_tasks_.size(); ++i) {
      expect_facts(inspection_, raw_tasks_, i);
      RawTask& raw = raw_tasks_[i];
      Task& task = raw.task;
      if (!raw.loop.is_null()) task.loop = *loop_indices_.find(raw.loop);
      task.running = running.contains(task.id);
      TaskFacts facts = facts_.read(raw, task.running ? TaskFactsReader::Context::kAll : TaskFactsReader::Context::kWanted);
      facts.abandoned = abandonments.find(raw);
      if (raw.chain.end == ChainEnd::kRunning) join_thread_stack(raw);
      if (locals_ != nullptr) locals_->attach(task.stack, raw.chain.frame_addresses);
      task.wait = find_wait(inspection_, context, raw);
      task.deadline = find_deadline(context, raw);
      if (const auto* future = std::get_if<OnFuture>(&task.wait); future != nullptr && future->inferred.empty()) {
        facts.unreachable = is_unreachable(inspection_, asyncio_, raw);
      }
      if (!facts.is_empty()) {
        task.facts = static_cast<std::uint32_t>(report_.facts.size());
        report_.facts.push_back(std::move(facts));
      }
    }
    mark_held();
    finish_threads(context);
    finish_primitives(primitives);
    if (report_.tasks.empty()) {
      report_.tasks = std::move(tasks_);  // a million tasks are not moved one by one
    } else {
      std::ranges::move(tasks_, std::back_inserter(report_.tasks));
    }
    std::ranges::move(jobs.take_jobs(), std::back_inserter(report_.jobs));
  }

  // Few tasks fail without anybody noticing: only then frames are searched for them.
  void mark_held() {
    AddressSet finished;
    bool any = false;
    const auto is_unretrieved = [this](const Task& task) {
      return task.facts < report_.facts.size() && report_.facts[task.facts].outcome && report_.facts[task.facts].outcome->never_retrieved;
    };
    for (const Task& task : tasks_) {
      if (is_unretrieved(task)) any = finished.add(task.id) || any;
    }
    if (!any) return;
    const AddressSet held = find_held_tasks(inspection_, finished, raw_tasks_);
    for (const Task& task : tasks_) {
      if (is_unretrieved(task)) report_.facts[task.facts].outcome->held = held.contains(task.id);
    }
  }

  // Threads that wait for a job, and who will do it.
  void finish_threads(const WaitContext& context) {
    for (std::size_t i = 0; i < threads_.states.size(); ++i) {
      if (threads_.states[i].interpreter != asyncio_.interpreter) continue;
      Thread& thread = threads_.threads[i];
      thread.awaited_job = find_awaited_job(inspection_, thread, threads_.frame_addresses[i]);
      if (thread.awaited_job.is_null()) continue;
      thread.awaited_task = find_submitted_task(context, thread.awaited_job);
      if (!thread.awaited_task.is_null()) continue;
      // run_coroutine_threadsafe (Lib/asyncio/tasks.py): until the loop runs its callback there is no task.
      if (auto submitted = index_.submitted.find(thread.awaited_job); submitted != index_.submitted.end()) {
        if (const auto* loop = loop_indices_.find(submitted->second)) thread.awaited_loop = *loop;
      }
      context.jobs.add(thread.awaited_job);
    }
  }

  void finish_primitives(PrimitiveTable& primitives) {
    if (primitives.primitives().empty()) return;
    std::unordered_map<Address, Address> task_of;  // by the future that it awaits
    for (const Task& task : tasks_) {
      if (task.state == TaskState::kPending && !task.awaited.is_null()) task_of.emplace(task.awaited, task.id);
    }
    primitives.resolve_waiters(task_of);
    find_holders(inspection_, raw_tasks_, primitives);
    count_queue_users(inspection_, raw_tasks_, primitives);
    std::ranges::move(primitives.primitives(), std::back_inserter(report_.primitives));
  }

  // The frames of a running coroutine and of all that it called are on a thread's stack. Where another task's coroutine
  // begins, that task was started by this one (eagerly, or by a nested loop): the rest of the stack is its own.
  void join_thread_stack(RawTask& raw) {
    auto place = threads_.places.find(raw.chain.frame_addresses.back());
    if (place == threads_.places.end()) {
      // It was stopped between marking the coroutine as running and linking its frame, or the other way round at its end
      // (Objects/genobject.c, gen_send_ex; Python/ceval.c, _PyEval_EvalFrameDefault): nothing of it is on the stack.
      if (raw.task.running && snapshot_.capture.mode != CaptureMode::kRunning) return;
      raw.task.gaps.push_back({"stack of a running task", "its coroutine is on no thread's stack", raw.task.id});
      return;
    }
    const std::vector<Frame>& stack = threads_.threads[place->second.thread].stack;
    std::size_t end = place->second.frame + 1;
    while (end < stack.size() && !first_coroutines_.contains(stack[end].object)) ++end;
    const std::vector<Address>& addresses = threads_.frame_addresses[place->second.thread];
    raw.chain.frame_addresses.pop_back();
    raw.chain.frame_addresses.insert(raw.chain.frame_addresses.end(), addresses.begin() + static_cast<std::ptrdiff_t>(place->second.frame),
                                     addresses.begin() + static_cast<std::ptrdiff_t>(end));
    raw.task.stack.pop_back();
    raw.task.stack.insert(raw.task.stack.end(), stack.begin() + static_cast<std::ptrdiff_t>(place->second.frame),
                          stack.begin() + static_cast<std::ptrdiff_t>(end));
  }

  Inspection& inspection_;
  const Asyncio& asyncio_;
  ThreadReport& threads_;
  const Snapshot& snapshot_;
  LocalsReader* locals_;
  Report& report_;
  TaskFactsReader facts_;
  HeapCensus census_;
  std::optional<double> now_;
  LoopIndex index_;
  std::vector<Task> tasks_;        // never more than there is room for
  std::vector<RawTask> raw_tasks_;  // beside tasks_, to which they refer
  AddressSet task_ids_;
  AddressSet first_coroutines_;  // outermost coroutines of the tasks that are on a stack
  std::vector<CurrentTask> current_;
  std::vector<Address> running_loops_;  // beside threads_.states
  std::vector<RawLoop> raw_loops_;
  std::size_t first_loop_ = 0;          // of this interpreter, in report_.loops
  AddressMap<std::int32_t> loop_indices_;
};

}  // namespace

void report_asyncio(Inspection& inspection, const std::vector<Interpreter>& interpreters, ThreadReport& threads,
                    const Snapshot& snapshot, LocalsReader* locals, Report& report) {
  for (const Interpreter& interpreter : interpreters) {
    auto asyncio = find_asyncio(inspection, interpreter);
    if (!asyncio) {
      report.gaps.push_back({"modules of the interpreter", asyncio.error().what, interpreter.modules});
      continue;
    }
    if (!*asyncio) continue;
    report.asyncio = AsyncioPresence::kImported;
    std::optional<std::vector<Address>> heap;
    if (snapshot.wanted.heap) {
      auto objects = list_tracked_objects(inspection.reader, *snapshot.runtime, interpreter);
      if (objects) heap = std::move(*objects); else report.gaps.push_back({"heap", objects.error().what, objects.error().at});
    }
    AsyncioReport(inspection, **asyncio, threads, snapshot, locals, report).run(heap ? &*heap : nullptr);
  }
}

}  // namespace asyncspy
