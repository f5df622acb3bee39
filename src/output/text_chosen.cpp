// One task, and everything that is known of it: its whole stack, what it waits for, and who waits for it.
#include <fmt/format.h>

#include <algorithm>

#include "text_sections.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMaxChosen = 20;
constexpr std::size_t kMaxWaiters = 20;
constexpr std::size_t kMaxWay = 12;
constexpr std::size_t kStackIndent = 6;

class ChosenTasks {
 public:
  explicit ChosenTasks(TextPage& page)
      : page_(page), report_(page.report()), graph_(AwaitGraph::build(report_)), components_(find_components(graph_)) {}

  void print() {
    const std::vector<std::uint32_t> chosen = find_tasks_named(report_, page_.options().task);
    if (chosen.empty()) {
      page_.blank();
      page_.line(fmt::format("no task has the id or name {}", page_.safe(page_.options().task)));
    }
    const std::size_t shown = page_.cut(chosen.size(), kMaxChosen);
    for (std::size_t i = 0; i < shown && page_.usable(); ++i) put_task(chosen[i]);
    if (shown < chosen.size()) {
      page_.blank();
      page_.line(fmt::format("... and {} of this name: --all shows them", format_count(chosen.size() - shown, "more task")));
    }
  }

 private:
  void put_task(std::uint32_t index) {
    const Task& task = report_.tasks[index];
    const std::vector<const Task*> alone{&task};
    page_.blank();
    page_.line(fmt::format("{}  {}", page_.paint(Role::kHeading, "TASK"), describe_tasks(page_, alone)));
    put_facts(task);
    put_held(index);
    if (task.stack.empty()) {
      page_.line("  no stack: " + std::string(task.state == TaskState::kPending ? "it could not be read" : "its coroutine is finished"));
    }
    const bool all = page_.all();
    page_.show_all(true);
    const bool has_loop = task.running && task.loop >= 0 && static_cast<std::size_t>(task.loop) < report_.loops.size();
    const Thread* thread = has_loop ? page_.find_thread(report_.loops[static_cast<std::size_t>(task.loop)].thread) : nullptr;
    if (thread != nullptr) {
      put_thread_stack(page_, *thread, task.stack, kStackIndent);
    } else {
      put_stack(page_, task.stack, kStackIndent);
    }
    page_.show_all(all);
    put_remarks(page_, alone, "    ");
    put_waiters(index);
    put_awaited(index);
    put_gaps(task);
  }

  void put_facts(const Task& task) {
    page_.labelled("id", format_address(task.id) + (task.type.empty() ? "" : "  " + page_.safe(task.type)));
    page_.labelled("state", task.running ? std::string("running") : std::string(to_word(task.state)));
    if (task.loop >= 0 && static_cast<std::size_t>(task.loop) < report_.loops.size()) {
      const auto index = static_cast<std::size_t>(task.loop);
      const Loop& loop = report_.loops[index];
      const Headline headline = describe_loop_state(loop.state);
      std::string text = fmt::format("{}  {}  {}", page_.title_of_loop(index), page_.paint(headline.role, headline.words), page_.safe(loop.type));
      if (const Thread* thread = page_.find_thread(loop.thread)) text += ", " + page_.name_of(*thread);
      page_.labelled("loop", text);
    }
    if (!task.awaited.is_null()) page_.labelled("awaits", "future " + format_address(task.awaited));
    page_.labelled("callbacks", format_count(task.callbacks, "done callback"));
    put_all_facts(page_, task);
  }

  [[nodiscard]] std::size_t count_tasks(const std::vector<NodeIndex>& nodes) const {
    return static_cast<std::size_t>(std::ranges::count_if(nodes, [this](NodeIndex node) { return graph_.nodes()[node].kind == NodeKind::kTask; }));
  }

  // Locks and the like that it keeps from others.
  void put_held(NodeIndex node) {
    for (std::uint32_t place : graph_.edges_to(node)) {
      const AwaitEdge& edge = graph_.edges()[place];
      if (edge.kind != EdgeKind::kHeldBy) continue;
      const Node& held = graph_.nodes()[edge.from];
      std::string text = fmt::format("{}, for which {}", name_node(page_, held), format_count(graph_.edges_to(edge.from).size(), "task waits", "tasks wait"));
      if (held.index < report_.primitives.size()) {
        for (const Holder& holder : report_.primitives[held.index].holders) {
          if (holder.task == graph_.nodes()[node].address()) text += fmt::format(" ({}: {})", holder.certain ? "seen" : "inferred", page_.safe(holder.how));
        }
      }
      page_.labelled("holds", text);
    }
  }

  void put_waiters(NodeIndex node) {
    page_.blank();
    std::vector<std::uint32_t> edges;
    for (std::uint32_t place : graph_.edges_to(node)) {
      if (graph_.edges()[place].kind != EdgeKind::kHeldBy) edges.push_back(place);
    }
    const std::string heading = page_.paint(Role::kHeading, "  WAITED FOR BY");
    const NodeIndex start[]{node};
    const std::vector<NodeIndex> all = find_reachable(graph_, start, Direction::kAwaiting);
    if (all.size() == 1) return page_.line(heading + "  no task");
    page_.line(fmt::format("{}  {} directly, {} in all", heading, edges.size(), format_count(count_tasks(all) - 1, "task")));
    const std::size_t shown = page_.cut(edges.size(), kMaxWaiters);
    for (std::size_t i = 0; i < shown && page_.usable(); ++i) {
      const AwaitEdge& edge = graph_.edges()[edges[i]];
      page_.line(fmt::format("    {}  ({})", describe_node(page_, graph_.nodes()[edge.from]), page_.safe(graph_.construct(edge))));
    }
    if (shown < edges.size()) page_.line(fmt::format("    ... and {} more: --all shows them", edges.size() - shown));
    put_way_from_root(node, all);
  }

  // From the farthest task that waits for this one, by a shortest way. `reached` is in the order of distance.
  void put_way_from_root(NodeIndex node, const std::vector<NodeIndex>& reached) {
    if (components_.is_in_cycle(node)) {
      page_.line("    " + page_.paint(Role::kBlocked, "CYCLE: some of these are among what it waits for itself"));
      return;
    }
    std::vector<std::uint32_t> distance(graph_.nodes().size(), 0);
    std::vector<NodeIndex> next(graph_.nodes().size(), kNoNode);  // on the way to `node`
    for (NodeIndex at : reached) {
      for (std::uint32_t place : graph_.edges_to(at)) {
        const NodeIndex from = graph_.edges()[place].from;
        if (from == node || next[from] != kNoNode) continue;
        next[from] = at;
        distance[from] = distance[at] + 1;
      }
    }
    const NodeIndex farthest = reached.back();
    if (distance[farthest] < 2) return;
    std::string text;
    std::size_t named = 0;
    for (NodeIndex at = farthest; at != node; at = next[at], ++named) {
      if (page_.cut(named + 1, kMaxWay) == named + 1) text += name_node(page_, graph_.nodes()[at]) + " -> ";
    }
    const std::size_t left_out = named - page_.cut(named, kMaxWay);
    if (left_out > 0) text += fmt::format("{} -> ", format_count(left_out, "more task"));
    page_.line(fmt::format("    the longest way: {}this one", text));
  }

  void put_awaited(NodeIndex node) {
    const auto edges = graph_.edges_from(node);
    if (std::ranges::none_of(edges, [this](const AwaitEdge& edge) { return graph_.nodes()[edge.to].kind == NodeKind::kTask || !graph_.edges_from(edge.to).empty();
        })) return;
    page_.blank();
    page_.line(page_.paint(Role::kHeading, "  WAITS FOR"));
    const NodeIndex start[]{node};
    put_tree_below(page_, graph_, components_, start);
  }

  void put_gaps(const Task& task) {
    if (task.gaps.empty()) return;
    page_.blank();
    page_.line(fmt::format("{}  {}", page_.paint(Role::kWarning, "  NOT READ"), format_count(task.gaps.size(), "value")));
    for (const Gap& gap : task.gaps) {
      std::string text = fmt::format("    {}: {}", page_.safe(gap.reading), page_.safe(gap.reason));
      if (!gap.at.is_null()) text += " at " + format_address(gap.at);
      page_.line(text);
    }
  }

  TextPage& page_;
  const Report& report_;
  const AwaitGraph graph_;
  const Components components_;
};

}  // namespace

void put_chosen_tasks(TextPage& page) { ChosenTasks(page).print(); }

}  // namespace asyncspy
