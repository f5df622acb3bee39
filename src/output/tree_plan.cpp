#include "tree_plan.h"

#include <algorithm>
#include <limits>

namespace asyncspy {
namespace {

class Planner {
 public:
  Planner(const AwaitGraph& graph, const FoldedTree& tree, const TreeLimits& limits)
      : graph_(graph), tree_(tree), limits_(limits), measures_(tree.rows.size()) {
    plan_.printed.assign(tree.rows.size(), false);
    for (RowIndex row = static_cast<RowIndex>(measures_.size()); row-- > 0;) measure(row);  // what is below a row comes first
  }

  TreePlan run() {
    push_branches(kNoRow, tree_.roots, limits_.roots, 0);
    while (!todo_.empty()) {
      Pending next = todo_.back();
      todo_.pop_back();
      if (next.line.row != kNoRow) visit(next);
      plan_.lines.push_back(next.line);
    }
    return std::move(plan_);
  }

 private:
  struct Measure {
    bool visible = false;
    RowIndex only = kNoRow;  // the one row below it, if a single task waits for one single thing
    std::size_t chain = 1;   // rows from here on along `only`
    std::size_t tasks = 0;   // in the subtree
  };

  struct Pending {
    TreeLine line;
    std::size_t place = 0;  // in its chain
    std::size_t total = 1;  // length of its chain
  };

  void measure(RowIndex row) {
    const TreeRow& what = tree_.rows[row];
    Measure& measure = measures_[row];
    const bool is_task = graph_.nodes()[what.members.front()].kind == NodeKind::kTask;
    measure.tasks = is_task ? what.members.size() : 0;
    std::size_t visible = 0;
    for (RowIndex below : what.below) {
      measure.tasks += measures_[below].tasks;
      if (!measures_[below].visible) continue;
      ++visible;
      measure.only = below;
    }
    measure.visible = is_task || visible > 0 || !what.references.empty();
    if (visible != 1 || what.members.size() > 1 || !what.references.empty()) measure.only = kNoRow;
    if (measure.only != kNoRow) measure.chain += measures_[measure.only].chain;
  }

  void visit(Pending& next) {
    TreeLine& line = next.line;
    if (next.place == limits_.outer_chain && next.total > limits_.chain) {
      line.passed = next.total - limits_.chain;
      for (std::size_t i = 0; i < line.passed; ++i) line.row = measures_[line.row].only;
      next.place += line.passed;
    }
    plan_.printed[line.row] = true;
    const Measure& measure = measures_[line.row];
    if (measure.only != kNoRow) {
      line.open = true;
      todo_.push_back({{.row = measure.only, .of = line.row, .depth = line.depth + 1, .last = true}, next.place + 1, next.total});
      return;
    }
    line.open = push_branches(line.row, tree_.rows[line.row].below, limits_.branches, line.depth + 1);
  }

  // Puts them on the stack, the first one on top. False: there is nothing to print.
  bool push_branches(RowIndex of, const std::vector<RowIndex>& rows, std::size_t most, std::uint32_t depth) {
    std::vector<Pending> branches;
    TreeLine rest{.row = kNoRow, .of = of, .depth = depth, .last = true};
    for (RowIndex row : rows) {
      if (!measures_[row].visible) continue;
      if (branches.size() >= most) {
        ++rest.branches;
        rest.tasks += measures_[row].tasks;
        continue;
      }
      branches.push_back({{.row = row, .of = of, .depth = depth}, 0, measures_[row].chain});
    }
    if (branches.empty()) return false;
    if (rest.branches > 0) {
      branches.push_back({rest});
    } else {
      branches.back().line.last = true;
    }
    todo_.insert(todo_.end(), branches.rbegin(), branches.rend());
    return true;
  }

  const AwaitGraph& graph_;
  const FoldedTree& tree_;
  const TreeLimits limits_;
  std::vector<Measure> measures_;
  std::vector<Pending> todo_;
  TreePlan plan_;
};

}  // namespace

TreePlan plan_tree(const AwaitGraph& graph, const FoldedTree& tree, bool limited, const TreeLimits& limits) {
  constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();
  return Planner(graph, tree, limited ? limits : TreeLimits{kAll, kAll, kAll, kAll}).run();
}

}  // namespace asyncspy
