#include <fmt/format.h>

#include <algorithm>

#include "rules.h"
#include "words.h"

namespace asyncspy {
namespace {

// A thread that is just handing something over properly. Lib/asyncio/base_events.py: call_soon_threadsafe appends, then wakes the loop.
bool is_being_woken(const Case& seen) {
  return std::ranges::any_of(seen.report().threads, [&](const Thread& thread) {
    return std::ranges::any_of(thread.stack, [&](const Frame& frame) {
      const std::string_view name = seen.name_of(frame);
      return name.ends_with("call_soon_threadsafe") || name.ends_with("_write_to_self");
    });
  });
}

bool sleeps_long(const Thread& thread) {
  return thread.system_call && thread.state == 'S' && !thread.on_cpu && thread.system_call->remaining_seconds.value_or(1) > 0;
}

void find_lost_wakeups(const Case& seen, std::vector<Finding>& found) {
  if (seen.report().capture.mode == CaptureMode::kRunning || is_being_woken(seen)) return;
  for (std::size_t i = 0; i < seen.report().loops.size(); ++i) {
    const Loop& loop = seen.report().loops[i];
    const Thread* thread = seen.find_thread(loop.thread);
    if (loop.state != LoopState::kIdle || loop.ready.value_or(0) == 0 || thread == nullptr || !sleeps_long(*thread)) continue;
    Finding finding;
    finding.confidence = Confidence::kSuspected;
    finding.when_confirmed = Confidence::kProven;
    finding.threads = {thread->tid};
    for (const Task& task : seen.report().tasks) {
      if (task.loop != static_cast<std::int32_t>(i) || !std::holds_alternative<Ready>(task.wait)) continue;
      if (finding.tasks.empty()) finding.culprit = seen.culprit_of(task);
      finding.tasks.push_back(task.id);
    }
    finding.sentence = fmt::format("The event loop sleeps although {} ready to run: something of it was used from another thread, which does not wake it",
                                   *loop.ready == 1 ? std::string("1 callback is") : format_count(*loop.ready, "callback") + " are");
    finding.evidence.push_back(fmt::format("its ready queue holds {} (attributes of the loop)", format_count(*loop.ready, "handle")));
    finding.evidence.push_back(fmt::format("{} sleeps in {} (registers of the thread)", seen.name_of(*thread), describe_system_call(*thread->system_call)));
    finding.evidence.push_back("no thread is inside call_soon_threadsafe() (frames of all threads)");
    finding.fix = "from other threads use loop.call_soon_threadsafe(future.set_result, value), call_soon_threadsafe(queue.put_nowait, item) or asyncio.run_coroutine_threadsafe()";
    found.push_back(std::move(finding));
  }
}

}  // namespace

constexpr Rule kWrongThread = {
    .id = "P16",
    .title = "Future, queue or loop used from another thread",
    .meaning = "A thread completed a future, put into an asyncio.Queue or called call_soon() of a loop that runs in another thread. The loop is "
               "not woken: what is ready waits until something else happens to wake it.",
    .looks_at = "Handles in the ready queue while the loop's thread sleeps in its selector, and no thread is just handing something over. "
                "Suspected, as between a proper wake-up and the moment when the thread gets the processor it looks the same; proven when a second look "
                "finds it unchanged.",
    .example = "threading.Thread(target=lambda: future.set_result(1)).start()",
    .remedy = "loop.call_soon_threadsafe(), asyncio.run_coroutine_threadsafe().",
    .find = find_lost_wakeups,
    .passing = Passing::kAll,
};

}  // namespace asyncspy
