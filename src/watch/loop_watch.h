// One loop over time, as far as looks at its ready queue and light samples tell: in which step it is, since when, and whether that
// is a stall. Pure; times are seconds of one clock.
//
// That no handle was taken from the queue since an earlier look proves that whatever handle the loop executes now was taken before
// that look: its step has lasted since then, however seldom anybody looked. So a stall needs one light sample, at its end, and a
// loop that idles is recognised as idle once and not looked at again until it takes something.
#pragma once

#include <cstdint>
#include <optional>

#include "light_sample.h"
#include "ready_queue.h"

namespace asyncspy {

class LoopWatch {
 public:
  // `stall`: seconds in one step; 0: nothing is a stall. `takes_all`: see ReadyQueue.
  LoopWatch(double now, double stall, bool takes_all) : stall_(stall), takes_all_(takes_all), since_(now) {}

  struct Change {
    bool stall_begins = false;
    std::optional<double> stall_ended;  // which lasted for so long, a lower bound
  };

  // Whether the count can follow the last one; if not, it was caught in a change, or belongs to another queue.
  [[nodiscard]] bool fits(const QueueCount& count) const { return !last_ || count_taken(*last_, count).has_value(); }

  // `now` is after the count was read: what was taken since the last look, was taken before that.
  Change note_queue(double now, const QueueCount& count);

  // A light sample during which the queue's count stayed.
  Change note_sample(double now, const LightLoop& loop);

  // The loop has gone.
  [[nodiscard]] Change end();

  // The process stood still for so long, by an act of ours; `at` is a moment of that. What began later is no longer ago for it.
  void forgive(double at, double seconds);

  // When a light sample is needed; never: infinity.
  [[nodiscard]] double sample_due() const;

  // When the step of the last sample becomes a stall, if it lasts; never: infinity.
  [[nodiscard]] double stall_due() const;

  // Since when the step of the last sample lasts provably: seconds, 0 when it executes nothing.
  [[nodiscard]] double step_seconds() const { return known_ == Known::kExecutes ? seen_ - executes_since_ : 0; }

  [[nodiscard]] bool is_stalled() const { return stalled_; }
  [[nodiscard]] bool is_idle() const { return known_ == Known::kIdles; }
  [[nodiscard]] bool has_idled() const { return has_idled_; }  // at a look since this exists
  [[nodiscard]] bool has_count() const { return last_.has_value(); }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }        // how often it was seen to have begun another one
  [[nodiscard]] bool has_moved() const { return steps_ > 0; }

 private:
  enum class Known { kNothing, kIdles, kExecutes };

  Change begin_step(double now);
  [[nodiscard]] bool tells_turns() const { return last_ && last_->turn != 0; }

  double stall_;
  bool takes_all_;
  std::optional<QueueCount> last_;
  double since_;               // no handle was taken since
  Known known_ = Known::kNothing;  // since then
  double executes_since_ = 0;
  double seen_ = 0;            // executing, for the last time
  LightLoop step_;             // as seen then
  bool stalled_ = false;       // and that was told
  bool has_idled_ = false;
  std::uint64_t steps_ = 0;
};

}  // namespace asyncspy
