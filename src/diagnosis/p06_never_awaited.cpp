#include <fmt/format.h>

#include "own_code.h"
#include "rules.h"
#include "words.h"

namespace asyncspy {
namespace {

void find_never_awaited(const Case& seen, std::vector<Finding>& found) {
  for (const LiveObjects& objects : seen.report().objects) {
    if (objects.kind != LiveKind::kCoroutine || is_library_file(objects.file)) continue;
    Finding finding;
    finding.severity = Severity::kInfo;
    finding.confidence = Confidence::kObserved;
    finding.culprit = Culprit{objects.name, objects.file, objects.line, {}};
    finding.sentence = fmt::format("{} of {} ({}:{}) {} created and never started", format_count(objects.count, "coroutine"), objects.name, objects.file,
                                   objects.line, objects.count == 1 ? "was" : "were");
    finding.evidence.push_back(fmt::format("{} of it that no task has begun and that stand before their first instruction (heap)",
                                           format_count(objects.count, "coroutine object")));
    finding.fix = fmt::format("await {}(...), or start it with asyncio.create_task() or in an asyncio.TaskGroup (3.11+); calling it does not run it", objects.name);
    found.push_back(std::move(finding));
  }
}

}  // namespace

constexpr Rule kNeverAwaited = {
    .id = "P06",
    .title = "Coroutine never awaited",
    .meaning = "A coroutine function was called, and the coroutine that this yields was kept and neither awaited nor made a task of: nothing of it runs.",
    .looks_at = "With --heap: coroutine objects of the program's own code that stand before their first instruction and belong to no task. Observed, and "
                "only a note, as whoever keeps them may still await them.",
    .example = "callbacks.append(notify(user))      # and nobody awaits what is in the list",
    .remedy = "await it, or asyncio.create_task(), TaskGroup.create_task(). asyncio's debug mode logs where it was created.",
    .find = find_never_awaited,
};

}  // namespace asyncspy
