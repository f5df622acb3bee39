#include "dot_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "escape.h"
#include "folded_tree.h"
#include "own_code.h"
#include "text_sections.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMaxBoxes = 300;  // more are no picture
constexpr std::size_t kLabelColumns = 80;

std::string_view shape_of(NodeKind kind) {
  switch (kind) {
    case NodeKind::kTask: return "box";
    case NodeKind::kPrimitive: return "octagon";
    case NodeKind::kJob: return "cds";
    case NodeKind::kThread: return "component";
    case NodeKind::kProcess: return "tab";
    case NodeKind::kFuture:
    case NodeKind::kTimer:
    case NodeKind::kDescriptor: break;
  }
  return "ellipse";
}

class Picture {
 public:
  Picture(const Report& report, const DotOptions& options, Sink& sink)
      : report_(report), options_(options), page_(report, text_options(options), sink), graph_(AwaitGraph::build(report)),
        components_(find_components(graph_)) {
    std::vector<NodeIndex> wanted;
    for (std::size_t i = 0; i < report.tasks.size(); ++i) {
      if (page_.is_wanted(report.tasks[i])) wanted.push_back(static_cast<NodeIndex>(i));
    }
    tree_ = build_folded_tree(report, graph_, components_, wanted);
    choose();
  }

  bool draw() {
    page_.line("digraph asyncspy {");
    page_.line(fmt::format("  graph [rankdir=LR, labelloc=t, fontname=\"monospace\", label=\"{}\"];", describe_process()));
    page_.line("  node [shape=box, fontname=\"monospace\", fontsize=10];");
    page_.line("  edge [fontname=\"monospace\", fontsize=9];");
    for (RowIndex row = 0; row < tree_.rows.size() && page_.usable(); ++row) {
      if (drawn_[row]) put_box(row);
    }
    for (RowIndex row = 0; row < tree_.rows.size() && page_.usable(); ++row) {
      if (drawn_[row]) put_arrows(row);
    }
    if (left_out_ > 0) {
      page_.line(fmt::format("  left_out [shape=note, label=\"... and {} with {} left out:\\n--all draws them\"];",
                             format_count(left_out_, "more box", "more boxes"), format_count(left_out_tasks_, "task")));
    }
    page_.line("}");
    return page_.flush();
  }

 private:
  static TextOptions text_options(const DotOptions& options) {
    TextOptions text;
    text.filter = options.filter;
    return text;
  }

  [[nodiscard]] const Node& first_of(RowIndex row) const { return graph_.nodes()[tree_.rows[row].members.front()]; }

  // A timer or a future of one task alone is a line in the box of that task.
  [[nodiscard]] bool deserves_box(RowIndex row) const {
    const NodeKind kind = first_of(row).kind;
    if (kind != NodeKind::kFuture && kind != NodeKind::kTimer && kind != NodeKind::kDescriptor) return true;
    return tree_.rows[row].members.size() == 1 && graph_.edges_to(tree_.rows[row].members.front()).size() > 1;
  }

  void choose() {
    drawn_.assign(tree_.rows.size(), false);
    std::size_t boxes = 0;
    for (RowIndex row = 0; row < tree_.rows.size(); ++row) {
      if (!deserves_box(row)) continue;
      if (options_.all || boxes < kMaxBoxes) {
        drawn_[row] = true;
        ++boxes;
      } else {
        ++left_out_;
        if (first_of(row).kind == NodeKind::kTask) left_out_tasks_ += tree_.rows[row].members.size();
      }
    }
  }

  [[nodiscard]] std::string describe_process() const {
    std::string text = fmt::format("process {}, {}", report_.process.pid, format_count(report_.tasks.size(), "task"));
    if (!options_.filter.is_empty()) text += fmt::format(", of which {} are drawn: the others do not pass the filter", tree_.tasks);
    if (report_.capture.realtime_ns != 0) text += ", " + format_instant(report_.capture.realtime_ns);
    return escape_for_dot(text);
  }

  // Lines of a label, each to the left.
  static std::string join(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) {
      if (!line.empty()) text += escape_for_dot(line) + "\\l";
    }
    return text;
  }

  void put_box(RowIndex row) {
    const TreeRow& what = tree_.rows[row];
    const Node& first = first_of(row);
    std::vector<const Task*> tasks;
    for (NodeIndex member : what.members) {
      const Node& node = graph_.nodes()[member];
      if (node.kind == NodeKind::kTask && node.index != kNotListed) tasks.push_back(&report_.tasks[node.index]);
    }
    std::vector<std::string> lines;
    std::string style;
    if (!tasks.empty()) {
      lines = describe_box(tasks);
      style = style_of(*tasks.front());
    } else {
      std::vector<std::string> names;
      for (NodeIndex member : what.members) names.push_back(name_node(page_, graph_.nodes()[member]));
      lines = {what.members.size() == 1 ? describe_node(page_, first) : page_.list_names(names)};
    }
    if (components_.is_in_cycle(what.members.front())) style += ", color=red, penwidth=2";
    page_.line(fmt::format("  r{} [shape={}{}, label=\"{}\"];", row, shape_of(first.kind), style, join(lines)));
  }

  [[nodiscard]] std::vector<std::string> describe_box(const std::vector<const Task*>& tasks) const {
    std::vector<std::string> lines{describe_tasks(page_, tasks)};
    if (const Frame* frame = find_own_frame(report_, tasks.front()->stack)) {
      lines.push_back(page_.safe(name_of_frame(report_, *frame), kLabelColumns));
      lines.push_back(escape_for_terminal(place_of_frame(report_, *frame)));
    }
    lines.push_back(shorten(describe_wait(page_, tasks), kLabelColumns));
    return lines;
  }

  static std::string style_of(const Task& task) {
    if (task.running) return ", style=filled, fillcolor=lightsalmon";
    if (task.state == TaskState::kFinished || task.state == TaskState::kCancelled) return ", style=filled, fillcolor=gray90";
    return "";
  }

  void put_arrows(RowIndex row) {
    for (RowIndex below : tree_.rows[row].below) put_arrow(row, below, graph_.edges()[tree_.rows[below].edge]);
    std::vector<RowIndex> seen;  // several things of another row are one arrow
    for (const RowReference& reference : tree_.rows[row].references) {
      if (std::ranges::find(seen, reference.row) != seen.end()) continue;
      seen.push_back(reference.row);
      put_arrow(row, reference.row, graph_.edges()[reference.edge]);
    }
  }

  void put_arrow(RowIndex from, RowIndex to, const AwaitEdge& edge) {
    if (!drawn_[to]) return;
    std::string attributes;
    const std::string_view construct = graph_.construct(edge);
    if (construct != "await") attributes = fmt::format("label=\"{}\"", escape_for_dot(page_.safe(construct)));
    const auto add = [&attributes](std::string_view more) { attributes += (attributes.empty() ? "" : ", ") + std::string(more); };
    if (components_.is_on_cycle(edge)) add("color=red, penwidth=2");
    if (!edge.certain) add("style=dashed");
    page_.line(fmt::format("  r{} -> r{}{};", from, to, attributes.empty() ? "" : " [" + attributes + "]"));
  }

  const Report& report_;
  const DotOptions& options_;
  TextPage page_;
  const AwaitGraph graph_;
  const Components components_;
  FoldedTree tree_;
  std::vector<bool> drawn_;
  std::size_t left_out_ = 0;
  std::size_t left_out_tasks_ = 0;
};

}  // namespace

std::string escape_for_dot(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '&': out += "&amp;"; break;  // Graphviz resolves entities in every label
      default: out += c;
    }
  }
  return out;
}

bool write_dot(const Report& report, const DotOptions& options, Sink& sink) { return Picture(report, options, sink).draw(); }

std::string render_dot(const Report& report, const DotOptions& options) {
  StringSink sink;
  write_dot(report, options, sink);
  return sink.take();
}

}  // namespace asyncspy
