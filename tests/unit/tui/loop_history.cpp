#include "loop_history.h"

#include "catch.h"
#include "is_near.h"

namespace asyncspy {
namespace {

LightLoop executing(std::uint64_t task, int line) {
  LightLoop loop;
  loop.id = Address{0x1000};
  loop.state = LoopState::kRunning;
  loop.task = Address{task};
  loop.stack = {{"handler", "/srv/app.py", line}};
  return loop;
}

LightLoop idle() {
  LightLoop loop;
  loop.id = Address{0x1000};
  loop.state = LoopState::kIdle;
  return loop;
}

TEST_CASE("utilisation is the share of samples in which something ran") {
  LoopHistory history;
  CHECK_FALSE(history.utilisation());
  for (int i = 0; i < 8; ++i) history.add(100 + i * 0.1, i % 4 == 0 ? executing(0x10, i) : idle());
  REQUIRE(history.utilisation());
  CHECK(is_near(*history.utilisation(), 0.25));
}

TEST_CASE("samples of a loop whose state is not known say nothing of its utilisation") {
  LoopHistory history;
  LightLoop unknown = idle();
  unknown.state = LoopState::kUnknown;
  history.add(100, unknown);
  CHECK_FALSE(history.utilisation());
  history.add(100.1, executing(0x10, 1));
  CHECK(is_near(*history.utilisation(), 1.0));
}

TEST_CASE("the time in one step counts from the first sample that found it there") {
  LoopHistory history;
  history.add(100, idle());
  CHECK(history.in_step_seconds() == 0);
  history.add(101, executing(0x10, 7));
  history.add(103.5, executing(0x10, 7));
  CHECK(is_near(history.in_step_seconds(), 2.5));
  history.add(104, executing(0x10, 8));  // it has moved on
  CHECK(history.in_step_seconds() == 0);
  history.add(105, executing(0x20, 8));  // another task at the same place
  CHECK(history.in_step_seconds() == 0);
  history.add(106, idle());
  CHECK(history.in_step_seconds() == 0);
}

TEST_CASE("a loop that is provably late is so for at least that long") {
  LoopHistory history;
  LightLoop late = executing(0x10, 7);
  late.late = 12.5;
  history.add(100, late);
  CHECK(is_near(history.in_step_seconds(), 12.5));
}

TEST_CASE("the last minute has one value a second, and none where nobody looked") {
  LoopHistory history;
  history.add(10.2, idle());
  history.add(68.1, executing(0x10, 7));
  history.add(68.9, executing(0x10, 7));
  const auto lags = history.lags();
  REQUIRE(lags.size() == 60);
  CHECK(lags[1] == 0.0);
  CHECK_FALSE(lags[2]);
  REQUIRE(lags[59]);
  CHECK(is_near(*lags[59], 0.8));
  history.add(80, idle());  // the first second is more than a minute ago
  CHECK_FALSE(history.lags()[0]);
}

TEST_CASE("time that goes backwards does no harm") {
  LoopHistory history;
  history.add(100, executing(0x10, 7));
  history.add(50, executing(0x10, 7));
  CHECK(history.lags().size() == 60);
  CHECK(history.in_step_seconds() <= 0);
}

TEST_CASE("a sparkline has one character for each second, in blocks or in ASCII") {
  const std::vector<std::optional<double>> values{std::nullopt, 0.0, 0.003, 0.05, 1.0, 60.0};
  CHECK(render_sparkline(values, SparklineStyle::kBlocks) == " ▁▂▄▆█");
  CHECK(render_sparkline(values, SparklineStyle::kAscii) == " _.-+#");
}

}  // namespace
}  // namespace asyncspy
