// What changed from one report to another, most telling first: the loops, what grew, what did not move.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "diff_report.h"
#include "escape.h"
#include "text_sections.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMaxLines = 12;  // of one section
constexpr std::size_t kMaxLoops = 10;

using Members = std::vector<const Task*>;

TextOptions text_options(const DiffOptions& options) { return {.colour = options.colour, .all = options.all}; }

// "2026-11-20 09:20:00", or empty.
std::string format_clock(const CaptureFacts& capture) {
  if (capture.realtime_ns == 0) return "";
  std::string instant = format_instant(capture.realtime_ns);
  std::ranges::replace(instant, 'T', ' ');
  return instant.substr(0, instant.find('.'));
}

class DiffPage {
 public:
  DiffPage(const Report& before, const Report& after, const Comparison& found, const DiffOptions& options, Sink& sink)
      : before_(before), after_(after), found_(found), old_page_(before, text_options(options), sink), page_(after, text_options(options), sink) {}

  bool print() {
    put_head();
    put_loops();
    put_growth("GROWN", [](std::int64_t growth) { return growth > 0; });
    put_growth("SHRUNK", [](std::int64_t growth) { return growth < 0; });
    put_primitives();
    if (found_.same_process) {
      put_by_group("STILL", TaskFate::kStill, "at the same place in both: they may have moved and come back in between");
      put_moved();
      put_by_group("DONE", TaskFate::kDone, "pending before");
      put_by_group("NEW", TaskFate::kNew, "");
      put_by_group("GONE", TaskFate::kGone, "with their last place");
    }
    return page_.flush();
  }

 private:
  void put_head() {
    page_.line(fmt::format("{} {}", page_.paint(Role::kHeading, fmt::format("process {}", after_.process.pid)),
                           page_.safe(describe_command(after_.process), 88)));
    const std::string from = format_clock(before_.capture);
    const std::string to = format_clock(after_.capture);
    std::string times = from.empty() || to.empty() ? "at unknown times" : fmt::format("from {} to {} UTC", from, to);
    if (found_.seconds) times += ": " + format_duration(*found_.seconds);
    page_.line("  " + page_.paint(Role::kDim, times));
    if (!found_.same_process) {
      page_.line("  " + page_.paint(Role::kWarning, fmt::format("this is not the process of the first report ({}): only groups are compared, not tasks",
                                                                before_.process.pid)));
      page_.line(fmt::format("  {} before, {} now", format_count(before_.tasks.size(), "task"), after_.tasks.size()));
      return;
    }
    std::string counts = fmt::format("  {} before, {} now", format_count(before_.tasks.size(), "task"), after_.tasks.size());
    std::string_view separator = ": ";
    const auto add = [&](TaskFate fate, std::string_view words) {
      if (const std::size_t count = found_.count(fate); count > 0) counts += fmt::format("{}{} {}", separator, count, words), separator = ", ";
    };
    add(TaskFate::kStill, "still at the same place");
    add(TaskFate::kMoved, "moved");
    add(TaskFate::kDone, "done since");
    add(TaskFate::kNew, "new");
    add(TaskFate::kGone, "gone");
    page_.line(counts);
    const auto likely = std::ranges::count_if(found_.tasks, [](const TaskChange& change) {
      return !change.certain && change.before != kNowhere && change.after != kNowhere;
    });
    if (likely > 0) {
      page_.line("  " + page_.paint(Role::kDim, fmt::format("{} known again by address, coroutine and a name that is not asyncio's count: very likely, not certain",
                                                            format_count(static_cast<std::uint64_t>(likely), "task is", "tasks are"))));
    }
  }

  static std::string with_before(const std::string& now, const std::string& before) {
    return now == before ? now : fmt::format("{} (before: {})", now, before);
  }

  static std::string describe_late(const Loop& loop) { return loop.late ? "at least " + format_duration(loop.late->seconds) : "not seen late"; }
  static std::string describe_ready(const Loop& loop) { return loop.ready ? format_count(*loop.ready, "ready callback") : "ready queue unreadable"; }

  static std::size_t count_timers(const Loop& loop) {
    return static_cast<std::size_t>(std::ranges::count(loop.timers, false, &Timer::cancelled));
  }

  void put_loop(const LoopChange& change) {
    if (change.after == kNowhere) {
      const Loop& loop = before_.loops[change.before];
      page_.line(fmt::format("{}  {}  is gone", page_.paint(Role::kHeading, old_page_.title_of_loop(change.before)), page_.safe(loop.type)));
      return;
    }
    const Loop& loop = after_.loops[change.after];
    const Headline headline = describe_loop_state(loop.state);
    std::string head = fmt::format("{}  {}", page_.paint(Role::kHeading, page_.title_of_loop(change.after)), page_.paint(headline.role, headline.words));
    if (change.before == kNowhere) {
      page_.line(head + "  " + page_.safe(loop.type) + ", new");
      return;
    }
    const Loop& old = before_.loops[change.before];
    if (old.state != loop.state) head += fmt::format(" (before: {})", describe_loop_state(old.state).words);
    page_.line(head + "  " + page_.safe(loop.type));
    if (loop.late || old.late) page_.labelled("late", with_before(describe_late(loop), describe_late(old)));
    page_.labelled("behind it", fmt::format("{}; {}", with_before(describe_ready(loop), describe_ready(old)),
                                            with_before(format_count(count_timers(loop), "timer"), format_count(count_timers(old), "timer"))));
    put_step(change, loop, old);
  }

  void put_step(const LoopChange& change, const Loop& loop, const Loop& old) {
    const std::string now = loop.current_task.is_null() ? "" : page_.name_of_task(loop.current_task);
    const std::string before = old.current_task.is_null() ? "" : old_page_.name_of_task(old.current_task);
    if (now.empty() && before.empty()) return;
    std::string text = now.empty() ? "no task" : now;
    if (change.same_step) {
      text += ", at the same place in both";
    } else {
      text += fmt::format(" (before: {})", before.empty() ? "no task" : (before == now ? "the same task, elsewhere" : before));
    }
    page_.labelled("runs", page_.paint(change.same_step ? Role::kBlocked : Role::kName, text));
  }

  void put_loops() {
    const std::size_t shown = page_.cut(found_.loops.size(), kMaxLoops);
    if (shown > 0) page_.blank();
    for (std::size_t i = 0; i < shown; ++i) put_loop(found_.loops[i]);
    put_rest(found_.loops.size() - shown, "more loop");
  }

  void put_rest(std::size_t count, std::string_view what) {
    if (count > 0) page_.line(fmt::format("  ... and {}: --all shows them", format_count(count, what)));
  }

  template <class Accept>
  void put_growth(std::string_view title, Accept accept) {
    std::vector<const GroupChange*> groups;
    std::int64_t growth = 0;
    for (const GroupChange& group : found_.groups) {
      if (!accept(group.growth())) continue;
      groups.push_back(&group);
      growth += group.growth();
    }
    if (groups.empty()) return;
    if (growth < 0) std::ranges::reverse(groups);  // the greatest loss first
    page_.blank();
    page_.line(fmt::format("{}  {}, {:+} tasks", page_.paint(Role::kHeading, title), format_count(groups.size(), "group"), growth));
    const std::size_t shown = page_.cut(groups.size(), kMaxLines);
    for (std::size_t i = 0; i < shown && page_.usable(); ++i) {
      const GroupChange& group = *groups[i];
      const bool now = !group.after.empty();
      const Members members = now ? select(after_, group.after) : select(before_, group.before);
      const std::string change = fmt::format("{:+}", group.growth());
      page_.line(fmt::format("  {:>6}  {} -> {}  {}", change, group.before.size(), group.after.size(),
                             describe_place((now ? page_ : old_page_), members)));
    }
    put_rest(groups.size() - shown, "more group");
  }

  void put_primitives() {
    if (found_.primitives.empty()) return;
    page_.blank();
    page_.line(page_.paint(Role::kHeading, "SIZES") + "  of queues and the like at which tasks wait");
    const std::size_t shown = page_.cut(found_.primitives.size(), kMaxLines);
    for (std::size_t i = 0; i < shown; ++i) {
      const PrimitiveChange& change = found_.primitives[i];
      const Primitive& primitive = after_.primitives[change.after];
      page_.line(fmt::format("  {:>6}  {} -> {}  {} {}", fmt::format("{:+}", change.size_after - change.size_before), change.size_before,
                             change.size_after, page_.safe(primitive.kind), format_address(primitive.id)));
    }
    put_rest(found_.primitives.size() - shown, "more");
  }

  static Members select(const Report& report, const std::vector<std::uint32_t>& indices) {
    Members members;
    for (std::uint32_t index : indices) members.push_back(&report.tasks[index]);
    return members;
  }

  // Tasks of one fate, by the groups of the report in which they are, the largest first.
  void put_by_group(std::string_view title, TaskFate fate, std::string_view remark) {
    const bool gone = fate == TaskFate::kGone || fate == TaskFate::kDone;  // shown where they were
    const Report& report = gone ? before_ : after_;
    const TextPage& names = gone ? old_page_ : page_;
    std::vector<std::size_t> group_of(report.tasks.size(), report.groups.size());
    for (std::size_t i = 0; i < report.groups.size(); ++i) {
      for (std::uint32_t task : report.groups[i].tasks) {
        if (task < group_of.size()) group_of[task] = i;
      }
    }
    std::map<std::size_t, Members> groups;
    std::size_t tasks = 0;
    for (const TaskChange& change : found_.tasks) {
      if (change.fate != fate) continue;
      const std::uint32_t index = gone ? change.before : change.after;
      const Task& task = report.tasks[index];
      const bool done = task.state == TaskState::kFinished || task.state == TaskState::kCancelled;
      if (fate == TaskFate::kStill && done) continue;  // nothing else can become of it
      groups[group_of[index] < report.groups.size() ? group_of[index] : report.groups.size() + index].push_back(&task);
      ++tasks;
    }
    if (tasks == 0) return;
    std::vector<Members> sorted;
    for (auto& [group, members] : groups) sorted.push_back(std::move(members));
    std::ranges::stable_sort(sorted, std::greater{}, &Members::size);
    page_.blank();
    page_.line(fmt::format("{}  {} in {}{}{}", page_.paint(Role::kHeading, title), format_count(tasks, "task"), format_count(sorted.size(), "group"),
                           remark.empty() ? "" : ", ", remark));
    const std::size_t shown = page_.cut(sorted.size(), kMaxLines);
    for (std::size_t i = 0; i < shown && page_.usable(); ++i) page_.line("  " + describe_briefly(names, sorted[i]));
    put_rest(sorted.size() - shown, "more group");
  }

  // Tasks that went the same way, together.
  void put_moved() {
    std::map<std::pair<std::string, std::string>, Members> ways;
    for (const TaskChange& change : found_.tasks) {
      if (change.fate != TaskFate::kMoved) continue;
      const Task& from = before_.tasks[change.before];
      const Task& to = after_.tasks[change.after];
      ways[{describe_place(old_page_, {&from}), describe_place(page_, {&to})}].push_back(&to);
    }
    if (ways.empty()) return;
    std::vector<std::pair<std::pair<std::string, std::string>, Members>> sorted(ways.begin(), ways.end());
    std::ranges::stable_sort(sorted, std::greater{}, [](const auto& way) { return way.second.size(); });
    page_.blank();
    page_.line(fmt::format("{}  {} in {}", page_.paint(Role::kHeading, "MOVED"), format_count(found_.count(TaskFate::kMoved), "task"),
                           format_count(sorted.size(), "way")));
    const std::size_t shown = page_.cut(sorted.size(), kMaxLines);
    for (std::size_t i = 0; i < shown && page_.usable(); ++i) {
      const auto& [way, members] = sorted[i];
      page_.line("  " + describe_tasks(page_, members));
      page_.line("      from  " + way.first);
      page_.line("      to    " + (way.first == way.second ? "the same place, waiting for something else of this kind" : way.second));
    }
    put_rest(sorted.size() - shown, "more way");
  }

  const Report& before_;
  const Report& after_;
  const Comparison& found_;
  TextPage old_page_;  // for the words of the earlier report; prints nothing
  TextPage page_;
};

}  // namespace

bool write_diff_text(const Report& before, const Report& after, const Comparison& comparison, const DiffOptions& options, Sink& sink) {
  return DiffPage(before, after, comparison, options, sink).print();
}

}  // namespace asyncspy
