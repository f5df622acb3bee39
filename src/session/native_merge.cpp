#include "native_merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace asyncspy {
namespace {

using Calls = std::vector<NativeCall>;

// Python/ceval.c. Every release exports it under this name (Include/cpython/ceval.h, before 3.8 Include/ceval.h).
constexpr std::string_view kEvaluationLoop = "_PyEval_EvalFrameDefault";

constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

bool is_loop_by_name(const NativeCall& call) { return call.frame.function == kEvaluationLoop; }

bool holds(const NativeCall& call, Address anchor) {
  return !call.frame.stack_end.is_null() && call.frame.stack_start <= anchor && anchor < call.frame.stack_end;
}

// Where each run's loop is among the calls, outermost first; or why that can not be told.
struct Places {
  std::vector<std::size_t> of_runs;
  std::string problem;
};

Places place_by_anchors(const Calls& calls, const std::vector<FrameRun>& runs, bool is_whole) {
  Places places;
  std::size_t at = 0;
  for (const FrameRun& run : runs) {
    // Anchors are in the order of the calls: the search goes on from the last one.
    std::size_t found = at;
    while (found < calls.size() && !holds(calls[found], run.anchor)) ++found;
    if (found < calls.size()) {
      places.of_runs.push_back(found);
      at = found + 1;
    } else if (!is_whole && at == 0) {
      places.of_runs.push_back(kNowhere);  // it is further out than the native stack could be followed
    } else {
      places.problem = fmt::format("no call in C holds 0x{:x}, which the interpreter keeps on the stack", run.anchor.value());
      return places;
    }
  }
  // A loop that has just been entered, or is about to be left, executes nothing. Its caller's frames are whole.
  const auto named = static_cast<std::size_t>(std::ranges::count_if(calls.begin() + static_cast<std::ptrdiff_t>(at), calls.end(), is_loop_by_name));
  const auto before = static_cast<std::size_t>(std::count_if(calls.begin(), calls.begin() + static_cast<std::ptrdiff_t>(at), is_loop_by_name));
  const auto found = static_cast<std::size_t>(std::ranges::count_if(places.of_runs, [](std::size_t place) { return place != kNowhere; }));
  if (named > 1 || before > found) {
    places.problem = fmt::format("{} calls of the evaluation loop, but {} in Python's own account", named + before, runs.size());
  }
  return places;
}

Places place_by_names(const Calls& calls, const std::vector<FrameRun>& runs, bool is_whole) {
  Places places;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (is_loop_by_name(calls[i])) places.of_runs.push_back(i);
  }
  if (places.of_runs.size() == runs.size() + 1) places.of_runs.pop_back();  // just entered, or about to be left
  if (places.of_runs.size() == runs.size()) return places;
  places.problem = fmt::format("{} calls of the evaluation loop{}, but {} Python frames", places.of_runs.size(),
                               is_whole ? "" : " were found", runs.size());
  return places;
}

}  // namespace

NativeCalls merge_native_stack(const NativeStack& stack, const std::vector<FrameRun>& runs) {
  NativeCalls merged;
  merged.problem = stack.problem;
  merged.calls.reserve(stack.frames.size());
  for (auto frame = stack.frames.rbegin(); frame != stack.frames.rend(); ++frame) merged.calls.push_back({*frame});
  const bool has_anchors = std::ranges::none_of(runs, [](const FrameRun& run) { return run.anchor.is_null(); });
  const bool is_whole = stack.problem.empty();
  Places places = has_anchors ? place_by_anchors(merged.calls, runs, is_whole) : place_by_names(merged.calls, runs, is_whole);
  if (!places.problem.empty()) {
    merged.apart = std::move(places.problem);
    return merged;
  }
  std::uint32_t outside = 0;
  std::size_t run = 0;
  for (; run < runs.size() && places.of_runs[run] == kNowhere; ++run) outside += runs[run].frames;
  for (std::size_t i = 0; i < merged.calls.size(); ++i) {
    merged.calls[i].python_frames = outside;
    if (run >= runs.size() || places.of_runs[run] != i) continue;
    merged.calls[i].runs_python = true;
    outside += runs[run++].frames;
  }
  return merged;
}

}  // namespace asyncspy
