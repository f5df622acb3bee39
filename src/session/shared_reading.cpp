#include "shared_reading.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <iterator>
#include <mutex>
#include <thread>

#include "heap_room.h"
#include "inspection_merge.h"
#include "parallel.h"
#include "read_ahead.h"

namespace asyncspy {
namespace {

constexpr std::size_t kTasksOfThread = 1000;  // fewer are read before another thread has begun
constexpr std::size_t kTasksOfPart = 250;
constexpr std::size_t kRoomForTask = 384;     // bytes: its stack, and what it is read with
constexpr std::size_t kMostRoom = std::size_t{32} << 20;  // a thread's part of the heap can not be larger than twice that

std::vector<RawTask> read_tasks(Inspection& inspection, const Asyncio& asyncio, std::span<const Address> ids, std::span<Task> into) {
  std::vector<RawTask> raw;
  raw.reserve(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    expect_tasks(inspection, ids, i);
    raw.push_back(read_task(inspection, asyncio, ids[i], into[i]));
  }
  return raw;
}

void read_loops(Inspection& inspection, std::span<const Address> ids, TasksAndLoops& result) {
  for (const Address loop : ids) result.loops.push_back(read_loop(inspection, loop, result.index));
}

// The work of several threads. Each has an inspection of its own, and takes one part of the tasks after the other.
class SharedReading {
 public:
  SharedReading(Inspection& inspection, const Asyncio& asyncio, RecordingMemory& memory, std::span<const Address> tasks,
                std::span<const Address> loops)
      : inspection_(inspection), asyncio_(asyncio), memory_(memory), task_ids_(tasks), loop_ids_(loops),
        parts_((tasks.size() + kTasksOfPart - 1) / kTasksOfPart) {}

  TasksAndLoops run() {
    result_.tasks.resize(task_ids_.size());
    work_together(task_ids_.size() / kTasksOfThread, [this] { work(); });
    merge();
    return std::move(result_);
  }

 private:
  struct Worker {
    Worker(RecordingMemory& recording, const Inspection& other)
        : memory(recording.open_reader()),
          inspection{.reader = {*memory, other.layout(), other.reader.string_hash}, .types = {}, .codes = {}, .names = {}, .text_names = {}} {}

    std::unique_ptr<Memory> memory;
    Inspection inspection;
    std::optional<InspectionMerge> merge;
  };
  struct Part {
    Worker* worker = nullptr;
    std::vector<RawTask> raw_tasks;
  };

  Worker& begin_worker() {
    const std::scoped_lock lock(beginning_);
    return workers_.emplace_back(memory_, inspection_);
  }

  void work() {
    Worker& worker = begin_worker();
    if (std::this_thread::get_id() != first_thread_) make_heap_room(std::min(kMostRoom, task_ids_.size() / 2 * kRoomForTask));
    if (!loops_are_taken_.exchange(true)) {
      loop_worker_ = &worker;
      read_loops(worker.inspection, loop_ids_, result_);
    }
    for (std::size_t i = next_part_.fetch_add(1); i < parts_.size(); i = next_part_.fetch_add(1)) {
      const std::size_t first = i * kTasksOfPart;
      const std::size_t count = std::min(kTasksOfPart, task_ids_.size() - first);
      parts_[i].worker = &worker;
      parts_[i].raw_tasks = read_tasks(worker.inspection, asyncio_, task_ids_.subspan(first, count), std::span(result_.tasks).subspan(first, count));
    }
  }

  void merge() {
    for (Worker& worker : workers_) worker.merge.emplace(worker.inspection, inspection_);
    result_.raw_tasks.reserve(task_ids_.size());
    for (Part& part : parts_) {
      for (RawTask& raw : part.raw_tasks) {
        adopt(*part.worker->merge, raw.task);
        result_.raw_tasks.push_back(std::move(raw));
      }
    }
    for (RawLoop& raw : result_.loops) {
      for (Timer& timer : raw.loop.timers) timer.callback = loop_worker_->merge->adopt_name(timer.callback);
    }
  }

  static void adopt(InspectionMerge& merge, Task& task) {
    for (Frame& frame : task.stack) {
      if (auto done = merge.adopt(frame); !done) task.gaps.push_back({"function of a frame", done.error().what, done.error().at});
    }
  }

  std::thread::id first_thread_ = std::this_thread::get_id();  // which has room already
  Inspection& inspection_;
  const Asyncio& asyncio_;
  RecordingMemory& memory_;
  std::span<const Address> task_ids_;
  std::span<const Address> loop_ids_;
  TasksAndLoops result_;
  std::vector<Part> parts_;
  std::atomic<std::size_t> next_part_ = 0;
  std::atomic<bool> loops_are_taken_ = false;
  Worker* loop_worker_ = nullptr;
  std::mutex beginning_;
  std::deque<Worker> workers_;  // which never move
};

}  // namespace

TasksAndLoops read_tasks_and_loops(Inspection& inspection, const Asyncio& asyncio, RecordingMemory* memory, std::span<const Address> tasks,
                                   std::span<const Address> loops) {
  if (memory != nullptr && tasks.size() >= 2 * kTasksOfThread) return SharedReading(inspection, asyncio, *memory, tasks, loops).run();
  TasksAndLoops result;
  result.tasks.resize(tasks.size());
  result.raw_tasks = read_tasks(inspection, asyncio, tasks, result.tasks);
  read_loops(inspection, loops, result);
  return result;
}

}  // namespace asyncspy
