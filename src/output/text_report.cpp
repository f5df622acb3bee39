#include "text_report.h"

#include <algorithm>

#include "text_sections.h"

namespace asyncspy {

namespace {

// Two screens of fifty lines, without the line of the command and of the next prompt.
constexpr std::size_t kPageLines = 98;
constexpr std::size_t kFindingLines = 30;
constexpr std::size_t kLoopLines = 50;
constexpr std::size_t kThreadLines = 20;
constexpr std::size_t kFewestTaskLines = 8;  // enough to name the largest groups

}  // namespace

bool write_text(const Report& report, const TextOptions& options, Sink& sink) {
  TextPage page(report, options, sink);
  put_process(page);
  put_incident(page);
  if (options.view == TextView::kTask) {
    put_chosen_tasks(page);
    return page.flush();
  }
  put_findings(page, kFindingLines);
  put_loops(page, kLoopLines);
  if (options.view == TextView::kTree) {
    put_tree(page);
  } else if (options.all) {
    put_tasks(page, 0);
  } else {
    // What follows the tasks is short and says what is missing: the tasks get the room that it leaves.
    const std::size_t threads = report.loops.empty() ? kPageLines : kThreadLines;
    const std::size_t tail = page.capture([&] { put_threads(page, threads), put_objects(page), put_gaps(page); }).size();
    const std::size_t taken = page.lines() + tail;
    put_tasks(page, std::max(kFewestTaskLines, kPageLines - std::min(kPageLines, taken)));
  }
  put_threads(page, report.loops.empty() ? kPageLines : kThreadLines);
  put_objects(page);
  put_gaps(page);
  return page.flush();
}

std::string render_text(const Report& report, const TextOptions& options) {
  StringSink sink;
  write_text(report, options, sink);
  return sink.take();
}

}  // namespace asyncspy
