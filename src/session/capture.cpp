#include "capture.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "analyse.h"
#include "asyncio_report.h"
#include "heap_room.h"
#include "native_report.h"
#include "page_block_ahead.h"
#include "page_ranges.h"
#include "surroundings.h"
#include "timed_memory.h"
#include "whole_copy.h"

// Scout, then freeze. A first analysis runs on the moving target, only to learn which pages matter. Then all threads are
// stopped, those pages are copied in few calls, and the threads run on; the analysis that counts reads the copy. What
// the copy lacks is added and everything is copied again, so that one report never mixes two moments.
//
// Two kinds of process are not scouted: small ones, and those that consist of tasks, are copied whole (whole_copy.h); and few
// tasks of one that runs are read during the stop. That is a short one: were they more than that allows, it is scouted after all.
//
// Each stop has an end that is kept whatever happens. What was not copied by then is missing in the report, and said.

namespace asyncspy {
namespace {

constexpr int kMaxStops = 3;
constexpr int kMoreAttempts = 2;  // at a stop that was not reached in time
constexpr int kMostLooks = 5;     // at a process that runs on

std::int64_t wall_clock_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// An analysis that failed because the process ended is told as that.
Error explain(Target& target, Error error) {
  auto still_there = target.read_process();
  if (!still_there) return still_there.error();
  constexpr std::string_view kSubject = "process: ";  // of who does not know its number
  if (error.what.starts_with(kSubject)) error.what.insert(kSubject.size() - 2, " " + std::to_string(still_there->pid));
  return error;
}

// What stood still is not torn: no layout fits.
Error explain_still(Target& target, Error error) {
  error = explain(target, std::move(error));
  if (error.kind == ErrorKind::kCorrupt) error.kind = ErrorKind::kUnsupported;
  return error;
}

// What a process that moves meanwhile can cause.
bool can_be_torn(const Error& error) { return error.kind == ErrorKind::kCorrupt || error.kind == ErrorKind::kUnreadable; }

// What is not of one moment may be nonsense only because of that.
Error explain_torn(Target& target, Error error) {
  error = explain(target, std::move(error));
  if (!can_be_torn(error)) return error;
  error.what += "; the process ran on while it was read, which can be the cause";
  error.hint = "try again, or without --no-pause";
  return error;
}

void copy_native_pages(BulkMemory& memory, Snapshot& snapshot) {
  snapshot.memory->prepare(find_native_pages(snapshot.threads, snapshot.process.mappings, *snapshot.memory));
  snapshot.memory->fill(memory);
}

// Reads everything out of a target that does not move. Memory that an analysis does not ask for is copied on demand only.
Result<Report> read_still(Target& target, const CaptureOptions& options, Snapshot& snapshot) {
  snapshot.memory = std::make_unique<RecordingMemory>(nullptr);
  if (options.full) {
    ASYNCSPY_TRY(ranges, find_full_ranges(target, snapshot.process.mappings));
    snapshot.memory->prepare(ranges);
    snapshot.memory->fill(target.memory());
  }
  if (options.native) copy_native_pages(target.memory(), snapshot);
  snapshot.memory->attach(target.memory());
  auto report = build_report(snapshot);
  snapshot.memory->detach();
  return report;
}

Result<void> look_at_core(Target& target, const CaptureOptions& options, Snapshot& snapshot) {
  ASYNCSPY_TRY(threads, target.read_threads());
  snapshot.threads = std::move(threads);
  snapshot.capture.mode = CaptureMode::kCore;
  auto report = read_still(target, options, snapshot);
  snapshot.warnings = target.warnings();
  if (!report) {
    if (!snapshot.warnings.empty()) report.error().what += "; " + snapshot.warnings.front();
    return std::unexpected(std::move(report.error()));
  }
  report->warnings.insert(report->warnings.end(), snapshot.warnings.begin(), snapshot.warnings.end());
  snapshot.analysis = std::move(*report);
  return {};
}

// Facts of now, and memory that is read when it is asked for.
Result<void> begin_to_look(Target& target, Snapshot& snapshot) {
  ASYNCSPY_TRY(threads, target.read_threads());
  snapshot.threads = std::move(threads);
  snapshot.memory = std::make_unique<RecordingMemory>(&target.memory());
  snapshot.capture.mode = CaptureMode::kRunning;
  snapshot.capture.monotonic_ns = target.monotonic_now();
  snapshot.capture.realtime_ns = wall_clock_ns();
  return {};
}

// What moves can be nonsense at one moment and make sense at the next: a process that computes all the time is looked at again.
Result<void> look_while_running(Target& target, Snapshot& snapshot) {
  for (int look = 1;; ++look) {
    if (auto begun = begin_to_look(target, snapshot); !begun) return std::unexpected(explain(target, begun.error()));
    auto report = build_report(snapshot);
    snapshot.memory->detach();
    if (report) {
      snapshot.analysis = std::move(*report);
      return {};
    }
    if (look == kMostLooks || !can_be_torn(report.error())) return std::unexpected(explain_torn(target, report.error()));
  }
}

// Says whether the target stood still all the time, so that it did not have to be stopped.
Result<bool> look_if_it_stands(Target& target, const CaptureOptions& options, Snapshot& snapshot) {
  const auto standstill = target.find_standstill();
  if (!standstill) return false;
  if (auto begun = begin_to_look(target, snapshot); !begun) return std::unexpected(explain(target, begun.error()));
  snapshot.capture.mode = CaptureMode::kStopped;
  snapshot.warnings = {"the process was not stopped for this: " + standstill->reason()};
  auto report = read_still(target, options, snapshot);
  if (!standstill->still_holds()) {
    snapshot.warnings.clear();
    return false;
  }
  if (!report) return std::unexpected(explain_still(target, report.error()));
  snapshot.analysis = std::move(*report);
  return true;
}

// What moves fastest is what the threads execute: between the scout and the stop they called on. Their frames are few,
// so they are walked again during the stop, fetching what the scout did not see.
void fetch_stacks(BulkMemory& memory, Snapshot& snapshot) {
  snapshot.memory->attach(memory);
  std::ignore = visit_stacks(snapshot);
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

// A snapshot in the making: what is to be copied, and what the last stop brought.
class FrozenCopy {
 public:
  FrozenCopy(Target& target, const CaptureOptions& options, Snapshot& snapshot)
      : target_(target), options_(options), snapshot_(snapshot) {}

  Result<void> run() {
    if (auto done = scout(); !done) return done;
    if (is_read_at_once_) {
      auto done = copy(WhileStopped::kCopyAndAnalyse, kShort);
      if (done && !is_cut_short_) return accept(std::move(last_report_));
      if (!done && done.error().kind != ErrorKind::kTimeout) return std::unexpected(explain_still(target_, done.error()));
      if (auto scouted = scout_more_than_few(); !scouted) return scouted;
    }
    for (int stop = 1; stop < kMaxStops && !is_read_at_once_; ++stop) {
      if (auto done = copy(WhileStopped::kCopy, options_.max_pause); !done) return std::unexpected(explain_still(target_, done.error()));
      snapshot_.memory->attach_constant(target_.memory(), find_constant());
      auto report = build_report(snapshot_);
      snapshot_.memory->detach();
      std::vector<PageRange> missed = find_obtainable(target_, snapshot_.memory->take_missed());
      if (missed.empty() || is_cut_short_) return accept(std::move(report));
      if (report) tasks_ = report->tasks.size();
      is_read_at_once_ = is_quickly_read(report);
      ranges_ = unite(ranges_, widen(missed, snapshot_.process.mappings, Motion::kMoving));
    }
    if (auto done = copy(WhileStopped::kCopyAndAnalyse, options_.max_pause); !done) return std::unexpected(explain_still(target_, done.error()));
    return accept(std::move(last_report_));
  }

 private:
  enum class WhileStopped : std::uint8_t { kCopy, kCopyAndAnalyse };

  Result<void> scout() {
    const bool may_be_whole = !options_.full && !options_.sparse;
    const std::uint64_t pages = target_.private_bytes() / kPageSize;
    if (may_be_whole && pages <= kPagesOfSmall) make_room_ahead(pages);  // it will be
    if (auto begun = begin_to_look(target_, snapshot_); !begun) return std::unexpected(explain(target_, begun.error()));
    if (may_be_whole && find_whole()) return {};
    is_read_at_once_ = is_quickly_read_unseen();
    if (is_read_at_once_) return {};  // each page when it is needed, which takes no longer than to copy them together
    return find_ranges();
  }

  // It was to be read during one stop, and was more than could be read in that, or did not come to a stand in time.
  Result<void> scout_more_than_few() {
    are_few_ = is_read_at_once_ = false;
    snapshot_.memory->start_over();
    snapshot_.memory->attach(target_.memory());
    return find_ranges();
  }

  // What is to be copied: the pages that a first analysis asks for, and their neighbours.
  Result<void> find_ranges() {
    auto scouted = build_report(snapshot_);
    if (!scouted && !can_be_torn(scouted.error())) return std::unexpected(explain(target_, scouted.error()));
    urgent_ = snapshot_.memory->fetched_first();
    const bool may_be_still = scouted && !options_.sparse;  // a later asyncspy may want neighbours out of a recording
    const Motion motion = may_be_still ? find_motion(target_, snapshot_.threads, find_python_threads(scouted->threads)) : Motion::kMoving;
    if (scouted) tasks_ = scouted->tasks.size();
    is_read_at_once_ = motion == Motion::kMoving && is_quickly_read(scouted);
    ranges_ = snapshot_.memory->recorded();
    if (is_read_at_once_) return {};
    ranges_ = widen(ranges_, snapshot_.process.mappings, motion);
    if (options_.full) {
      ASYNCSPY_TRY(written, find_full_ranges(target_, snapshot_.process.mappings));
      ranges_ = unite(ranges_, written);
    }
    return {};
  }

  bool find_whole() {
    const auto expected = expect_whole_copy(target_, snapshot_);
    if (!expected) return false;
    make_room_ahead(*expected);
    auto whole = find_whole_copy(target_, snapshot_, *expected);
    if (!whole) return false;
    urgent_ = snapshot_.memory->fetched_first();
    ranges_ = std::move(*whole);
    return true;
  }

  // While one thread still finds out what to copy, another one makes the room for it: for so many pages, unless they are so many that
  // it would not get far.
  void make_room_ahead(std::uint64_t pages) {
    constexpr std::uint64_t kMostPages = 12'288;  // 48 MiB
    if (!room_ && pages > 0 && pages <= kMostPages) room_.emplace(pages * kPageSize);
  }

  // Of a process that runs, the scout's knowledge is old at once, and what a copy lacks takes another stop. Few tasks are read in
  // a few milliseconds: they are, while it stands still, and nothing else of it is copied. Where the stop has to be shorter the copy
  // is made first: what it brings is whole.
  [[nodiscard]] bool may_be_read_at_once() const {
    return are_few_ && options_.max_pause >= kShort && !options_.full && !options_.sparse && !options_.wanted.wants_values() && !options_.wanted.heap;
  }

  static constexpr std::uint64_t kFew = 1'500;
  static constexpr std::chrono::milliseconds kShort{50};  // many times what few take

  [[nodiscard]] bool is_quickly_read(const Result<Report>& seen) const {
    if (!seen || !may_be_read_at_once()) return false;
    std::uint64_t objects = seen->tasks.size() + seen->primitives.size() + seen->threads.size();
    for (const Loop& loop : seen->loops) objects += loop.timers.size() + loop.ready.value_or(0);
    return objects <= 2 * kFew && seen->tasks.size() <= kFew;
  }

  // Without a look at them: a process that is so small has no room for much else than the interpreter.
  bool is_quickly_read_unseen() {
    constexpr std::uint64_t kMostBytes = std::uint64_t{24} << 20;
    constexpr std::uint64_t kMany = 1'000'000;
    if (!snapshot_.runtime || !may_be_read_at_once() || target_.private_bytes() > kMostBytes) return false;
    tasks_ = estimate_tasks(snapshot_, kMany);
    return tasks_ <= kFew && find_motion(target_, snapshot_.threads, visit_stacks(snapshot_)) == Motion::kMoving;
  }

  // Read-only mappings of files do not change: what the copy lacks of them is fetched without another stop.
  [[nodiscard]] std::vector<PageRange> find_constant() const {
    std::vector<PageRange> constant;
    for (const Mapping& mapping : snapshot_.process.mappings) {
      if (mapping.writable || !mapping.readable || mapping.inode == 0 || mapping.shared) continue;
      constant.push_back({mapping.start, (mapping.end.value() - mapping.start.value()) / kPageSize});
    }
    return constant;
  }

  // One stop: copies the ranges and the tops of the stacks. An analysis during the stop fetches what else it needs.
  Result<void> copy(WhileStopped what, std::chrono::milliseconds longest) {
    snapshot_.memory->start_over();
    if (room_) snapshot_.memory->add_room(room_->finish());
    room_.reset();
    snapshot_.memory->prepare(ranges_, urgent_);
    if (what == WhileStopped::kCopyAndAnalyse) make_room_for_reading();
    ASYNCSPY_TRY(freeze, stop_target(longest));
    TimedMemory timed(target_.memory(), freeze->ends_at());
    note_moment(*freeze);
    snapshot_.memory->fill(timed);
    snapshot_.memory->prepare(find_missing_stacks(snapshot_.threads, *snapshot_.memory));
    snapshot_.memory->fill(timed);
    if (options_.native) copy_native_pages(timed, snapshot_);
    if (what == WhileStopped::kCopyAndAnalyse) {
      snapshot_.memory->attach(timed);
      last_report_ = build_report(snapshot_);
      snapshot_.memory->detach();
    } else {
      fetch_stacks(timed, snapshot_);
    }
    snapshot_.capture.pause_seconds += std::chrono::duration<double>(freeze->release()).count();
    snapshot_.capture.stops += 1;
    is_cut_short_ = timed.has_refused();
    snapshot_.warnings = freeze->warnings();
    if (is_cut_short_) snapshot_.warnings.push_back(describe_cut());
    return {};
  }

  // About what a few tasks are read from and into: no room is made while the process stands still. How many there are is a guess
  // that what moves can make wrong by any factor.
  void make_room_for_reading() {
    constexpr std::uint64_t kLeastPages = 128;
    constexpr std::uint64_t kMostPages = 8'192;
    const std::uint64_t wanted = std::min(kLeastPages + tasks_ / 2, kMostPages) * kPageSize;
    if (const std::uint64_t there = snapshot_.memory->room(); there < wanted) {
      PageBlock room(wanted - there);
      room.touch();
      snapshot_.memory->add_room(std::move(room));
    }
    make_heap_room(std::min(tasks_ * kHeapRoomForTask, kMostPages * kPageSize));
  }

  // On a machine that is busy with other things a thread may not come to its stop in time. It runs on then: try again.
  Result<std::unique_ptr<Freeze>> stop_target(std::chrono::milliseconds longest) {
    auto freeze = target_.freeze(longest);
    for (int again = 0; again < kMoreAttempts && !freeze && freeze.error().kind == ErrorKind::kTimeout; ++again) {
      freeze = target_.freeze(longest);
    }
    return freeze;
  }

  void note_moment(const Freeze& freeze) {
    snapshot_.capture.monotonic_ns = target_.monotonic_now();
    snapshot_.capture.realtime_ns = wall_clock_ns();
    snapshot_.capture.mode = CaptureMode::kStopped;
    std::vector<ThreadFacts> before = std::move(snapshot_.threads);
    snapshot_.threads = freeze.threads();
    if (snapshot_.capture.stops > 0) keep_states(before, snapshot_.threads);
  }

  [[nodiscard]] std::string describe_cut() const {
    const std::uint64_t copied = snapshot_.memory->bytes() >> 10;
    const std::uint64_t wanted = count_pages(ranges_) * kPageSize >> 10;
    const std::string much = copied < wanted ? fmt::format("{} of {}", copied, wanted) : std::to_string(copied);
    return fmt::format("the process was let go after {} ms (--max-pause), when {} KiB were copied: the rest is missing",
                       options_.max_pause.count(), much);
  }

  // The report of the last stop is the one that counts.
  Result<void> accept(Result<Report> report) {
    if (!report) {
      if (!is_cut_short_) return std::unexpected(explain_still(target_, report.error()));
      return fail(ErrorKind::kTimeout, fmt::format("process {}: {}, and without it there is no report ({})", snapshot_.process.pid,
                                                   describe_cut(), report.error().what),
                  "allow a longer stop with --max-pause, or read it with --no-pause");
    }
    const auto heap_objects = report->capture.heap_objects;  // which the analysis has found
    report->capture = snapshot_.capture;
    report->capture.heap_objects = heap_objects;
    report->capture.bytes_copied = snapshot_.memory->bytes();
    for (const std::string& warning : snapshot_.warnings) {
      if (std::ranges::find(report->warnings, warning) == report->warnings.end()) report->warnings.push_back(warning);
    }
    snapshot_.analysis = std::move(*report);
    return {};
  }

  Target& target_;
  const CaptureOptions& options_;
  Snapshot& snapshot_;
  std::vector<PageRange> ranges_;
  std::vector<PageRange> urgent_;
  bool are_few_ = true;           // its tasks, as far as is known
  bool is_read_at_once_ = false;  // at the next stop, and not from a copy
  std::uint64_t tasks_ = 0;       // about as many as there are, where that was found
  std::optional<PageBlockAhead> room_;  // for them, while it is being made
  bool is_cut_short_ = false;
  Result<Report> last_report_ = fail(ErrorKind::kInternal, "not analysed");
};

}  // namespace

Result<Snapshot> capture(Target& target, const CaptureOptions& options) {
  Snapshot snapshot;
  snapshot.wanted = options.wanted;
  snapshot.has_values = options.full || options.wanted.wants_values();
  ASYNCSPY_TRY(process, target.read_process());
  snapshot.process = std::move(process);
  snapshot.process.forked_from = target.find_fork_parent(snapshot.process);
  Result<void> done;
  if (!target.is_live()) {
    done = look_at_core(target, options, snapshot);
  } else if (options.no_pause) {
    done = look_while_running(target, snapshot);
  } else {
    ASYNCSPY_TRY(stood, look_if_it_stands(target, options, snapshot));
    if (!stood) done = FrozenCopy(target, options, snapshot).run();
  }
  if (!done) return std::unexpected(std::move(done.error()));
  read_surroundings(target, snapshot, *snapshot.analysis);
  place_surroundings(snapshot, *snapshot.analysis);
  if (options.native) {
    read_native_stacks(target, snapshot);
    place_native_stacks(snapshot, *snapshot.analysis);
  }
  return snapshot;
}

}  // namespace asyncspy
