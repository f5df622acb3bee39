#include "waiting_times.h"

#include "catch.h"
#include "sample_graph.h"
#include "task_filter.h"

namespace asyncspy {
namespace {

Report make_sample(double seconds) {
  Report report = sample::make_tasks({{}, {}, {}, {}});
  report.capture.monotonic_ns = static_cast<std::int64_t>((1000 + seconds) * 1e9);
  report.capture.stops = 1;
  report.capture.pause_seconds = 0.25;
  return report;
}

}  // namespace

TEST_CASE("a task that is at its place in every sample has been waiting since the first of them") {
  Report first = make_sample(0);
  Report second = make_sample(1.5);
  second.tasks[1].awaited = Address{0x77};  // moved once
  carry_waiting_times(first, second);
  CHECK(second.tasks[0].waiting_at_least == 1.5);
  CHECK(second.tasks[1].waiting_at_least == 0);
  Report third = make_sample(2.5);
  third.tasks[1].awaited = Address{0x77};
  third.tasks[2].awaited = Address{0x88};
  third.tasks[3].state = TaskState::kFinished;
  carry_waiting_times(second, third);
  CHECK(third.tasks[0].waiting_at_least == 2.5);
  CHECK(third.tasks[1].waiting_at_least == 1.0);
  CHECK(third.tasks[2].waiting_at_least == 0);
  CHECK_FALSE(third.tasks[3].waiting_at_least.has_value());
  CHECK(third.capture.samples == 3);
  CHECK(third.capture.sampled_seconds == 2.5);
  CHECK(third.capture.stops == 3);
  CHECK(third.capture.pause_seconds == 0.75);
  TaskFilter filter;
  filter.waiting_longer_than = 0.5;
  CHECK(select_tasks(third, filter) == std::vector<bool>{true, true, false, false});
  filter.waiting_longer_than = 1.0;
  CHECK(select_tasks(third, filter) == std::vector<bool>{true, false, false, false});
}

TEST_CASE("a new task has been waiting for no time, and without a clock nothing is known") {
  Report first = make_sample(0);
  first.tasks.pop_back();
  Report second = make_sample(1);
  carry_waiting_times(first, second);
  CHECK(second.tasks[3].waiting_at_least == 0);
  Report timeless = make_sample(2);
  timeless.capture.monotonic_ns = 0;
  carry_waiting_times(second, timeless);
  CHECK_FALSE(timeless.tasks[0].waiting_at_least.has_value());
  CHECK(timeless.capture.samples == 3);
}

TEST_CASE("one sample tells no waiting time") {
  TaskFilter filter;
  filter.waiting_longer_than = 0;
  CHECK_FALSE(filter.is_empty());
  CHECK(select_tasks(make_sample(0), filter) == std::vector<bool>(4, false));
}

}  // namespace asyncspy
