#include "survey.h"

#include <fmt/format.h>

#include <algorithm>

#include "own_code.h"
#include "waiting_times.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr std::size_t kGrowingSurveys = 5;
constexpr std::size_t kMostTold = 100'000;  // tasks

std::optional<LightFrame> find_culprit(const Report& report, const Task& task) {
  const Frame* frame = find_own_frame(report, task.stack);
  if (frame == nullptr) return std::nullopt;
  LightFrame light;
  light.function = name_of_frame(report, *frame);
  if (frame->function < report.functions.size()) light.file = report.functions[frame->function].file;
  light.line = frame->line;
  return light;
}

constexpr std::string_view kNoFrame = "a task without a frame";

bool is_pending(const Task& task) { return task.state == TaskState::kPending && !task.running; }

std::string state_of(const Task& task) { return task.running ? "running" : std::string(to_word(task.state)); }

}  // namespace

std::string name_cause(std::string_view what, const std::optional<LightFrame>& culprit, std::string_view otherwise) {
  return culprit ? fmt::format("{}: {} ({})", what, culprit->function, culprit->file) : fmt::format("{}: {}", what, otherwise);
}

SurveyFacts count_facts(const Report& report) {
  SurveyFacts facts;
  for (const Task& task : report.tasks) ++facts.tasks[state_of(task)];
  for (const Finding& finding : report.findings) {
    if (finding.severity != Severity::kInfo) ++facts.findings[{finding.rule, std::string(to_word(finding.confidence))}];
  }
  return facts;
}

void Survey::find_findings(const Report& report, std::vector<Incident>& incidents) {
  std::set<std::string> causes;
  for (const Finding& finding : report.findings) {
    if (!is_alarm(finding, Confidence::kProven)) continue;
    Incident incident;
    incident.trigger = IncidentTrigger::kFinding;
    incident.seconds = finding.at_least_seconds;
    if (finding.culprit) incident.culprit = LightFrame{finding.culprit->function, finding.culprit->file, finding.culprit->line};
    if (!finding.tasks.empty()) incident.task = finding.tasks.front();
    incident.cause = name_cause(finding.rule, incident.culprit, finding.sentence);
    if (!findings_.contains(incident.cause) && causes.insert(incident.cause).second) incidents.push_back(incident);
    causes.insert(incident.cause);
  }
  findings_ = std::move(causes);
}

void Survey::find_long_waits(const Report& report, std::vector<Incident>& incidents) {
  if (settings_.pending <= 0) return;
  std::set<Address> waiting;
  std::set<std::string> causes;
  for (const Task& task : report.tasks) {
    if (!is_pending(task) || task.waiting_at_least.value_or(0) < settings_.pending || waiting.size() >= kMostTold) continue;
    waiting.insert(task.id);
    if (waiting_.contains(task.id)) continue;
    Incident incident;
    incident.trigger = IncidentTrigger::kPending;
    incident.seconds = task.waiting_at_least;
    incident.culprit = find_culprit(report, task);
    incident.task = task.id;
    incident.cause = name_cause(to_word(incident.trigger), incident.culprit, kNoFrame);
    if (causes.insert(incident.cause).second) incidents.push_back(std::move(incident));
  }
  waiting_ = std::move(waiting);
}

void Survey::find_growth(const Report& report, std::vector<Incident>& incidents) {
  counts_.push_back(static_cast<std::uint64_t>(std::ranges::count_if(report.tasks, is_pending)));
  if (counts_.size() > kGrowingSurveys + 1) counts_.pop_front();
  if (settings_.growth == 0 || counts_.size() <= kGrowingSurveys) return;
  if (!std::ranges::is_sorted(counts_, std::ranges::less_equal()) || counts_.back() - counts_.front() < settings_.growth) return;
  Incident incident;
  incident.trigger = IncidentTrigger::kGrowth;
  const auto largest = std::ranges::max_element(report.groups, {}, [](const TaskGroup& group) { return group.tasks.size(); });
  if (largest != report.groups.end() && !largest->tasks.empty()) {
    const Task& task = report.tasks[largest->tasks.front()];
    incident.culprit = find_culprit(report, task);
    incident.task = task.id;
  }
  incident.cause = name_cause(to_word(incident.trigger), incident.culprit, kNoFrame);
  counts_.erase(counts_.begin(), counts_.end() - 1);  // it is told once for each such growth
  incidents.push_back(std::move(incident));
}

std::vector<Incident> Survey::add(Report& report) {
  if (last_) carry_waiting_times(*last_, report);
  std::vector<Incident> incidents;
  find_findings(report, incidents);
  find_long_waits(report, incidents);
  find_growth(report, incidents);
  if (settings_.pending > 0) last_ = std::make_unique<Report>(report);
  return incidents;
}

}  // namespace asyncspy
