#include "text_report.h"

#include "text_sections.h"

namespace asyncspy {

bool write_text(const Report& report, const TextOptions& options, Sink& sink) {
  TextPage page(report, options, sink);
  put_process(page);
  if (options.view == TextView::kTask) {
    put_chosen_tasks(page);
    return page.flush();
  }
  put_findings(page);
  put_loops(page);
  options.view == TextView::kTree ? put_tree(page) : put_tasks(page);
  put_threads(page);
  put_gaps(page);
  return page.flush();
}

std::string render_text(const Report& report, const TextOptions& options) {
  StringSink sink;
  write_text(report, options, sink);
  return sink.take();
}

}  // namespace asyncspy
