// What lives in the heap beside tasks, when it was looked at.
#include <fmt/format.h>

#include "text_sections.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostKinds = 12;

std::string describe(const TextPage& page, const LiveObjects& objects) {
  std::string name = page.safe(objects.name, TextPage::kNameColumns);
  if (!objects.file.empty()) name += "  " + page.safe(objects.file) + (objects.line > 0 ? fmt::format(":{}", objects.line) : "");
  switch (objects.kind) {
    case LiveKind::kCoroutine: return fmt::format("{} of {}, never started", format_count(objects.count, "coroutine"), name);
    case LiveKind::kAsyncGenerator: return fmt::format("{} of {}, suspended, in no frame", format_count(objects.count, "async generator"), name);
    case LiveKind::kInstance: break;
  }
  return fmt::format("{} of {}{}", format_count(objects.count, "instance"), name, objects.open ? fmt::format(", {} open", *objects.open) : "");
}

}  // namespace

void put_objects(TextPage& page) {
  const Report& report = page.report();
  if (!report.capture.heap_objects) return;
  page.blank();
  page.line(fmt::format("{}  {} tracked by the garbage collector", page.paint(Role::kHeading, "HEAP"), format_count(*report.capture.heap_objects, "object")));
  const std::size_t shown = page.cut(report.objects.size(), kMostKinds);
  for (std::size_t i = 0; i < shown; ++i) page.line("  " + describe(page, report.objects[i]));
  if (shown < report.objects.size()) page.line(fmt::format("  and {} more (--all)", format_count(report.objects.size() - shown, "kind")));
  if (report.objects.empty()) page.line("  nothing that is to be awaited, finished or closed");
}

}  // namespace asyncspy
