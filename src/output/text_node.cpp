// Nodes of the await graph in a few words, for lines that name many of them.
#include <fmt/format.h>

#include "escape.h"
#include "own_code.h"
#include "text_sections.h"
#include "words.h"

namespace asyncspy {
namespace {

template <class T>
const T* listed(const std::vector<T>& items, const Node& node) {
  return node.index < items.size() ? &items[node.index] : nullptr;
}

std::string name_job(const TextPage& page, const Node& node) {
  const Job* job = listed(page.report().jobs, node);
  if (job == nullptr || job->function.empty()) return "job " + format_address(node.address());
  return "job " + page.safe(job->function);
}

}  // namespace

std::string name_node(const TextPage& page, const Node& node) {
  switch (node.kind) {
    case NodeKind::kTask: {
      const Task* task = listed(page.report().tasks, node);
      return task != nullptr ? page.name_of(*task) : page.name_of_task(node.address());
    }
    case NodeKind::kPrimitive: {
      const Primitive* primitive = listed(page.report().primitives, node);
      const std::string kind = primitive == nullptr || primitive->kind.empty() ? "primitive" : page.safe(primitive->kind);
      return kind + " " + format_address(node.address());
    }
    case NodeKind::kThread: {
      const Thread* thread = listed(page.report().threads, node);
      return thread != nullptr ? page.name_of(*thread) : fmt::format("thread {}", node.identity);
    }
    case NodeKind::kJob: return name_job(page, node);
    case NodeKind::kFuture: return "future " + format_address(node.address());
    case NodeKind::kTimer: return "timer of future " + format_address(node.address());
    case NodeKind::kDescriptor: return fmt::format("fd {}", static_cast<std::int32_t>(node.identity));
    case NodeKind::kProcess: break;
  }
  return fmt::format("process {}", static_cast<std::int32_t>(node.identity));
}

std::string place_task(const TextPage& page, const Task& task) {
  const Frame* frame = find_own_frame(page.report(), task.stack);
  if (frame == nullptr) return "";
  const std::string_view name = name_of_frame(page.report(), *frame);
  std::string text = name.empty() ? "(unknown function)" : page.safe(name);
  // Never cut a path: it is there to be opened.
  const std::string place = escape_for_terminal(place_of_frame(page.report(), *frame));
  if (!place.empty()) text += "  " + page.paint(Role::kLocation, place);
  return text;
}

std::string describe_node(const TextPage& page, const Node& node) {
  std::string text = page.paint(Role::kName, name_node(page, node));
  if (node.kind == NodeKind::kTask) {
    const Task* task = listed(page.report().tasks, node);
    if (task == nullptr) return text + " (not among the tasks that were found)";
    const std::string place = place_task(page, *task);
    if (!place.empty()) text += "  " + place;
  } else if (node.kind == NodeKind::kThread) {
    const Thread* thread = listed(page.report().threads, node);
    if (thread != nullptr) text += "  " + describe_activity(page, *thread);
  } else if (node.kind == NodeKind::kJob) {
    const Job* job = listed(page.report().jobs, node);
    if (job != nullptr) text += fmt::format("  ({})", to_word(job->state));
  }
  return text;
}

}  // namespace asyncspy
