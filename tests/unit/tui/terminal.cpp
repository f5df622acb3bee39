#include "terminal.h"

#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "catch.h"

namespace asyncspy {
namespace {

constexpr std::string_view kEnterScreen = "\x1b[?1049h";
constexpr std::string_view kLeaveScreen = "\x1b[?1049l";

struct Ending {
  std::string output;
  int status = 0;
  bool echoes = false;  // as terminals do that nobody has taken over
};

// Runs `program` in a process of its own that has a terminal, and says what was left of that.
Ending run_in_terminal(void (*program)()) {
  Ending ending;
  int terminal = -1;
  int other_end = -1;
  REQUIRE(::openpty(&terminal, &other_end, nullptr, nullptr, nullptr) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::setenv("TERM", "xterm", 1);
    for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(other_end, descriptor);
    program();
    ::_exit(0);
  }
  // What was written is read until the child is gone and nothing is left. Our copy of the other end keeps its modes to be asked for.
  bool gone = false;
  while (true) {
    pollfd watched{terminal, POLLIN, 0};
    const int ready = ::poll(&watched, 1, gone ? 0 : 20);
    if (ready > 0) {
      char bytes[4096];
      const ssize_t got = ::read(terminal, bytes, sizeof bytes);
      if (got <= 0) break;
      ending.output.append(bytes, static_cast<std::size_t>(got));
      continue;
    }
    if (gone) break;
    gone = ::waitpid(child, &ending.status, WNOHANG) == child;
  }
  termios modes{};
  REQUIRE(::tcgetattr(other_end, &modes) == 0);
  ending.echoes = (modes.c_lflag & ECHO) != 0 && (modes.c_lflag & ICANON) != 0;
  ::close(terminal);
  ::close(other_end);
  return ending;
}

std::unique_ptr<Terminal> open_terminal() {
  auto terminal = Terminal::open(ColourUse::kWhereThereAre);
  if (!terminal) ::_exit(99);
  return std::move(*terminal);
}

void draw_and_throw() {
  try {
    const auto terminal = open_terminal();
    Grid grid(terminal->width(), terminal->height());
    grid.put(0, 0, "on the screen");
    terminal->show(grid);
    throw std::runtime_error("a panel has failed");
  } catch (const std::exception&) {
    ::_exit(6);
  }
}

void draw_and_crash() {
  const auto terminal = open_terminal();
  terminal->show(Grid(10, 2));
  ::raise(SIGSEGV);
}

void check_restored(const Ending& ending) {
  const std::size_t entered = ending.output.find(kEnterScreen);
  REQUIRE(entered != std::string::npos);
  const std::size_t left = ending.output.rfind(kLeaveScreen);
  REQUIRE(left != std::string::npos);
  CHECK(left > entered);
  CHECK(ending.output.find(kEnterScreen, left) == std::string::npos);
  CHECK(ending.echoes);
}

TEST_CASE("a panel that throws leaves the terminal as it was") {
  const Ending ending = run_in_terminal(draw_and_throw);
  REQUIRE(WIFEXITED(ending.status));
  CHECK(WEXITSTATUS(ending.status) == 6);
  CHECK(ending.output.find("on the screen") != std::string::npos);
  check_restored(ending);
}

TEST_CASE("a crash leaves the terminal as it was and stays a crash") {
  const Ending ending = run_in_terminal(draw_and_crash);
  CHECK((WIFSIGNALED(ending.status) && WTERMSIG(ending.status) == SIGSEGV));
  check_restored(ending);
}

TEST_CASE("what is no terminal is refused with a hint") {
  const Ending ending = run_in_terminal([] {
    ::close(STDIN_FILENO);
    const auto terminal = Terminal::open(ColourUse::kNone);
    ::_exit(!terminal && terminal.error().kind == ErrorKind::kUsage && !terminal.error().hint.empty() ? 3 : 4);
  });
  REQUIRE(WIFEXITED(ending.status));
  CHECK(WEXITSTATUS(ending.status) == 3);
}

}  // namespace
}  // namespace asyncspy
