// How often to look at the target: as often as is wanted, but never so often that it costs the target or the machine more than
// agreed. From what each look did cost, and pure.
#pragma once

namespace asyncspy {

struct PacingLimits {
  double cpu_share = 0.05;       // of one core, for everything that asyncspy does
  double pause_share = 0.005;    // of the time, that the target stands still
  double full_interval = 2;      // seconds, as wanted
  double light_interval = 0.01;
  double slowest = 600;          // seconds: between two full looks at the longest
};

class Pacing {
 public:
  explicit Pacing(const PacingLimits& limits = {}) : limits_(limits) {}

  // Seconds that a look cost: processor time of asyncspy, and standstill of the target.
  void note_full(double cpu, double pause);
  void note_light(double cpu);
  void note_drawing(double cpu);

  // Seconds from the beginning of one to the beginning of the next.
  [[nodiscard]] double full_interval() const;
  [[nodiscard]] double light_interval() const;
  [[nodiscard]] double drawing_interval() const;

 private:
  PacingLimits limits_;
  double full_cpu_ = 0;
  double full_pause_ = 0;
  double light_cpu_ = 0;
  double drawing_cpu_ = 0;
};

// A share of time over the last while: what was spent, and since when.
class ShareMeter {
 public:
  void note(double now, double spent);
  [[nodiscard]] double share(double now) const;  // since the last but one window began

 private:
  static constexpr double kWindow = 15;      // seconds
  static constexpr double kLeastWindow = 2;  // a share of less tells nothing
  double begun_ = -1;
  double spent_ = 0;
  double before_begun_ = -1;
  double before_spent_ = 0;
};

}  // namespace asyncspy
