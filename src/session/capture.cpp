#include "capture.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "analyse.h"

// Scout, then freeze. A first analysis runs on the moving target, only to learn which pages matter. Then all threads are
// stopped, those pages are copied in few calls, and the threads run on; the analysis that counts reads the copy. What
// the copy lacks is added and everything is copied again, so that one report never mixes two moments.

namespace asyncspy {
namespace {

constexpr int kMaxStops = 3;
// Objects made between scouting and freezing lie near those that were there: whole blocks are copied, within a bound.
constexpr std::uint64_t kBlockPages = 16;
constexpr std::uint64_t kMaxExpandedPages = 16'384;  // 64 MiB
constexpr std::uint64_t kStackPages = 2;             // above each thread's stack pointer

using Numbers = std::vector<std::pair<std::uint64_t, std::uint64_t>>;  // [first, last) page numbers

void add_block(Numbers& pages, std::uint64_t first, std::uint64_t last, const std::vector<Mapping>& mappings) {
  auto at = std::upper_bound(mappings.begin(), mappings.end(), first * kPageSize,
                             [](std::uint64_t address, const Mapping& mapping) { return address < mapping.end.value(); });
  bool is_private_data = at != mappings.end() && at->start.value() <= first * kPageSize && at->writable && at->inode == 0;
  if (is_private_data) {
    first = std::max(first / kBlockPages * kBlockPages, at->start.value() / kPageSize);
    last = std::min((last + kBlockPages - 1) / kBlockPages * kBlockPages, std::max(last, at->end.value() / kPageSize));
  }
  pages.emplace_back(first, last);
}

std::vector<PageRange> merge(Numbers pages) {
  std::sort(pages.begin(), pages.end());
  std::vector<PageRange> merged;
  std::uint64_t end = 0;
  for (auto [first, last] : pages) {
    if (merged.empty() || first > end) {
      merged.push_back({Address{first * kPageSize}, last - first});
      end = last;
    } else if (last > end) {
      merged.back().pages += last - end;
      end = last;
    }
  }
  return merged;
}

std::vector<PageRange> widen(const std::vector<PageRange>& ranges, const std::vector<Mapping>& mappings) {
  std::uint64_t total = 0;
  for (const PageRange& range : ranges) total += range.pages;
  Numbers pages;
  for (const PageRange& range : ranges) {
    std::uint64_t first = range.start.value() / kPageSize;
    if (total <= kMaxExpandedPages) {
      add_block(pages, first, first + range.pages, mappings);
    } else {
      pages.emplace_back(first, first + range.pages);
    }
  }
  return merge(std::move(pages));
}

std::vector<PageRange> unite(const std::vector<PageRange>& a, const std::vector<PageRange>& b) {
  Numbers pages;
  for (const auto* ranges : {&a, &b}) {
    for (const PageRange& range : *ranges) {
      pages.emplace_back(range.start.value() / kPageSize, range.start.value() / kPageSize + range.pages);
    }
  }
  return merge(std::move(pages));
}

std::vector<PageRange> stack_pages(const std::vector<ThreadFacts>& threads) {
  Numbers pages;
  for (const ThreadFacts& thread : threads) {
    if (!thread.registers) continue;
    std::uint64_t first = thread.registers->stack_pointer / kPageSize;
    pages.emplace_back(first, first + kStackPages);
  }
  return merge(std::move(pages));
}

std::int64_t wall_clock_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Looks up the descriptors that the report mentions and puts them in, there and in the snapshot.
void resolve_descriptors(Target& target, Snapshot& snapshot, Report& report) {
  std::vector<int> numbers;
  for (const Thread& thread : report.threads) {
    if (thread.system_call && thread.system_call->descriptor) numbers.push_back(thread.system_call->descriptor->number);
  }
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  if (numbers.empty()) return;
  for (Descriptor& descriptor : target.read_descriptors(numbers)) snapshot.descriptors[descriptor.number] = std::move(descriptor);
  for (Thread& thread : report.threads) {
    if (!thread.system_call || !thread.system_call->descriptor) continue;
    auto known = snapshot.descriptors.find(thread.system_call->descriptor->number);
    if (known != snapshot.descriptors.end()) thread.system_call->descriptor = known->second;
  }
}

// An analysis that failed because the process ended is told as that.
Error explain(Target& target, Error error) {
  if (auto still_there = target.read_process(); !still_there) return still_there.error();
  if (error.kind == ErrorKind::kCorrupt) error.kind = ErrorKind::kUnsupported;  // a stopped target is not torn: no layout fits
  return error;
}

// All that the target has written, if it is not more than can be held here.
Result<std::vector<PageRange>> find_full_ranges(Target& target, const std::vector<Mapping>& mappings) {
  ASYNCSPY_TRY(ranges, target.find_written_pages(mappings));
  std::uint64_t pages = 0;
  for (const PageRange& range : ranges) pages += range.pages;
  const long machine = ::sysconf(_SC_PHYS_PAGES);
  if (machine > 0 && pages > static_cast<std::uint64_t>(machine) / 2) {
    return fail(ErrorKind::kUsage, fmt::format("--full: takes {} MiB, more than half of this machine's memory", pages * kPageSize >> 20),
                "leave --full out, or write a core file with gcore");
  }
  return std::move(ranges);
}

// What does not move is read as it is.
Result<void> look_at_core(Target& target, const CaptureOptions& options, Snapshot& snapshot) {
  ASYNCSPY_TRY(threads, target.read_threads());
  snapshot.threads = std::move(threads);
  snapshot.memory = std::make_unique<RecordingMemory>(nullptr);
  snapshot.capture.mode = CaptureMode::kCore;
  if (options.full) {
    ASYNCSPY_TRY(ranges, find_full_ranges(target, snapshot.process.mappings));
    snapshot.memory->prepare(ranges);
    snapshot.memory->fill(target.memory());
  }
  snapshot.memory->attach(target.memory());
  auto report = analyse(snapshot);
  snapshot.memory->detach();
  snapshot.warnings = target.warnings();
  if (!report) {
    if (!snapshot.warnings.empty()) report.error().what += "; " + snapshot.warnings.front();
    return std::unexpected(std::move(report.error()));
  }
  report->warnings.insert(report->warnings.end(), snapshot.warnings.begin(), snapshot.warnings.end());
  snapshot.analysis = std::move(*report);
  return {};
}

Result<void> look_while_running(Target& target, Snapshot& snapshot) {
  ASYNCSPY_TRY(threads, target.read_threads());
  snapshot.threads = std::move(threads);
  snapshot.memory = std::make_unique<RecordingMemory>(&target.memory());
  snapshot.capture.mode = CaptureMode::kRunning;
  snapshot.capture.monotonic_ns = target.monotonic_now();
  snapshot.capture.realtime_ns = wall_clock_ns();
  return {};
}

// Pages above the stack pointers that are not there yet.
std::vector<PageRange> missing_stack_pages(const std::vector<ThreadFacts>& threads, RecordingMemory& memory) {
  Numbers pages;
  for (const PageRange& range : stack_pages(threads)) {
    std::uint64_t first = range.start.value() / kPageSize;
    for (std::uint64_t number = first; number < first + range.pages; ++number) {
      if (!memory.has_page(number)) pages.emplace_back(number, number + 1);
    }
  }
  return merge(std::move(pages));
}

// What moves fastest is what the threads execute: between the scout and the stop they called on. Their frames are few,
// so they are walked again during the stop, fetching what the scout did not see.
void fetch_stacks(Target& target, Snapshot& snapshot) {
  snapshot.memory->attach(target.memory());
  visit_stacks(snapshot);
  snapshot.memory->detach();
}

// A stop wakes threads, so that right after it they show as runnable: what counts is their state before the first stop.
void keep_states(const std::vector<ThreadFacts>& before, std::vector<ThreadFacts>& now) {
  for (ThreadFacts& thread : now) {
    for (const ThreadFacts& earlier : before) {
      if (earlier.tid == thread.tid) thread.state = earlier.state;
    }
  }
}

// Pages in no mapping can not be had by another stop: who asked for them followed a pointer that is none.
std::vector<PageRange> obtainable(Target& target, const std::vector<PageRange>& missed) {
  if (missed.empty()) return {};
  auto process = target.read_process();
  if (!process) return missed;
  Numbers pages;
  for (const PageRange& range : missed) {
    std::uint64_t first = range.start.value() / kPageSize;
    for (const Mapping& mapping : process->mappings) {
      std::uint64_t from = std::max(first, mapping.start.value() / kPageSize);
      std::uint64_t to = std::min(first + range.pages, mapping.end.value() / kPageSize);
      if (mapping.readable && from < to) pages.emplace_back(from, to);
    }
  }
  return merge(std::move(pages));
}

enum class WhileStopped : std::uint8_t { kCopy, kCopyAndAnalyse };

// One stop: copies `ranges` and the tops of the stacks. An analysis during the stop fetches what else it needs.
Result<void> copy_while_stopped(Target& target, const std::vector<PageRange>& ranges, const CaptureOptions& options,
                                WhileStopped what, Snapshot& snapshot) {
  auto memory = std::make_unique<RecordingMemory>(nullptr);
  memory->prepare(ranges);
  snapshot.memory = std::move(memory);
  ASYNCSPY_TRY(freeze, target.freeze(options.max_pause));
  snapshot.capture.monotonic_ns = target.monotonic_now();
  snapshot.capture.realtime_ns = wall_clock_ns();
  snapshot.capture.mode = CaptureMode::kStopped;
  bool is_first_stop = snapshot.capture.stops == 0;
  std::vector<ThreadFacts> before = std::move(snapshot.threads);
  snapshot.threads = freeze->threads();
  if (!is_first_stop) keep_states(before, snapshot.threads);
  snapshot.memory->fill(target.memory());
  snapshot.memory->prepare(missing_stack_pages(snapshot.threads, *snapshot.memory));
  snapshot.memory->fill(target.memory());
  Result<Report> report = fail(ErrorKind::kInternal, "not analysed");
  if (what == WhileStopped::kCopyAndAnalyse) {
    snapshot.memory->attach(target.memory());
    report = analyse(snapshot);
    snapshot.memory->detach();
  } else {
    fetch_stacks(target, snapshot);
  }
  snapshot.capture.pause_seconds += std::chrono::duration<double>(freeze->release()).count();
  snapshot.capture.stops += 1;
  if (what == WhileStopped::kCopyAndAnalyse) {
    if (!report) return std::unexpected(std::move(report.error()));
    report->capture = snapshot.capture;
    report->capture.bytes_copied = snapshot.memory->bytes();
    snapshot.analysis = std::move(*report);
  }
  return {};
}

Result<void> scout_then_freeze(Target& target, const CaptureOptions& options, Snapshot& snapshot) {
  if (auto done = look_while_running(target, snapshot); !done) return done;
  auto scouted = analyse(snapshot);
  bool can_be_torn = scouted || scouted.error().kind == ErrorKind::kCorrupt || scouted.error().kind == ErrorKind::kUnreadable;
  if (!can_be_torn) return std::unexpected(explain(target, scouted.error()));

  std::vector<PageRange> ranges = widen(snapshot.memory->recorded(), snapshot.process.mappings);
  if (options.full) {
    ASYNCSPY_TRY(written, find_full_ranges(target, snapshot.process.mappings));
    ranges = unite(ranges, written);
  }
  for (int stop = 1; stop <= kMaxStops; ++stop) {
    WhileStopped what = stop < kMaxStops ? WhileStopped::kCopy : WhileStopped::kCopyAndAnalyse;
    if (auto done = copy_while_stopped(target, ranges, options, what, snapshot); !done) {
      return std::unexpected(explain(target, done.error()));
    }
    if (what == WhileStopped::kCopyAndAnalyse) return {};
    auto report = analyse(snapshot);
    std::vector<PageRange> missed = obtainable(target, snapshot.memory->take_missed());
    if (missed.empty()) {
      if (!report) return std::unexpected(explain(target, report.error()));
      snapshot.analysis = std::move(*report);
      return {};
    }
    ranges = unite(ranges, widen(missed, snapshot.process.mappings));
  }
  return {};
}

}  // namespace

Result<Snapshot> capture(Target& target, const CaptureOptions& options) {
  Snapshot snapshot;
  ASYNCSPY_TRY(process, target.read_process());
  snapshot.process = std::move(process);
  if (!target.is_live()) {
    if (auto done = look_at_core(target, options, snapshot); !done) return std::unexpected(std::move(done.error()));
  } else if (options.no_pause) {
    if (auto done = look_while_running(target, snapshot); !done) return std::unexpected(explain(target, done.error()));
    auto report = analyse(snapshot);
    if (!report) return std::unexpected(explain(target, report.error()));
    snapshot.memory->detach();
    snapshot.analysis = std::move(*report);
  } else if (auto done = scout_then_freeze(target, options, snapshot); !done) {
    return std::unexpected(std::move(done.error()));
  }
  resolve_descriptors(target, snapshot, *snapshot.analysis);
  return snapshot;
}

}  // namespace asyncspy
