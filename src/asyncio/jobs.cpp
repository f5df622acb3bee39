#include "jobs.h"

#include <algorithm>

#include "callables.h"
#include "containers.h"
#include "frame_values.h"
#include "frames.h"
#include "object_attributes.h"
#include "text.h"

namespace asyncspy {
namespace {

constexpr std::string_view kThreadPool = "concurrent/futures/thread.py";
constexpr std::string_view kFutures = "concurrent/futures/_base.py";
constexpr std::string_view kAnyio = "anyio/_backends/_asyncio.py";
constexpr std::size_t kMostItems = 1'000'000;

bool is_call_of(const Inspection& inspection, const Frame& frame, std::string_view file, std::string_view name) {
  if (frame.function == kNoFunction) return false;
  const Function& function = inspection.codes.functions()[frame.function];
  return function.name == name && function.file.ends_with(file);
}

// Modules/_queuemodule.c, simplequeueobject. Told apart by size: 3.7-3.12 a list and where it begins, 3.13+ a ring.
Result<std::vector<Address>> read_simple_queue(Inspection& inspection, Address queue) {
  constexpr std::int64_t kWithList = 56, kWithRing = 72;
  constexpr std::uint64_t kList = 32, kListBegin = 40, kRingGet = 32, kRingItems = 40, kRingCapacity = 48, kRingCount = 56;
  ASYNCSPY_TRY(type, inspection.types.of(inspection.reader, queue));
  Memory& memory = inspection.reader.memory;
  if (type->basic_size == kWithList) {
    ASYNCSPY_TRY(list, memory.read_value<Address>(queue + kList));
    ASYNCSPY_TRY(begin, memory.read_value<std::int64_t>(queue + kListBegin));
    ASYNCSPY_TRY(items, read_list(inspection.reader, list));
    if (begin < 0 || static_cast<std::size_t>(begin) > items.size()) return fail(ErrorKind::kCorrupt, "not a queue", {}, queue);
    items.erase(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(begin));
    return items;
  }
  if (type->basic_size != kWithRing) return fail(ErrorKind::kCorrupt, "a queue of a kind that is not known", {}, queue);
  ASYNCSPY_TRY(get, memory.read_value<std::int64_t>(queue + kRingGet));
  ASYNCSPY_TRY(ring, memory.read_value<Address>(queue + kRingItems));
  ASYNCSPY_TRY(capacity, memory.read_value<std::int64_t>(queue + kRingCapacity));
  ASYNCSPY_TRY(count, memory.read_value<std::int64_t>(queue + kRingCount));
  bool is_plausible = capacity >= 0 && capacity <= kMaxContainerItems && count >= 0 && count <= capacity && get >= 0 && get <= capacity;
  if (!is_plausible) return fail(ErrorKind::kCorrupt, "not a queue", {}, queue);
  std::vector<Address> items;
  for (std::int64_t i = 0; i < count && items.size() < kMostItems; ++i) {
    ASYNCSPY_TRY(item, memory.read_value<Address>(ring + static_cast<std::uint64_t>((get + i) % capacity) * 8));
    items.push_back(item);
  }
  return items;
}

// The name of what is called in the end: asyncio.to_thread() submits partial(context.run, function, ...).
std::string name_function(Inspection& inspection, Address function) {
  const FunctionLayout& layout = inspection.layout().function;
  if (type_name_of(inspection, function) == "functools.partial") {
    auto inner = inspection.reader.read(function, layout.partial_function);
    if (inner && type_name_of(inspection, *inner) == "builtin_function_or_method") {
      auto self = inspection.reader.read(*inner, layout.builtin_self);
      auto arguments = inspection.reader.read(function, layout.partial_arguments);
      if (self && arguments && type_name_of(inspection, *self).ends_with("Context")) {
        auto items = read_elements(inspection, *arguments, 1);
        if (!items.empty()) function = items.front();
      }
    }
  }
  return std::string(describe_callable(inspection, function).name);
}

// _WorkItem: `fn`, and from 3.14 on `task`, a tuple of function, arguments and keywords.
std::string name_item(Inspection& inspection, Address item) {
  Address function = find_object(inspection, item, "fn");
  if (function.is_null()) {
    auto parts = read_elements(inspection, find_object(inspection, item, "task"), 1);
    if (!parts.empty()) function = parts.front();
  }
  return function.is_null() ? std::string{} : name_function(inspection, function);
}

// Lib/concurrent/futures/_base.py: the states of a future.
JobState state_of(Inspection& inspection, Address future) {
  Address state = find_object(inspection, future, "_state");
  if (!is_instance(inspection, state, "str")) return JobState::kUnknown;
  auto text = read_text(inspection.reader, state);
  if (!text) return JobState::kUnknown;
  if (*text == "PENDING") return JobState::kQueued;
  if (*text == "RUNNING") return JobState::kRunning;
  return text->starts_with("CANCELLED") || *text == "FINISHED" ? JobState::kDone : JobState::kUnknown;
}

}  // namespace

bool JobTable::is_frame(const Frame& frame, std::string_view file, std::string_view name) const {
  return is_call_of(inspection_, frame, file, name);
}

void JobTable::build() {
  is_built_ = true;
  for (std::size_t thread = 0; thread < stacks_.threads.size(); ++thread) {
    const std::vector<Frame>& stack = stacks_.threads[thread].stack;
    for (std::size_t frame = 0; frame < stack.size(); ++frame) {
      if (is_frame(stack[frame], kThreadPool, "_worker")) visit_worker(thread, frame);
      if (is_frame(stack[frame], kAnyio, "run")) visit_anyio(thread, frame);
    }
  }
  for (const auto& [future, pool] : pool_of_) describe_pool(pools_[pool], found_.at(future));
  for (const Pool& pool : pools_) visit_queue(pool);
}

// The first arguments hold a weak reference to the executor and the queue.
void JobTable::visit_worker(std::size_t thread, std::size_t frame) {
  constexpr std::size_t kArguments = 4;
  Address queue, executor;
  for (std::size_t i = 0; i < kArguments; ++i) {
    auto value = read_local(inspection_, stacks_.frame_addresses[thread][frame], i);
    if (!value || value->is_null()) continue;
    std::string_view type = type_name_of(inspection_, *value);
    if (type.ends_with("SimpleQueue")) queue = *value;
    if (type == "weakref" || type == "weakref.ReferenceType") {
      if (auto referent = inspection_.reader.read(*value, inspection_.layout().weak_reference.object)) executor = *referent;
    }
  }
  if (type_name_of(inspection_, executor) == "NoneType") executor = {};
  auto pool = std::ranges::find(pools_, queue, &Pool::queue);
  if (pool == pools_.end()) {
    pools_.push_back({queue, executor, 0, 0, {}, false});
    pool = std::prev(pools_.end());
    if (auto items = queue.is_null() ? Result<std::vector<Address>>(fail(ErrorKind::kCorrupt, "no queue")) : read_simple_queue(inspection_, queue)) {
      pool->queue_is_known = true;
      for (Address item : *items) {
        if (type_name_of(inspection_, item).ends_with("_WorkItem")) pool->waiting.push_back(item);  // None ends a worker
      }
    }
  }
  ++pool->workers;
  const std::vector<Frame>& stack = stacks_.threads[thread].stack;
  if (frame + 1 < stack.size() && is_frame(stack[frame + 1], kThreadPool, "run")) visit_item(thread, frame + 1, static_cast<std::size_t>(pool - pools_.begin()));
}

void JobTable::visit_item(std::size_t thread, std::size_t frame, std::size_t pool) {
  auto item = read_local(inspection_, stacks_.frame_addresses[thread][frame], 0);
  ++pools_[pool].busy;
  if (!item || !type_name_of(inspection_, *item).ends_with("_WorkItem")) return;
  Job job;
  job.id = find_object(inspection_, *item, "future");
  if (job.id.is_null()) return;
  job.state = JobState::kRunning;
  job.function = name_item(inspection_, *item);
  job.thread = static_cast<std::int32_t>(thread);
  pool_of_.emplace(job.id, pool);
  found_.emplace(job.id, std::move(job));
}

void JobTable::visit_anyio(std::size_t thread, std::size_t frame) {
  auto values = read_frame_values(inspection_, stacks_.frame_addresses[thread][frame]);
  if (!values || values->locals.empty() || !type_name_of(inspection_, values->locals.front()).ends_with("WorkerThread")) return;
  Job job;
  job.state = JobState::kRunning;
  job.thread = static_cast<std::int32_t>(thread);
  job.executor_type = "anyio worker threads";
  for (Address value : values->locals) {
    std::string_view type = type_name_of(inspection_, value);
    bool is_function = type == "function" || type == "method" || type == "functools.partial" || type == "builtin_function_or_method";
    if (is_function && job.function.empty()) job.function = name_function(inspection_, value);
    if (is_instance(inspection_, value, "_asyncio.Future") || is_instance(inspection_, value, "asyncio.futures.Future")) job.id = value;
  }
  if (!job.id.is_null()) found_.emplace(job.id, std::move(job));
}

// What all jobs of one pool share.
void JobTable::describe_pool(const Pool& pool, Job& job) {
  job.executor = pool.executor.is_null() ? pool.queue : pool.executor;
  std::string_view type = type_name_of(inspection_, pool.executor);
  job.executor_type = type.substr(type.rfind('.') == std::string_view::npos ? 0 : type.rfind('.') + 1);
  job.workers = pool.workers;
  job.busy = pool.busy;
  if (pool.queue_is_known) job.queued = pool.waiting.size();
}

void JobTable::visit_queue(const Pool& pool) {
  for (std::size_t i = 0; i < pool.waiting.size(); ++i) {
    Job job;
    job.id = find_object(inspection_, pool.waiting[i], "future");
    if (job.id.is_null()) continue;
    job.state = JobState::kQueued;
    job.function = name_item(inspection_, pool.waiting[i]);
    job.ahead = i;
    describe_pool(pool, job);
    found_.emplace(job.id, std::move(job));
  }
}

const Job* JobTable::find(Address future) {
  if (auto known = indices_.find(future); known != indices_.end()) return &jobs_[known->second];
  if (!is_built_) build();
  auto found = found_.find(future);
  if (found == found_.end()) return nullptr;
  indices_.emplace(future, jobs_.size());
  jobs_.push_back(found->second);
  return &jobs_.back();
}

const Job& JobTable::add(Address future) {
  if (const Job* known = find(future)) return *known;
  indices_.emplace(future, jobs_.size());
  Job job;
  job.id = future;
  job.state = state_of(inspection_, future);
  jobs_.push_back(std::move(job));
  return jobs_.back();
}

Address find_awaited_job(Inspection& inspection, const Thread& thread, const std::vector<Address>& frame_addresses) {
  for (std::size_t i = thread.stack.size(); i-- > 0;) {
    bool waits = is_call_of(inspection, thread.stack[i], kFutures, "result") || is_call_of(inspection, thread.stack[i], kFutures, "exception");
    if (!waits) continue;
    auto self = read_local(inspection, frame_addresses[i], 0);
    return self ? *self : Address{};
  }
  return {};
}

}  // namespace asyncspy
