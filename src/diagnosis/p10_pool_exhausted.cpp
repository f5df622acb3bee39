#include <fmt/format.h>

#include <algorithm>

#include "rules.h"
#include "words.h"

namespace asyncspy {
namespace {

struct Pool {
  std::string_view name;
  std::string_view file;      // of the function in which a task waits for a connection
  std::string_view function;  // part of its qualified name
  std::string_view library;   // a folder: a task with other frames in it works with a connection
  bool innermost;             // the function also connects: only where it is the innermost frame, it waits for its turn
};

constexpr Pool kPools[] = {
    {"asyncpg", "asyncpg/pool.py", "_acquire", "/asyncpg/", false},
    {"aiohttp connector", "aiohttp/connector.py", "BaseConnector.connect", "/aiohttp/client", true},
    {"aiohttp connector", "aiohttp/connector.py", "BaseConnector._wait_for_available_connection", "/aiohttp/client", false},
    {"redis", "redis/asyncio/connection.py", "BlockingConnectionPool.get_connection", "/redis/", false},
    {"httpx", "httpcore/_async/connection_pool.py", "wait_for_connection", "/httpcore/", false},
    {"psycopg", "psycopg_pool/pool_async.py", "getconn", "/psycopg/", false},
};

bool waits_for_connection(const Case& seen, const Task& task, const Pool& pool) {
  for (std::size_t i = 0; i < task.stack.size(); ++i) {
    if (pool.innermost && i + 1 < task.stack.size()) continue;
    const std::string_view file = seen.file_of(task.stack[i]);
    if (file.ends_with(pool.file) && seen.name_of(task.stack[i]).contains(pool.function)) return true;
  }
  return false;
}

bool works_with_connection(const Case& seen, const Task& task, const Pool& pool) {
  return std::ranges::any_of(task.stack, [&](const Frame& frame) { return seen.file_of(frame).contains(pool.library); });
}

void find_exhausted_pools(const Case& seen, std::vector<Finding>& found) {
  for (const Pool& pool : kPools) {
    const auto is_of_pool = [&](const Function& function) { return function.file.ends_with(pool.file); };
    if (std::ranges::none_of(seen.report().functions, is_of_pool)) continue;  // nothing waits in it
    std::vector<Address> waiting;
    std::size_t working = 0;
    const Task* first = nullptr;
    for (const Task& task : seen.report().tasks) {
      if (task.state != TaskState::kPending) continue;
      const bool can_run = task.running || seen.is_held_up(task) || std::holds_alternative<Ready>(task.wait);
      if (!can_run && waits_for_connection(seen, task, pool)) {
        if (first == nullptr) first = &task;
        waiting.push_back(task.id);
      } else if (works_with_connection(seen, task, pool)) {
        ++working;
      }
    }
    if (first == nullptr) continue;
    Finding finding;
    finding.severity = working == 0 ? Severity::kWarning : Severity::kInfo;
    finding.confidence = Confidence::kObserved;
    finding.culprit = seen.culprit_of(*first);
    const std::string waits = waiting.size() == 1 ? "1 task waits" : format_count(waiting.size(), "task") + " wait";
    finding.sentence = fmt::format("{} for a free connection of a pool ({}) at {}", waits, pool.name, seen.place_of(*first));
    if (working == 0) {
      finding.sentence += ", and no task uses a connection: they are held by tasks that wait for something else, or were never given back";
    } else {
      finding.sentence += fmt::format("; {} its connections", working == 1 ? std::string("1 task uses") : format_count(working, "task") + " use");
    }
    finding.evidence.push_back(fmt::format("waiting: {} (frames of the tasks)", seen.list_tasks(waiting)));
    finding.evidence.push_back(fmt::format("{} other pending {} a frame of {} (frames of all tasks)", working, working == 1 ? "task has" : "tasks have", pool.library));
    finding.fix = "take connections with `async with pool.acquire()` for the query only, never a second one while holding the first; give acquire() a timeout";
    finding.tasks = std::move(waiting);
    found.push_back(std::move(finding));
  }
}

}  // namespace

constexpr Rule kPoolExhausted = {
    .id = "P10",
    .title = "Connection pool exhausted",
    .meaning = "All connections of a pool are taken, and tasks wait for one. When those who hold them wait for something slow, or for a "
               "second connection, nothing moves.",
    .looks_at = "Tasks that wait inside the acquiring function of asyncpg, aiohttp's connector, redis, httpx or psycopg's pool, and whether any "
                "other task works inside that library. Observed; a warning when none does, else a note: a busy pool is no fault.",
    .example = "async with pool.acquire() as one:\n    async with pool.acquire() as two:      # with ten of these and ten connections: nobody gets two",
    .remedy = "Hold a connection only for the query; never acquire twice in one task; set a timeout; enlarge the pool if it is only busy.",
    .find = find_exhausted_pools,
    .passing = Passing::kAll,
};

}  // namespace asyncspy
