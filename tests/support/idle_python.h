// Real interpreters for unit tests: those of this machine, each in its event loop.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "catch.h"

namespace asyncspy {

inline constexpr const char* kIdleProgram = R"(
import asyncio, os, threading
class Handler:
    async def run(self):
        os.write(1, b'.')
        await asyncio.sleep(1000)
asyncio.run(Handler().run())
)";

// The system's interpreter, which is stripped, and those that pyenv has, with debug information.
inline std::vector<std::string> find_interpreters() {
  std::vector<std::string> found = {"/usr/bin/python3"};
  const char* home = std::getenv("HOME");
  std::filesystem::path versions = std::filesystem::path(home == nullptr ? "/nonexistent" : home) / ".pyenv/versions";
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(versions, error)) {
    std::string name = entry.path().filename().string();
    bool is_old = name.starts_with("2.") || name.starts_with("3.6");
    if (!is_old) found.push_back((entry.path() / "bin/python").string());
  }
  return found;
}

// An interpreter in its event loop, until the end of the test.
class IdlePython {
 public:
  explicit IdlePython(const std::string& interpreter) {
    std::array<int, 2> pipe_ends{};
    REQUIRE(::pipe(pipe_ends.data()) == 0);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::dup2(pipe_ends[1], 1);
      ::execl(interpreter.c_str(), "python3", "-c", kIdleProgram, static_cast<char*>(nullptr));
      ::_exit(127);
    }
    ::close(pipe_ends[1]);
    char ready = 0;
    bool started = ::read(pipe_ends[0], &ready, 1) == 1;
    ::close(pipe_ends[0]);
    REQUIRE(started);
    wait_until_asleep();
  }
  IdlePython(const IdlePython&) = delete;
  IdlePython& operator=(const IdlePython&) = delete;
  ~IdlePython() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] int pid() const { return pid_; }

 private:
  // Its sign comes before it waits in its selector, and what moves can not be checked.
  void wait_until_asleep() const {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    std::string call = "running";
    while (call == "running" && std::chrono::steady_clock::now() < until) {
      std::ifstream("/proc/" + std::to_string(pid_) + "/syscall") >> call;
      std::this_thread::yield();
    }
    REQUIRE(call != "running");
  }

  pid_t pid_ = -1;
};

}  // namespace asyncspy
