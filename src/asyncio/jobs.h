// Thread pools: which call runs on which thread, and which waits behind how many others.
//
// concurrent/futures/thread.py: _worker(executor_reference, ..., work_queue, ...) takes _WorkItems from a SimpleQueue and calls
// run() on them. anyio's WorkerThread.run() takes (context, func, args, future, ...) from a queue of its own.
#pragma once

#include <unordered_map>
#include <vector>

#include "inspection.h"
#include "job.h"
#include "thread.h"

namespace asyncspy {

// The threads of the report with the addresses of their frames beside them.
struct ThreadStacks {
  const std::vector<Thread>& threads;
  const std::vector<std::vector<Address>>& frame_addresses;
};

class JobTable {
 public:
  JobTable(Inspection& inspection, const ThreadStacks& stacks) : inspection_(inspection), stacks_(stacks) {}

  // The job of this future: a concurrent.futures.Future, or one that a worker thread of anyio holds. Null when no pool knows
  // it. Jobs that were found are kept.
  [[nodiscard]] const Job* find(Address future);

  // As find(); but one that no pool knows is kept with the state that the future itself tells.
  const Job& add(Address future);

  [[nodiscard]] std::vector<Job> take_jobs() { return std::move(jobs_); }

 private:
  struct Pool {
    Address queue;
    Address executor;
    std::uint64_t workers = 0;
    std::uint64_t busy = 0;
    std::vector<Address> waiting;  // work items in the queue
    bool queue_is_known = false;
  };

  void build();
  void visit_worker(std::size_t thread, std::size_t frame);
  void visit_item(std::size_t thread, std::size_t frame, std::size_t pool);
  void visit_anyio(std::size_t thread, std::size_t frame);
  void visit_queue(const Pool& pool);
  void describe_pool(const Pool& pool, Job& job);
  [[nodiscard]] bool is_frame(const Frame& frame, std::string_view file, std::string_view name) const;

  Inspection& inspection_;
  const ThreadStacks& stacks_;
  bool is_built_ = false;
  std::unordered_map<Address, Job> found_;  // by future
  std::unordered_map<Address, std::size_t> pool_of_;  // running jobs: place in pools_
  std::vector<Pool> pools_;
  std::vector<Job> jobs_;
  std::unordered_map<Address, std::size_t> indices_;
};

// The concurrent.futures.Future in whose result() or exception() the thread waits, or null.
[[nodiscard]] Address find_awaited_job(Inspection& inspection, const Thread& thread, const std::vector<Address>& frame_addresses);

}  // namespace asyncspy
