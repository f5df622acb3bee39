#include <fmt/format.h>

#include "rules.h"
#include "words.h"

namespace asyncspy {
namespace {

// One client for the whole program is what their authors recommend; a few may be meant.
constexpr std::uint64_t kManyClients = 10;
constexpr std::uint64_t kManyGenerators = 10;

// Connections and streams lie in pools and are open by right: their number is in the report, and judged by nobody here.
bool is_client(const LiveObjects& objects) {
  return objects.name.ends_with("Session") || objects.name.ends_with("AsyncClient") || objects.name.ends_with("Connector") || objects.name.ends_with("Pool") ||
         objects.name.ends_with("AsyncEngine");
}

void find_not_closed(const Case& seen, std::vector<Finding>& found) {
  for (const LiveObjects& objects : seen.report().objects) {
    const bool is_generator = objects.kind == LiveKind::kAsyncGenerator;
    const std::uint64_t open = objects.open.value_or(objects.count);
    if (objects.kind == LiveKind::kCoroutine || (objects.kind == LiveKind::kInstance && !is_client(objects)) || open == 0) continue;
    Finding finding;
    finding.confidence = Confidence::kObserved;
    finding.severity = open >= (is_generator ? kManyGenerators : kManyClients) ? Severity::kWarning : Severity::kInfo;
    if (is_generator) {
      finding.culprit = Culprit{objects.name, objects.file, objects.line, {}};
      finding.sentence = fmt::format("{} of {} ({}:{}) {} suspended, and nobody iterates over {}: what they hold stays open", format_count(open, "async generator"),
                                     objects.name, objects.file, objects.line, open == 1 ? "is" : "are", open == 1 ? "it" : "them");
      finding.evidence.push_back(fmt::format("{} of it that stand at a `yield` and that no frame of a coroutine or generator refers to (heap)", format_count(open, "object")));
      finding.fix = "close what is left early: `async with contextlib.aclosing(generator):`";
    } else {
      if (finding.severity == Severity::kInfo) continue;
      finding.sentence = fmt::format("{} of {} are open: one is made again and again and not closed", format_count(open, "object"), objects.name);
      finding.evidence.push_back(fmt::format("{} of {} are alive{} (heap)", format_count(objects.count, "object"), objects.name,
                                             objects.open ? fmt::format(", {} of which say that they are not closed", open) : std::string()));
      finding.fix = "make one for the whole program and share it, or use it with `async with`";
    }
    found.push_back(std::move(finding));
  }
}

}  // namespace

constexpr Rule kNotClosed = {
    .id = "P20",
    .title = "Sessions, pools or async generators not closed",
    .meaning = "Client sessions, pools and async generators are made and not closed: descriptors and memory run out, and what their `finally` was to "
               "do is not done.",
    .looks_at = "With --heap: live instances of client classes that say that they are not closed, ten or more; async generators suspended at a `yield` that no "
                "frame refers to. Observed; fewer than ten are a note. Streams and connections are counted and not judged: pools hold them open by right.",
    .example = "async def fetch(url):\n    return await aiohttp.ClientSession().get(url)      # a session for each call, never closed",
    .remedy = "One session for the program; `async with`; contextlib.aclosing() for async generators.",
    .find = find_not_closed,
};

}  // namespace asyncspy
