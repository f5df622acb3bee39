// The await graph as a tree that a person can read: from the roots down, equal branches put together, everything once.
//
// Two nodes are put into one row when nothing that could be shown tells them apart: tasks of one group (groups.h) on one
// loop that wait for equal things, or for the same things, in the same way. A node for which several nodes wait stands in
// one row, as near to a root as possible; the others refer to it. So there are never more rows than nodes, whatever the
// shape: a diamond does not grow, and a cycle ends.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph_walks.h"

namespace asyncspy {

using RowIndex = std::uint32_t;
inline constexpr RowIndex kNoRow = 0xFFFFFFFF;

// Something that a row waits for and that stands in another row.
struct RowReference {
  NodeIndex node = kNoNode;
  RowIndex row = kNoRow;
  std::uint32_t edge = 0;  // in AwaitGraph::edges(): the first one that leads there
  bool cycle = false;      // this edge is part of a cycle
};

struct TreeRow {
  std::vector<NodeIndex> members;
  RowIndex parent = kNoRow;  // kNoRow: a root
  std::uint32_t edge = 0;    // in AwaitGraph::edges(), unless a root: by which the first member hangs on the parent
  std::vector<RowIndex> below;
  std::vector<RowReference> references;
};

struct FoldedTree {
  std::vector<TreeRow> rows;  // in the order of the page: a row, then what is below it
  std::vector<RowIndex> roots;
  std::size_t tasks = 0;  // listed ones that stand in a row
};

// From those of `roots` that are not below others of them: what runs first, then the largest tree, at last what is done.
[[nodiscard]] FoldedTree build_folded_tree(const Report& report, const AwaitGraph& graph, const Components& components,
                                           std::span<const NodeIndex> roots);

}  // namespace asyncspy
