#include "loop_watch.h"

#include <limits>
#include <tuple>

namespace asyncspy {
namespace {

bool executes(const LightLoop& loop) { return loop.state == LoopState::kRunning || loop.state == LoopState::kBlocked; }

bool stands_still(const LightLoop& loop) { return loop.thread_state == 'T' || loop.thread_state == 't'; }

// For steps that no queue tells apart. What they call changes from moment to moment, what was called first does not.
bool is_same_step(const LightLoop& before, const LightLoop& after) {
  const auto begins_alike = [&] {
    return !before.stack.empty() && !after.stack.empty() && before.stack.front().function == after.stack.front().function &&
           before.stack.front().file == after.stack.front().file;
  };
  return before.task == after.task && before.callback == after.callback && (begins_alike() || before.stack == after.stack);
}

}  // namespace

LoopWatch::Change LoopWatch::begin_step(double now) {
  Change change;
  if (stalled_) change.stall_ended = seen_ - executes_since_;
  stalled_ = false;
  since_ = now;
  known_ = Known::kNothing;
  return change;
}

LoopWatch::Change LoopWatch::note_queue(double now, const QueueCount& count) {
  const auto taken = last_ ? count_taken(*last_, count) : std::nullopt;
  const bool is_first = !last_;
  const bool is_same_turn = last_ && last_->turn == count.turn;
  last_ = count;
  if (taken && *taken == 0 && is_same_turn) return {};
  if (!is_first) ++steps_;
  return begin_step(now);
}

LoopWatch::Change LoopWatch::note_sample(double now, const LightLoop& loop) {
  if (stands_still(loop)) {  // by a signal or a debugger: nobody's step
    if (!stalled_) std::ignore = begin_step(now);
    return {};
  }
  if (loop.state == LoopState::kUnknown) return {};
  if (!executes(loop)) {
    Change change = begin_step(now);
    has_idled_ = true;
    if (last_ && takes_all_) known_ = Known::kIdles;
    return change;
  }
  if (known_ != Known::kExecutes) {
    executes_since_ = last_ && (loop.runs_handle || tells_turns()) ? since_ : now;
  } else if (!(last_ && loop.runs_handle) && !is_same_step(step_, loop)) {
    Change change = begin_step(now);
    known_ = Known::kExecutes;
    executes_since_ = seen_ = now;
    step_ = loop;
    return change;
  }
  known_ = Known::kExecutes;
  seen_ = now;
  step_ = loop;
  Change change;
  if (!stalled_ && stall_ > 0 && seen_ - executes_since_ >= stall_) change.stall_begins = stalled_ = true;
  return change;
}

LoopWatch::Change LoopWatch::end() { return begin_step(since_); }

void LoopWatch::forgive(double at, double seconds) {
  if (since_ < at) since_ += seconds;
  if (executes_since_ < at) executes_since_ += seconds;
  if (seen_ < executes_since_) seen_ = executes_since_;
}

double LoopWatch::sample_due() const {
  if (!last_ || stalled_) return 0;  // at every look
  if (known_ == Known::kIdles || stall_ <= 0) return std::numeric_limits<double>::infinity();
  if (known_ == Known::kExecutes && (takes_all_ || step_.runs_handle || tells_turns())) return executes_since_ + stall_;
  if (steps_ == 0) return since_;  // new: whether it idles is not known yet
  return takes_all_ || tells_turns() ? since_ + stall_ : since_;  // other than by its queue it may begin something else at any time
}

double LoopWatch::stall_due() const {
  return known_ == Known::kExecutes && !stalled_ && stall_ > 0 ? executes_since_ + stall_ : std::numeric_limits<double>::infinity();
}

}  // namespace asyncspy
