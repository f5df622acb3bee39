// Tasks as a tree: what a task waits for stands below it. What several tasks wait for stands there once, with references
// from the others, and a cycle ends in a reference that says so; equal branches are one row.
#include <fmt/format.h>

#include <algorithm>

#include "text_sections.h"
#include "tree_plan.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMaxCycles = 10;
constexpr std::size_t kMaxCycleNodes = 8;
constexpr std::size_t kMaxDepth = 24;  // deeper rows are not indented further: a chain of a thousand takes no thousand columns

using Members = std::vector<const Task*>;

class TreeView {
 public:
  TreeView(TextPage& page, const AwaitGraph& graph, const FoldedTree& tree)
      : page_(page), graph_(graph), tree_(tree), plan_(plan_tree(graph, tree, !page.all())) {}

  void print() {
    bool apart = false;  // a tree of several lines has an empty line around it
    for (const TreeLine& line : plan_.lines) {
      if (!page_.usable()) return;
      if (line.depth == 0) {
        if (apart || (line.open && &line != plan_.lines.data())) page_.blank();
        apart = line.open;
      }
      find_guides(line);
      if (line.row == kNoRow) {
        const std::string left_out = line.depth == 0 ? format_count(line.branches, "more tree") : format_count(line.branches, "more branch", "more branches");
        page_.line(fmt::format("{}... and {} with {}: --all shows them", guides_, left_out, format_count(line.tasks, "task")));
      } else {
        put_row(line);
      }
    }
  }

 private:
  [[nodiscard]] Members members_of(RowIndex row) const {
    Members members;
    for (NodeIndex node : tree_.rows[row].members) {
      const Node& what = graph_.nodes()[node];
      if (what.kind == NodeKind::kTask && what.index != kNotListed) members.push_back(&page_.report().tasks[what.index]);
    }
    return members;
  }

  // What stands before the first line of a row, and before its further ones.
  void find_guides(const TreeLine& line) {
    const std::size_t shown = std::min<std::size_t>(line.depth, kMaxDepth);
    if (last_.size() <= shown) last_.resize(shown + 1);
    last_[shown] = line.last;
    guides_ = "  ";
    for (std::size_t depth = 1; depth < shown; ++depth) guides_ += last_[depth] ? "   " : "|  ";
    further_ = guides_;
    if (shown > 0) {
      guides_ += line.last ? "`- " : "|- ";
      further_ += line.last && line.depth <= kMaxDepth ? "   " : "|  ";
    }
    if (line.depth > kMaxDepth) guides_ += fmt::format("(depth {}) ", line.depth);
    further_ += line.open ? "|   " : "    ";
    guides_ = page_.paint(Role::kDim, guides_);
    further_ = page_.paint(Role::kDim, further_);
  }

  void put_row(const TreeLine& line) {
    const Members members = members_of(line.row);
    if (line.passed > 0) {
      page_.line(fmt::format("{}({} of this chain left out: --all shows them)", guides_, format_count(line.passed, "task")));
    }
    if (members.empty()) return put_stranger(line);
    const std::string place = place_task(page_, *members.front());
    page_.line(guides_ + describe_tasks(page_, members) + (place.empty() ? "" : "  " + place));
    put_wait(line, members);
    put_references(tree_.rows[line.row]);
    put_further_remarks(page_, members, further_);
  }

  // What is no task, or a task that the report only refers to.
  void put_stranger(const TreeLine& line) {
    const TreeRow& row = tree_.rows[line.row];
    const Node& first = graph_.nodes()[row.members.front()];
    std::string text = guides_;
    if (row.members.size() == 1) {
      text += describe_node(page_, first);
    } else {
      std::vector<std::string> names;
      for (NodeIndex member : row.members) names.push_back(name_node(page_, graph_.nodes()[member]));
      text += page_.paint(Role::kName, page_.list_names(names));
      if (first.kind == NodeKind::kTask) text += " (not among the tasks that were found)";
    }
    const bool held = std::ranges::any_of(row.members, [this](NodeIndex member) { return is_held(member); });
    if (held && line.open) text += ", held by what stands below it";
    page_.line(text);
    put_references(row);
  }

  [[nodiscard]] bool is_held(NodeIndex node) const {
    return std::ranges::any_of(graph_.edges_from(node), [](const AwaitEdge& edge) { return edge.kind == EdgeKind::kHeldBy; });
  }

  void put_wait(const TreeLine& line, const Members& members) {
    const Wait& wait = members.front()->wait;
    const TreeRow& row = tree_.rows[line.row];
    std::string text;
    if (const auto* many = std::get_if<OnMany>(&wait)) {
      std::uint64_t pending = 0;
      std::uint64_t total = 0;
      for (const Task* member : members) {
        if (const auto* each = std::get_if<OnMany>(&member->wait)) pending += each->pending, total += each->total;
      }
      text = fmt::format("{} for {}, {} of {} pending{}", members.size() == 1 ? "waits" : "wait", page_.safe(many->construct), pending,
                         total, members.size() == 1 ? "" : " in all");
    } else if (!std::holds_alternative<OnTask>(wait) || (row.below.empty() && row.references.empty())) {
      text = describe_wait(page_, members);
    }
    const auto* timer = std::get_if<OnTimer>(&wait);
    const Role role = timer != nullptr && timer->is_overdue() ? Role::kWarning : Role::kHeading;
    if (!text.empty()) page_.line(further_ + "= " + page_.paint(role, text));
  }

  // Nodes that stand in other rows.
  struct Elsewhere {
    std::vector<std::string> names;
    bool above = true;
    bool below = true;

    [[nodiscard]] std::string_view where() const { return above ? "shown above" : (below ? "shown below" : "shown elsewhere"); }
  };

  void put_references(const TreeRow& row) {
    Elsewhere cycle;
    Elsewhere others;
    const auto here = static_cast<RowIndex>(&row - tree_.rows.data());
    EdgeKind kind = EdgeKind::kWaitsFor;
    for (const RowReference& each : row.references) {
      const Node& node = graph_.nodes()[each.node];
      // That several tasks wait for one lock is said with each of them already.
      if (!each.cycle && node.kind != NodeKind::kTask && node.kind != NodeKind::kThread) continue;
      kind = graph_.edges()[each.edge].kind;
      Elsewhere& list = each.cycle ? cycle : others;
      list.names.push_back(name_node(page_, node));
      list.above = list.above && each.row <= here && plan_.printed[each.row];
      list.below = list.below && each.row > here && plan_.printed[each.row];
    }
    const std::string verb = describe_edge(kind, row.members.size() > 1);
    if (!cycle.names.empty()) {
      const std::string text = fmt::format("CYCLE: {} {} ({}), which in turn waits for this", verb, page_.list_names(cycle.names), cycle.where());
      page_.line(further_ + "= " + page_.paint(Role::kBlocked, text));
    }
    if (!others.names.empty()) {
      const std::string text = fmt::format("{}{} {} ({})", row.below.empty() ? "" : "also ", verb, page_.list_names(others.names), others.where());
      page_.line(further_ + "= " + page_.paint(Role::kHeading, text));
    }
  }

  static std::string describe_edge(EdgeKind kind, bool many) {
    switch (kind) {
      case EdgeKind::kHeldBy: return "held by";
      case EdgeKind::kRunsOn: return many ? "run on" : "runs on";
      case EdgeKind::kWaitsFor:
      case EdgeKind::kNeedsLoop: break;
    }
    return many ? "wait for" : "waits for";
  }

  TextPage& page_;
  const AwaitGraph& graph_;
  const FoldedTree& tree_;
  TreePlan plan_;
  std::vector<bool> last_;  // by depth: of the rows above the current one
  std::string guides_;
  std::string further_;
};

void put_cycles(TextPage& page, const AwaitGraph& graph, const Components& components) {
  const auto cycles = find_cycles(graph, components);
  if (cycles.empty()) return;
  page.blank();
  const std::size_t shown = page.cut(cycles.size(), kMaxCycles);
  for (std::size_t i = 0; i < shown; ++i) {
    std::string text;
    const std::size_t named = page.cut(cycles[i].size(), kMaxCycleNodes);
    const auto name_start = [&](std::uint32_t place) { return name_node(page, graph.nodes()[graph.edges()[place].from]); };
    for (std::size_t k = 0; k < named; ++k) text += name_start(cycles[i][k]) + " -> ";
    if (named < cycles[i].size()) text += fmt::format("({} more) -> ", cycles[i].size() - named);
    const bool certain = std::ranges::all_of(cycles[i], [&](std::uint32_t place) { return graph.edges()[place].certain; });
    page.line(fmt::format("{}  {}  each waits for the next{}", page.paint(Role::kBlocked, "CYCLE"), text + name_start(cycles[i].front()),
                          certain ? "" : ", if the inferred holders are right"));
  }
  if (shown < cycles.size()) {
    page.line(fmt::format("... and {}: --all shows them", format_count(cycles.size() - shown, "more cycle")));
  }
}

}  // namespace

void put_tree_below(TextPage& page, const AwaitGraph& graph, const Components& components, std::span<const NodeIndex> wanted) {
  const FoldedTree tree = build_folded_tree(page.report(), graph, components, wanted);
  TreeView(page, graph, tree).print();
}

void put_tree(TextPage& page) {
  const Report& report = page.report();
  if (report.loops.empty() && report.tasks.empty()) return;
  const AwaitGraph graph = AwaitGraph::build(report);
  const Components components = find_components(graph);
  std::vector<NodeIndex> wanted;
  for (std::size_t i = 0; i < report.tasks.size(); ++i) {
    if (page.is_wanted(report.tasks[i])) wanted.push_back(static_cast<NodeIndex>(i));
  }
  const FoldedTree tree = build_folded_tree(report, graph, components, wanted);
  put_cycles(page, graph, components);
  put_filter(page);
  page.blank();
  const std::string heading = page.paint(Role::kHeading, "TASKS");
  if (tree.roots.empty()) return page.line(heading + "  none");
  page.line(fmt::format("{}  {} in {}: what a task waits for stands below it", heading, tree.tasks,
                        format_count(tree.roots.size(), "tree")));
  TreeView(page, graph, tree).print();
}

}  // namespace asyncspy
