// Threads that run no loop, equal ones once: the twenty idle workers of a pool are one block.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "escape.h"
#include "own_code.h"
#include "text_blocks.h"
#include "text_sections.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMaxBriefs = 12;
constexpr std::size_t kManyLines = 1000;
constexpr std::size_t kStackIndent = 6;

using Members = std::vector<const Thread*>;

// Equal for threads that do the same thing at the same place.
std::string make_key(const Report& report, const Thread& thread) {
  std::string key = fmt::format("{}{}{}{}{}|{}", thread.state, thread.on_cpu, thread.has_python, thread.holds_gil,
                                thread.waits_for_gil, thread.system_call ? thread.system_call->name : "");
  for (const Frame& frame : thread.stack) {
    key += fmt::format("|{}:{}:{}", place_of_frame(report, frame), name_of_frame(report, frame), static_cast<int>(frame.kind));
  }
  if (thread.native) {
    for (const NativeCall& call : thread.native->calls) key += fmt::format("|{:x}", call.frame.instruction.value());
  }
  return key;
}

std::vector<Members> group_equals(const Report& report, const Members& threads) {
  std::vector<Members> groups;
  std::map<std::string, std::size_t> by_key;
  for (const Thread* thread : threads) {
    const auto [at, is_new] = by_key.emplace(make_key(report, *thread), groups.size());
    if (is_new) groups.emplace_back();
    groups[at->second].push_back(thread);
  }
  return groups;
}

std::string describe_group_activity(const TextPage& page, const Members& members) {
  const Thread& first = *members.front();
  const bool same = std::ranges::all_of(members, [&](const Thread* thread) {
    return !first.system_call || thread->system_call->text == first.system_call->text;
  });
  if (members.size() == 1 || same) return describe_activity(page, first);
  return fmt::format("{} in {}", describe_state(first.state), page.safe(first.system_call->name));
}

void put_head(TextPage& page, const Members& members) {
  const Thread& first = *members.front();
  std::string text = "  ";
  if (members.size() == 1) {
    text += page.paint(Role::kName, page.name_of(first));
  } else {
    std::vector<std::string> names;
    for (const Thread* thread : members) names.push_back(page.safe(thread->name, TextPage::kNameColumns));
    text += page.paint(Role::kHeading, format_count(members.size(), "thread")) + "  ";
    text += page.paint(Role::kName, page.list_names(names));
    std::vector<std::string> tids;
    for (const Thread* thread : members) tids.push_back(std::to_string(thread->tid));
    text += page.paint(Role::kDim, fmt::format("  ({})", page.list_names(tids)));
  }
  text += "  " + describe_group_activity(page, members);
  const std::string gil = describe_gil(page, first);
  if (!gil.empty()) text += ", " + gil;
  if (!first.has_python) text += page.paint(Role::kDim, ", no Python");
  page.line(text);
}

void put_group(TextPage& page, const Members& members) {
  put_head(page, members);
  put_thread_stack(page, *members.front(), members.front()->stack, kStackIndent);
  if (members.front()->has_python && members.front()->stack.empty()) {
    page.line(std::string(kStackIndent, ' ') + page.paint(Role::kDim, "(no Python frames)"));
  }
  std::size_t gaps = 0;
  for (const Thread* thread : members) gaps += thread->gaps.size();
  if (gaps > 0) {
    page.line("    = " + page.paint(Role::kWarning, format_count(gaps, "value") + " could not be read, see below"));
  }
}

}  // namespace

void put_threads(TextPage& page, std::size_t lines) {
  const Report& report = page.report();
  const bool everything = page.all_threads() || report.loops.empty();
  Members threads;
  std::size_t native = 0;
  for (const Thread& thread : report.threads) {
    const bool runs_loop = thread.loop >= 0 && static_cast<std::size_t>(thread.loop) < report.loops.size();
    if (everything || (thread.has_python && !runs_loop)) {
      threads.push_back(&thread);
    } else if (!thread.has_python) {
      ++native;
    }
  }
  if (threads.empty() && native == 0) return;
  const std::string_view title = everything ? "THREADS" : "OTHER THREADS";
  page.blank();
  page.line(fmt::format("{}  {}", page.paint(Role::kHeading, title), threads.size() + native));
  const std::vector<Members> groups = group_equals(report, threads);
  // Where their stacks are asked for, or are all that there is, a page of limited length is not the point.
  const BlockSpace space{.lines = page.all_threads() ? kManyLines : lines, .always = 0, .briefs = kMaxBriefs};
  const std::size_t shown = put_blocks(
      page, groups.size(), space,
      [&](std::size_t i) {
        if (i > 0 && !groups[i].front()->stack.empty()) page.blank();
        put_group(page, groups[i]);
      },
      [&](std::size_t i) { put_head(page, groups[i]); });
  if (shown < groups.size()) {
    std::size_t rest = 0;
    for (std::size_t i = shown; i < groups.size(); ++i) rest += groups[i].size();
    page.line(fmt::format("  ... and {}: --all shows them", format_count(rest, "more thread")));
  }
  if (native > 0) {
    page.line(page.paint(Role::kDim, fmt::format("  {} without Python: --threads shows {}",
                                                 format_count(native, "thread"), native == 1 ? "it" : "them")));
  }
}

}  // namespace asyncspy
