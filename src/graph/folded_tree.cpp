#include "folded_tree.h"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>
#include <unordered_map>

namespace asyncspy {
namespace {

using Signature = std::vector<std::uint64_t>;

struct SignatureHash {
  std::size_t operator()(const Signature& signature) const {
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (std::uint64_t word : signature) hash = (hash ^ word) * 0x100000001b3ULL + (hash >> 29);
    return static_cast<std::size_t>(hash);
  }
};

// Numbers nodes so that equal numbers mean equal branches. From the leaves up, in the order of the components.
class BranchClasses {
 public:
  BranchClasses(const Report& report, const AwaitGraph& graph, const Components& components)
      : report_(report), graph_(graph), components_(components), class_of_(graph.nodes().size()), weight_(graph.nodes().size()) {
    find_looks();
    classify();
  }

  [[nodiscard]] std::uint32_t of(NodeIndex node) const { return class_of_[node]; }
  [[nodiscard]] std::uint64_t weight(NodeIndex node) const { return weight_[node]; }

 private:
  // What a task looks like by itself: its group and its loop.
  void find_looks() {
    looks_.assign(report_.tasks.size(), 0);
    for (std::size_t i = 0; i < report_.groups.size(); ++i) {
      for (std::uint32_t task : report_.groups[i].tasks) {
        if (task < looks_.size()) looks_[task] = i + 1;
      }
    }
    for (std::size_t i = 0; i < looks_.size(); ++i) {
      const std::uint64_t group = looks_[i] != 0 ? looks_[i] : report_.groups.size() + 1 + i;  // in no group: like no other
      looks_[i] = (group << 32) | static_cast<std::uint32_t>(report_.tasks[i].loop);
    }
  }

  void classify() {
    std::vector<NodeIndex> order(graph_.nodes().size());
    for (NodeIndex node = 0; node < order.size(); ++node) order[node] = node;
    std::ranges::stable_sort(order, {}, [this](NodeIndex node) { return components_.of[node]; });
    Signature signature;
    for (NodeIndex node : order) {
      weight_[node] = weigh(node);
      if (graph_.edges_to(node).size() > 1 || components_.is_in_cycle(node)) {
        class_of_[node] = next_++;  // it is this one, not one like it
        continue;
      }
      describe(node, signature);
      const auto [known, added] = known_.emplace(signature, next_);
      if (added) ++next_;
      class_of_[node] = known->second;
    }
  }

  void describe(NodeIndex node, Signature& signature) const {
    const Node& what = graph_.nodes()[node];
    const bool listed = what.kind == NodeKind::kTask && what.index != kNotListed;
    signature.assign({static_cast<std::uint64_t>(what.kind), listed ? looks_[what.index] : 0});
    for (const AwaitEdge& edge : graph_.edges_from(node)) {
      signature.push_back((std::uint64_t{class_of_[edge.to]} << 32) | (std::uint64_t{edge.construct} << 8) |
                          static_cast<std::uint64_t>(edge.kind));
    }
    std::ranges::sort(signature.begin() + 2, signature.end());
  }

  // How much there would be to show below it if nothing were put together. Saturates.
  std::uint64_t weigh(NodeIndex node) const {
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
    std::uint64_t weight = 1;
    for (const AwaitEdge& edge : graph_.edges_from(node)) {
      if (components_.of[edge.to] != components_.of[node]) weight = std::min(kMost, weight + weight_[edge.to]);
    }
    return weight;
  }

  const Report& report_;
  const AwaitGraph& graph_;
  const Components& components_;
  std::vector<std::uint64_t> looks_;  // of each task
  std::vector<std::uint32_t> class_of_;
  std::vector<std::uint64_t> weight_;
  std::unordered_map<Signature, std::uint32_t, SignatureHash> known_;
  std::uint32_t next_ = 0;
};

class TreeBuilder {
 public:
  TreeBuilder(const Report& report, const AwaitGraph& graph, const Components& components)
      : report_(report), graph_(graph), components_(components), classes_(report, graph, components),
        row_of_(graph.nodes().size(), kNoRow), referred_from_(graph.nodes().size(), kNoRow) {}

  FoldedTree build(std::span<const NodeIndex> roots) {
    add_roots(choose_roots(roots));
    for (RowIndex row = 0; row < rows_.size(); ++row) expand(row);  // breadth first: rows_ grows meanwhile
    return lay_out();
  }

 private:
  // Without those that others of them wait for. What waits has a greater component than what it waits for.
  std::vector<NodeIndex> choose_roots(std::span<const NodeIndex> wanted) {
    std::vector<NodeIndex> order(wanted.begin(), wanted.end());
    std::ranges::stable_sort(order, std::greater{}, [this](NodeIndex node) { return components_.of[node]; });
    std::vector<bool> reached(graph_.nodes().size(), false);
    std::vector<NodeIndex> roots;
    std::vector<NodeIndex> todo;
    for (NodeIndex root : order) {
      if (reached[root]) continue;
      roots.push_back(root);
      reached[root] = true;
      todo.push_back(root);
      while (!todo.empty()) {
        const NodeIndex node = todo.back();
        todo.pop_back();
        for (const AwaitEdge& edge : graph_.edges_from(node)) {
          if (reached[edge.to]) continue;
          reached[edge.to] = true;
          todo.push_back(edge.to);
        }
      }
    }
    std::ranges::sort(roots);
    return roots;
  }

  // What runs comes first, what is done last.
  [[nodiscard]] int rank_of(const TreeRow& row) const {
    const Node& node = graph_.nodes()[row.members.front()];
    if (node.kind != NodeKind::kTask || node.index == kNotListed) return 1;
    const Task& task = report_.tasks[node.index];
    if (task.running) return 0;
    return task.state == TaskState::kFinished || task.state == TaskState::kCancelled ? 2 : 1;
  }

  void add_roots(const std::vector<NodeIndex>& roots) {
    std::unordered_map<std::uint32_t, RowIndex> by_class;
    for (NodeIndex root : roots) {
      const auto [known, added] = by_class.emplace(classes_.of(root), static_cast<RowIndex>(rows_.size()));
      if (added) rows_.emplace_back();
      rows_[known->second].members.push_back(root);
    }
    std::ranges::stable_sort(rows_, [this](const TreeRow& a, const TreeRow& b) {
      const auto rank = [this](const TreeRow& row) {
        const std::uint64_t size = row.members.size() * classes_.weight(row.members.front());
        return std::tuple(rank_of(row), std::numeric_limits<std::uint64_t>::max() - size);
      };
      return rank(a) < rank(b);
    });
    for (RowIndex row = 0; row < rows_.size(); ++row) {
      roots_.push_back(row);
      for (NodeIndex member : rows_[row].members) row_of_[member] = row;
    }
  }

  void expand(RowIndex row) {
    using Branch = std::tuple<std::uint32_t, EdgeKind, std::uint32_t>;  // construct, kind, class
    std::map<Branch, RowIndex> branches;
    const std::vector<NodeIndex> members = rows_[row].members;  // rows_ grows
    for (NodeIndex member : members) {
      for (const AwaitEdge& edge : graph_.edges_from(member)) {
        const auto place = static_cast<std::uint32_t>(&edge - graph_.edges().data());
        const RowIndex taken = row_of_[edge.to];
        if (taken != kNoRow && rows_[taken].parent == row && taken != row) continue;  // below this row already
        if (taken != kNoRow) {
          refer(row, edge, place);
          continue;
        }
        const auto [known, added] =
            branches.emplace(Branch{edge.construct, edge.kind, classes_.of(edge.to)}, static_cast<RowIndex>(rows_.size()));
        if (added) {
          rows_.push_back({.members = {}, .parent = row, .edge = place, .below = {}, .references = {}});
          rows_[row].below.push_back(known->second);
        }
        rows_[known->second].members.push_back(edge.to);
        row_of_[edge.to] = known->second;
      }
    }
  }

  void refer(RowIndex row, const AwaitEdge& edge, std::uint32_t place) {
    const bool repeated = referred_from_[edge.to] == row;
    referred_from_[edge.to] = row;
    if (!repeated) rows_[row].references.push_back({edge.to, row_of_[edge.to], place, components_.is_on_cycle(edge)});
  }

  // Numbers the rows anew, in the order of the page.
  FoldedTree lay_out() {
    std::vector<RowIndex> order;
    order.reserve(rows_.size());
    std::vector<RowIndex> todo(roots_.rbegin(), roots_.rend());
    while (!todo.empty()) {
      const RowIndex row = todo.back();
      todo.pop_back();
      order.push_back(row);
      todo.insert(todo.end(), rows_[row].below.rbegin(), rows_[row].below.rend());
    }
    std::vector<RowIndex> place(rows_.size());
    for (RowIndex i = 0; i < order.size(); ++i) place[order[i]] = i;
    FoldedTree tree;
    tree.rows.reserve(order.size());
    for (RowIndex old : order) {
      TreeRow row = std::move(rows_[old]);
      if (row.parent != kNoRow) row.parent = place[row.parent];
      for (RowIndex& below : row.below) below = place[below];
      for (RowReference& reference : row.references) reference.row = place[reference.row];
      for (NodeIndex member : row.members) {
        const Node& node = graph_.nodes()[member];
        if (node.kind == NodeKind::kTask && node.index != kNotListed) ++tree.tasks;
      }
      tree.rows.push_back(std::move(row));
    }
    for (RowIndex root : roots_) tree.roots.push_back(place[root]);
    return tree;
  }

  const Report& report_;
  const AwaitGraph& graph_;
  const Components& components_;
  BranchClasses classes_;
  std::vector<TreeRow> rows_;
  std::vector<RowIndex> roots_;
  std::vector<RowIndex> row_of_;         // of each node
  std::vector<RowIndex> referred_from_;  // of each node: the last row that refers to it
};

}  // namespace

FoldedTree build_folded_tree(const Report& report, const AwaitGraph& graph, const Components& components,
                             std::span<const NodeIndex> roots) {
  return TreeBuilder(report, graph, components).build(roots);
}

}  // namespace asyncspy
