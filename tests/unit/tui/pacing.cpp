#include "pacing.h"

#include "catch.h"
#include "is_near.h"

namespace asyncspy {
namespace {

TEST_CASE("what costs little is done as often as is wanted") {
  Pacing pacing({.full_interval = 2, .light_interval = 0.01});
  pacing.note_full(0.001, 0.0001);
  pacing.note_light(0.00001);
  CHECK(is_near(pacing.full_interval(), 2));
  CHECK(is_near(pacing.light_interval(), 0.01));
}

TEST_CASE("the target stands still for at most its share of the time") {
  Pacing pacing({.pause_share = 0.005, .full_interval = 1});
  pacing.note_full(0.001, 0.1);
  CHECK(0.1 / pacing.full_interval() <= 0.005000001);
  pacing.note_full(0.001, 0.001);
  CHECK(pacing.full_interval() < 20);
  CHECK(pacing.full_interval() > 10);  // one cheap look proves little
}

TEST_CASE("all that is done together stays below the share of the processor") {
  Pacing pacing({.cpu_share = 0.05, .full_interval = 0.5});
  pacing.note_full(0.2, 0);
  pacing.note_light(0.01);
  pacing.note_drawing(0.01);
  const double share = 0.2 / pacing.full_interval() + 0.01 / pacing.light_interval() + 0.01 / pacing.drawing_interval();
  CHECK(share < 0.05);
  CHECK(share > 0.03);
}

TEST_CASE("even the dearest look is repeated at some time") {
  Pacing pacing({.slowest = 600});
  pacing.note_full(1000, 1000);
  CHECK(is_near(pacing.full_interval(), 600));
}

TEST_CASE("a share is of the time since two windows ago at the most") {
  ShareMeter meter;
  CHECK(meter.share(5) == 0);
  for (int second = 0; second < 100; ++second) meter.note(second, 0.5);
  CHECK(is_near(meter.share(100), 0.5, 0.1));
  for (int second = 100; second < 200; ++second) meter.note(second, 0);
  CHECK(meter.share(200) == 0);
}

TEST_CASE("a share of a moment is no share yet") {
  ShareMeter meter;
  meter.note(10, 0.01);
  CHECK(meter.share(10.001) <= 0.005);
}

}  // namespace
}  // namespace asyncspy
