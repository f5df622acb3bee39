#include <fmt/format.h>

#include "rules.h"

namespace asyncspy {
namespace {

void find_requests(const Case& seen, std::vector<Finding>& found) {
  for (const BlockedStep& step : seen.blocked_steps()) {
    const TaskFacts* facts = step.task == nullptr ? nullptr : seen.report().facts_of(*step.task);
    if (facts == nullptr || facts->context.empty()) continue;
    Finding finding;
    finding.severity = Severity::kInfo;
    finding.confidence = Confidence::kObserved;
    finding.tasks = {step.task->id};
    finding.culprit = seen.culprit_of(*step.task);
    std::string values;
    for (const ContextValue& value : facts->context) {
      values += fmt::format("{}{} = {}", values.empty() ? "" : ", ", value.name, value.value);
      finding.evidence.push_back(fmt::format("{} = {} (context variables of the task)", value.name, value.value));
    }
    finding.sentence = fmt::format("{}, whose step blocks the loop, works for: {}", seen.name_of(*step.task), values);
    finding.fix = fmt::format("look for it in the logs; --context {} shows it for every task", facts->context.front().name);
    found.push_back(std::move(finding));
  }
}

}  // namespace

constexpr Rule kRequest = {
    .id = "P23",
    .title = "Which request is it?",
    .meaning = "Tasks are called Task-4711. Their context variables say whose request they work for.",
    .looks_at = "The context variables of the task whose step blocks a loop, with secrets masked. Observed, and only a note. For other tasks they are shown "
                "when --context names them.",
    .example = "request_id: ContextVar[str] = ContextVar('request_id')",
    .remedy = "Set a context variable for each request, and give tasks names: asyncio.create_task(..., name=...).",
    .find = find_requests,
};

}  // namespace asyncspy
