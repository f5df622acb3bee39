#include "step_words.h"

#include <fmt/format.h>

#include <algorithm>

#include "words.h"

namespace asyncspy {
namespace {

std::string name_loop(const Case& seen, std::size_t loop) {
  return seen.report().loops.size() > 1 ? fmt::format("event loop {}", loop + 1) : std::string("the event loop");
}

}  // namespace

Finding start_finding(const Case& seen, const BlockedStep& step) {
  const Loop& loop = seen.report().loops[step.loop];
  Finding finding;
  finding.severity = Severity::kError;
  finding.confidence = Confidence::kObserved;
  if (step.task != nullptr) finding.tasks = {step.task->id};
  finding.threads = {step.thread->tid};
  if (loop.late) finding.at_least_seconds = loop.late->seconds;
  if (step.own) finding.culprit = seen.culprit_at(step.stack[*step.own], name_call(seen.report(), step));
  const std::string who = step.task != nullptr ? seen.name_of(*step.task) : "a callback";
  if (step.own && *step.own + 1 < step.stack.size()) {
    finding.evidence.push_back(fmt::format("{} runs {}, which called {} (frames of {})", who, seen.place_of(step.stack[*step.own]),
                                           seen.place_of(step.stack[*step.own + 1]), seen.name_of(*step.thread)));
  } else if (!step.stack.empty()) {
    finding.evidence.push_back(fmt::format("{} runs {} (frames of {})", who, seen.place_of(step.own ? step.stack[*step.own] : step.stack.back()),
                                           seen.name_of(*step.thread)));
  }
  if (step.own && *step.own > 0 && step.task != nullptr) {
    finding.evidence.push_back(fmt::format("its coroutine is {} (coroutine of {})", seen.place_of(step.stack.front()), seen.name_of(*step.task)));
  }
  if (loop.late) finding.evidence.push_back(fmt::format("{}, {} ago (timers of the loop)", loop.late->evidence, format_duration(loop.late->seconds)));
  return finding;
}

std::string open_sentence(const Case& seen, const BlockedStep& step) {
  std::string text = name_loop(seen, step.loop) + " is blocked: ";
  text.front() = static_cast<char>(text.front() == 't' ? 'T' : 'E');
  if (step.own) return text + seen.place_of(step.stack[*step.own]);
  if (!step.stack.empty()) return text + seen.place_of(step.stack.back());
  return text + (step.task != nullptr ? seen.name_of(*step.task) : "a callback");
}

std::string close_sentence(const Case& seen, const BlockedStep& step) {
  const Loop& loop = seen.report().loops[step.loop];
  std::string text;
  if (loop.late) text += fmt::format(", for at least {}", format_duration(loop.late->seconds));
  const auto others = static_cast<std::uint64_t>(std::ranges::count_if(seen.report().tasks, [&](const Task& task) {
    return task.state == TaskState::kPending && !task.running && task.loop == static_cast<std::int32_t>(step.loop);
  }));
  std::string behind;
  if (others > 0) behind = format_count(others, "task");
  if (loop.ready.value_or(0) > 0) behind += (behind.empty() ? "" : " and ") + format_count(*loop.ready, "ready callback");
  if (!behind.empty()) text += fmt::format("; {} can not go on meanwhile", behind);
  return text;
}

}  // namespace asyncspy
