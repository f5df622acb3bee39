#include "pacing.h"

#include <algorithm>

namespace asyncspy {
namespace {

// How the processor time is divided. What is left is for what is not measured: waiting for keys, finding processes.
constexpr double kFullPart = 0.45;
constexpr double kLightPart = 0.4;
constexpr double kDrawingPart = 0.1;

constexpr double kSmoothing = 0.25;   // of a new value, when it is less than the old one
constexpr double kFastestDrawing = 0.25;
constexpr double kSlowestDrawing = 2;
constexpr double kSlowestLight = 5;

// What grows counts at once, what shrinks by and by: a look that was cheap once does not prove that the next one is.
double follow(double old, double fresh) { return fresh >= old ? fresh : old + kSmoothing * (fresh - old); }

}  // namespace

void Pacing::note_full(double cpu, double pause) {
  full_cpu_ = follow(full_cpu_, cpu);
  full_pause_ = follow(full_pause_, pause);
}

void Pacing::note_light(double cpu) { light_cpu_ = light_cpu_ == 0 ? cpu : light_cpu_ + kSmoothing * (cpu - light_cpu_); }

void Pacing::note_drawing(double cpu) { drawing_cpu_ = follow(drawing_cpu_, cpu); }

double Pacing::full_interval() const {
  const double for_cpu = full_cpu_ / (limits_.cpu_share * kFullPart);
  const double for_pause = full_pause_ / limits_.pause_share;
  return std::min(limits_.slowest, std::max({limits_.full_interval, for_cpu, for_pause}));
}

double Pacing::light_interval() const {
  return std::clamp(light_cpu_ / (limits_.cpu_share * kLightPart), limits_.light_interval, kSlowestLight);
}

double Pacing::drawing_interval() const {
  return std::clamp(drawing_cpu_ / (limits_.cpu_share * kDrawingPart), kFastestDrawing, kSlowestDrawing);
}

void ShareMeter::note(double now, double spent) {
  if (begun_ < 0) begun_ = now;
  if (now - begun_ >= kWindow) {
    before_begun_ = begun_;
    before_spent_ = spent_;
    begun_ = now;
    spent_ = 0;
  }
  spent_ += spent;
}

double ShareMeter::share(double now) const {
  const double begun = before_begun_ >= 0 ? before_begun_ : begun_;
  if (begun < 0) return 0;
  return (spent_ + before_spent_) / std::max(now - begun, kLeastWindow);
}

}  // namespace asyncspy
