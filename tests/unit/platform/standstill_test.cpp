// Processes that stand still by themselves, that can not be stopped, or that were stopped for long enough.
#include "standstill.h"

#include "child.h"
#include "pause.h"

namespace asyncspy {
namespace {

using namespace std::chrono_literals;

constexpr auto kLong = 10s;  // never matters on a loaded machine

void count_for_ever(SharedPage& shared) {
  shared.ready = 1;
  for (;;) ++shared.counter;
}

bool has_state(const Child& child, char state) {
  return wait_until([&] { return child.state() == state; });
}

}  // namespace

TEST_CASE("a process that runs or sleeps does not stand still") {
  Child busy(count_for_ever);
  busy.wait_ready();
  CHECK(find_standstill(busy.pid()) == nullptr);
  Child asleep([](SharedPage&) { ::pause(); });
  REQUIRE(has_state(asleep, 'S'));
  CHECK(find_standstill(asleep.pid()) == nullptr);
}

TEST_CASE("a process that a signal has stopped is to be traced: that yields registers and leaves it stopped") {
  Child child(count_for_ever);
  child.wait_ready();
  REQUIRE(::kill(child.pid(), SIGSTOP) == 0);
  REQUIRE(has_state(child, 'T'));
  CHECK(find_standstill(child.pid()) == nullptr);
  {
    const auto pause = Pause::stop(child.pid(), 1s);
    REQUIRE(pause);
    CHECK((*pause)->threads().size() == 1);
  }
  CHECK(has_state(child, 'T'));
}

TEST_CASE("a pause that nobody ends is over in time") {
  Child child(count_for_ever);
  child.wait_ready();
  const auto pause = Pause::stop(child.pid(), 1s);
  REQUIRE(pause);
  CHECK(child.counts_on());
  CHECK(Pause::Clock::now() >= (*pause)->ends_at());
  CHECK((*pause)->release() >= 1s - 1ms);  // it ends a little before, so that threads run again in time
}

TEST_CASE("a thread in uninterruptible sleep is accepted as it is, and goes on when it wakes up") {
  const Pipe pipe;
  Child child([&](SharedPage& shared) {
    ::close(pipe.ends[1]);  // so that the grandchild ends with the test, however that ends
    shared.ready = 1;
    if (::vfork() == 0) {
      char byte = 0;
      ::_exit(::read(pipe.ends[0], &byte, 1) == 1 ? 0 : 1);
    }
    count_for_ever(shared);
  });
  child.wait_ready();
  REQUIRE(has_state(child, 'D'));
  auto pause = Pause::stop(child.pid(), kLong);
  REQUIRE(pause);
  REQUIRE((*pause)->threads().size() == 1);
  CHECK((*pause)->threads()[0].uninterruptible);
  // What wakes it up does not make it run on while the pause lasts.
  REQUIRE(::write(pipe.ends[1], "x", 1) == 1);
  REQUIRE(has_state(child, 't'));
  CHECK(child.shared().counter.load() == 0);
  (*pause)->release();
  CHECK(child.counts_on());
}

}  // namespace asyncspy
