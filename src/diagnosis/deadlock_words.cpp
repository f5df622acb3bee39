#include "deadlock_words.h"

#include <fmt/format.h>

#include <algorithm>

#include "words.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostInSentence = 6;
constexpr std::size_t kMostEvidence = 40;

class DeadlockWords {
 public:
  DeadlockWords(const Case& seen, Deadlock deadlock) : seen_(seen), deadlock_(std::move(deadlock)) {}

  Finding run() {
    begin_with_a_task();
    Finding finding;
    finding.severity = deadlock_.is_closed ? Severity::kError : Severity::kWarning;
    finding.confidence = !deadlock_.is_certain ? Confidence::kSuspected : deadlock_.is_closed ? Confidence::kProven : Confidence::kObserved;
    finding.sentence = deadlock_.is_closed ? "Deadlock: " : "Waiting in a circle, out of which there is a way: ";
    for (std::size_t i = 0; i < deadlock_.edges.size(); ++i) {
      const AwaitEdge& edge = deadlock_.edges[i];
      note_members(edge, finding);
      if (i < kMostInSentence) finding.sentence += (i == 0 ? "" : edge.kind == EdgeKind::kHeldBy ? ", " : "; ") + describe_edge(edge, i > 0);
      if (i < kMostEvidence) finding.evidence.push_back(describe_edge(edge) + locate_edge(edge));
    }
    if (deadlock_.edges.size() > kMostInSentence) finding.sentence += fmt::format(", and so on through {} steps", deadlock_.edges.size());
    if (deadlock_.edges.size() > kMostEvidence) finding.evidence.push_back(fmt::format("{} further steps of the circle", deadlock_.edges.size() - kMostEvidence));
    if (!deadlock_.behind.empty()) {
      finding.sentence += fmt::format("; {} for them", deadlock_.behind.size() == 1 ? std::string("1 other task waits") : format_count(deadlock_.behind.size(), "other task") + " wait");
      finding.evidence.push_back("behind it: " + seen_.list_tasks(deadlock_.behind) + " (await graph)");
    }
    return finding;
  }

 private:
  // It reads best from a task or thread on.
  void begin_with_a_task() {
    const auto first = std::ranges::find_if(deadlock_.edges, [&](const AwaitEdge& edge) {
      return node(edge.from).kind == NodeKind::kTask || node(edge.from).kind == NodeKind::kThread;
    });
    if (first != deadlock_.edges.end()) std::ranges::rotate(deadlock_.edges, first);
  }

  [[nodiscard]] const Node& node(NodeIndex index) const { return seen_.graph().nodes()[index]; }

  [[nodiscard]] std::string name_of(NodeIndex index) const {
    const Node& what = node(index);
    const Report& report = seen_.report();
    switch (what.kind) {
      case NodeKind::kTask: return seen_.name_of_task(what.address());
      case NodeKind::kPrimitive:
        return fmt::format("{} {}", what.index == kNotListed ? std::string("primitive") : report.primitives[what.index].kind, format_address(what.address()));
      case NodeKind::kJob: {
        const std::string function = what.index == kNotListed ? std::string() : report.jobs[what.index].function;
        return function.empty() ? "job " + format_address(what.address()) : fmt::format("the call of {} in a thread", function);
      }
      case NodeKind::kThread: return what.index == kNotListed ? fmt::format("thread {}", what.identity) : seen_.name_of(report.threads[what.index]);
      default: return format_address(what.address());
    }
  }

  // "Task-1 waits for Lock 0x7f.."
  [[nodiscard]] std::string describe_edge(const AwaitEdge& edge, bool goes_on = false) const {
    const std::string from = name_of(edge.from);
    const std::string to = name_of(edge.to);
    switch (edge.kind) {
      case EdgeKind::kHeldBy: return fmt::format("{}{} {}", goes_on ? "" : from + " is ", edge.certain ? "held by" : "perhaps held by", to);
      case EdgeKind::kRunsOn: return fmt::format("{} runs on {}", from, to);
      case EdgeKind::kNeedsLoop:
        if (node(edge.from).kind != NodeKind::kThread) return fmt::format("{} needs the event loop of {}", from, to);
        return fmt::format("{} waits in result() for a coroutine that the event loop of {} has yet to begin", from, edge.from == edge.to ? "this very thread" : to);
      case EdgeKind::kWaitsFor: break;
    }
    const std::string_view how = seen_.graph().construct(edge);
    const bool says_more = how != "await" && how != "result" && node(edge.to).kind != NodeKind::kPrimitive;
    return fmt::format("{} waits for {}{}", from, to, says_more ? fmt::format(" in {}", how) : node(edge.from).kind == NodeKind::kThread ? " in result()" : "");
  }

  // ", at transfer (/srv/bank.py:31) [await chain of the task]"
  [[nodiscard]] std::string locate_edge(const AwaitEdge& edge) const {
    const Node& from = node(edge.from);
    const Node& to = node(edge.to);
    if (edge.kind == EdgeKind::kHeldBy) {
      const Task* holder = seen_.find_task(to.address());
      std::string text;
      if (from.index != kNotListed) {
        for (const Holder& each : seen_.report().primitives[from.index].holders) {
          if (each.task == to.address()) text = fmt::format(", which is {}", each.how);
        }
      }
      return text + (holder == nullptr ? "" : fmt::format(", now at {} (frames of the task)", seen_.place_of(*holder)));
    }
    if (from.kind == NodeKind::kTask) {
      const Task* task = seen_.find_task(from.address());
      return task == nullptr ? "" : fmt::format(", at {} (await chain of the task)", seen_.place_of(*task));
    }
    if (from.kind == NodeKind::kThread && from.index != kNotListed) {
      return fmt::format(", at {} (frames of the thread)", seen_.place_of(seen_.report().threads[from.index]));
    }
    return {};
  }

  void note_members(const AwaitEdge& edge, Finding& finding) const {
    const Node& from = node(edge.from);
    if (from.kind == NodeKind::kTask) {
      finding.tasks.push_back(from.address());
      const Task* task = seen_.find_task(from.address());
      if (!finding.culprit && task != nullptr) finding.culprit = seen_.culprit_of(*task);
    }
    if (from.kind == NodeKind::kThread) finding.threads.push_back(static_cast<int>(from.identity));
  }

  const Case& seen_;
  Deadlock deadlock_;
};

}  // namespace

Finding describe_deadlock(const Case& seen, const Deadlock& deadlock) { return DeadlockWords(seen, deadlock).run(); }

}  // namespace asyncspy
