// The await graph as a picture: the language of Graphviz, for `dot -Tsvg`.
//
// A node is a row of the folded tree (folded_tree.h), so ten thousand equal tasks are one box. Labels hold strings of the
// target: they are escaped as for a terminal, and then for Graphviz, which takes backslashes, quotes and ampersands for its own.
#pragma once

#include <string>
#include <string_view>

#include "report.h"
#include "sink.h"
#include "task_filter.h"

namespace asyncspy {

struct DotOptions {
  bool all = false;        // draw everything, however much it is
  TaskFilter filter = {};  // these tasks, and what they wait for
};

// False when the sink took no more before the end.
bool write_dot(const Report& report, const DotOptions& options, Sink& sink);

[[nodiscard]] std::string render_dot(const Report& report, const DotOptions& options);

// Text that is safe for a terminal, as the inside of a quoted string of Graphviz.
[[nodiscard]] std::string escape_for_dot(std::string_view text);

}  // namespace asyncspy
