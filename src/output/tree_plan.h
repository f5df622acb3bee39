// Which rows of a folded tree are printed, and how they hang together. Decided before the first line is printed, since a
// reference tells whether what it refers to is on the page.
#pragma once

#include <cstdint>
#include <vector>

#include "folded_tree.h"

namespace asyncspy {

struct TreeLine {
  RowIndex row = kNoRow;    // kNoRow: the branches of `of` that are left out
  RowIndex of = kNoRow;     // kNoRow: roots
  std::uint32_t depth = 0;  // 0: a root. Where a chain lost its middle, of the page and not of the tree
  bool last = false;        // of those that hang on the same row
  bool open = false;        // something hangs on it
  std::size_t passed = 0;   // rows left out between this one and the one that it hangs on
  std::size_t branches = 0; // left out
  std::size_t tasks = 0;    // left out
};

struct TreePlan {
  std::vector<TreeLine> lines;
  std::vector<bool> printed;  // of each row: on the page
};

struct TreeLimits {
  std::size_t roots = 40;
  std::size_t branches = 20;      // of one row
  std::size_t chain = 40;         // of single tasks that each wait for one; longer ones lose their middle
  std::size_t outer_chain = 12;   // of which so many outermost ones stay
};

// `limited` false: everything. Rows that are no tasks and have nothing below them are not planned: a line about what
// the tasks above wait for says it.
[[nodiscard]] TreePlan plan_tree(const AwaitGraph& graph, const FoldedTree& tree, bool limited, const TreeLimits& limits = {});

}  // namespace asyncspy
