// Why `asyncspy watch` took the report, and what the loop did in the seconds before.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "own_code.h"
#include "text_sections.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostRuns = 8;

std::string describe_frame(const TextPage& page, const LightFrame& frame) {
  std::string text = page.paint(Role::kName, page.safe(frame.function));
  if (frame.file.empty()) return text;
  return text + "  " + page.paint(Role::kLocation, frame.line > 0 ? fmt::format("{}:{}", page.safe(frame.file), frame.line) : page.safe(frame.file));
}

// Samples that follow each other and show the same.
struct Run {
  const IncidentSample* first = nullptr;
  const IncidentSample* last = nullptr;
  std::size_t count = 0;
};

bool is_alike(const LightLoop& a, const LightLoop& b) {
  const LightFrame* one = find_own_frame(a.stack);
  const LightFrame* other = find_own_frame(b.stack);
  const bool same_place = one == nullptr || other == nullptr ? one == other : one->function == other->function && one->file == other->file;
  return a.id == b.id && a.stack.empty() == b.stack.empty() && a.task == b.task && same_place;
}

std::vector<Run> find_runs(const std::vector<IncidentSample>& samples) {
  std::vector<Run> runs;
  for (const IncidentSample& sample : samples) {
    if (runs.empty() || !is_alike(runs.back().last->loop, sample.loop)) runs.push_back({&sample, &sample, 0});
    runs.back().last = &sample;
    ++runs.back().count;
  }
  return runs;
}

std::string describe_run(const TextPage& page, const Run& run) {
  const LightLoop& loop = run.last->loop;
  std::string text = fmt::format("{:+.2f} s", run.first->seconds);
  if (run.count > 1) text += fmt::format(" to {:+.2f} s", run.last->seconds);
  text = fmt::format("{:<20} {:>12}  ", text, format_count(run.count, "sample"));
  const LightFrame* frame = find_own_frame(loop.stack);
  if (frame != nullptr) {
    text += describe_frame(page, *frame);
    if (!loop.call.empty()) text += ", in " + page.safe(loop.call);
  } else {
    text += to_word(loop.state);
  }
  return text;
}

}  // namespace

void put_incident(TextPage& page) {
  if (!page.report().incident) return;
  const Incident& incident = *page.report().incident;
  page.blank();
  std::string head = page.paint(Role::kHeading, fmt::format("INCIDENT {}", incident.id)) + fmt::format("  {} at {}", to_word(incident.trigger), format_instant(incident.detected_ns));
  if (incident.seconds) head += ", for at least " + format_duration(*incident.seconds) + " by then";
  page.line(head);
  if (incident.culprit) page.line("  where: " + describe_frame(page, *incident.culprit));
  if (!incident.cause.empty()) page.line("  cause: " + page.safe(incident.cause));
  const std::vector<Run> runs = find_runs(incident.samples);
  if (runs.empty()) return;
  const std::size_t shown = page.all() ? runs.size() : std::min(runs.size(), kMostRuns);
  page.line("  the loop before, by samples that did not stop the process:");
  if (shown < runs.size()) page.line(fmt::format("    ... {} earlier: --all shows them", format_count(runs.size() - shown, "change")));
  for (std::size_t i = runs.size() - shown; i < runs.size(); ++i) page.line("    " + describe_run(page, runs[i]));
}

}  // namespace asyncspy
