#include "stored_process.h"

#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "analyse.h"
#include "catch.h"
#include "live_target.h"
#include "recording.h"

namespace asyncspy {
namespace {

// Written for 3.7 and later. The last callback before the loop sleeps tells that all tasks wait.
constexpr const char* kProgram = R"(
import asyncio, os, sys

async def sleeper(n):
    await asyncio.sleep(1000 + n)

async def locker(lock):
    async with lock:
        await asyncio.sleep(2000)

async def getter(queue):
    await queue.get()

async def gatherer():
    await asyncio.gather(sleeper(1), sleeper(2))

async def rows():
    while True:
        await asyncio.sleep(3000)
        yield 1

async def reader():
    async for row in rows():
        pass

async def awaiter(task):
    await task

async def done():
    return 1

async def main():
    lock, queue, loop = asyncio.Lock(), asyncio.Queue(), asyncio.get_event_loop()
    made = [loop.create_task(sleeper(n)) for n in range(2)]
    made += [loop.create_task(locker(lock)) for n in range(2)]
    made += [loop.create_task(getter(queue)), loop.create_task(gatherer()), loop.create_task(reader())]
    made += [loop.create_task(awaiter(made[0])), loop.create_task(done())]
    loop.call_at(1e9, print)
    for turn in range(10):
        await asyncio.sleep(0)
    os.write(3, b'r')
    await loop.create_future()

asyncio.get_event_loop_policy().new_event_loop().run_until_complete(main())
)";

struct Descriptors {
  std::array<int, 2> ends{-1, -1};
  Descriptors() { REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0); }
  Descriptors(const Descriptors&) = delete;
  Descriptors& operator=(const Descriptors&) = delete;
  ~Descriptors() {
    ::close(ends[0]);
    if (ends[1] >= 0) ::close(ends[1]);
  }
  void close_writer() {
    ::close(ends[1]);
    ends[1] = -1;
  }
};

class PythonChild {
 public:
  explicit PythonChild(const std::string& interpreter) {
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::personality(ADDR_NO_RANDOMIZE);  // the same addresses each time: damage drawn from a seed hits the same things
      if (ready_.ends[1] == 3) ::fcntl(3, F_SETFD, 0); else ::dup2(ready_.ends[1], 3);
      ::setenv("PYTHONHASHSEED", "0", 1);
      ::execl(interpreter.c_str(), interpreter.c_str(), "-S", "-W", "ignore", "-c", kProgram, nullptr);
      ::_exit(127);
    }
    ready_.close_writer();
    char signal = 0;
    REQUIRE(::read(ready_.ends[0], &signal, 1) == 1);  // 0 at the end of the child: nothing hangs here
  }
  PythonChild(const PythonChild&) = delete;
  PythonChild& operator=(const PythonChild&) = delete;
  ~PythonChild() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] int pid() const { return pid_; }

 private:
  Descriptors ready_;
  int pid_ = -1;
};

void copy_pages(const ProcessFacts& process, BulkMemory& from, StoredMemory& into) {
  PageBytes bytes{};
  for (const Mapping& mapping : process.mappings) {
    if (!mapping.readable || mapping.path == "[vvar]" || mapping.path.starts_with("[vsyscall")) continue;
    for (std::uint64_t at = mapping.start.value(); at < mapping.end.value(); at += kPageSize) {
      if (from.read(Address{at}, bytes)) into.store(at / kPageSize, bytes);
    }
  }
}

}  // namespace

Result<void> StoredMemory::read(Address from, std::span<std::byte> into) {
  std::uint64_t at = from.value();
  while (!into.empty()) {
    auto page = pages_.find(at / kPageSize);
    if (page == pages_.end() || !page->second) return fail(ErrorKind::kUnreadable, "stored memory: no such page", {}, Address{at});
    std::size_t here = std::min<std::size_t>(into.size(), kPageSize - at % kPageSize);
    std::memcpy(into.data(), page->second->data() + at % kPageSize, here);
    into = into.subspan(here);
    at += here;
  }
  return {};
}

PageBytes* StoredMemory::change(std::uint64_t number) {
  auto page = pages_.find(number);
  if (page == pages_.end() || !page->second) return nullptr;
  if (page->second.use_count() > 1) page->second = std::make_shared<PageBytes>(*page->second);
  return page->second.get();
}

void StoredMemory::write(Address at, std::span<const std::byte> bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    PageBytes* page = change((at.value() + i) / kPageSize);
    REQUIRE(page != nullptr);
    (*page)[(at.value() + i) % kPageSize] = bytes[i];
  }
}

std::vector<std::string> find_supported_pythons() {
  std::vector<std::string> found{"/usr/bin/python3"};
  const char* home = std::getenv("HOME");
  glob_t matches{};
  const std::string versions = std::string(home == nullptr ? "" : home) + "/.pyenv/versions/";
  for (const char* supported : {"3.[7-9].*/bin/python", "3.1[0-9].*/bin/python"}) {
    if (::glob((versions + supported).c_str(), 0, nullptr, &matches) != 0) continue;
    for (std::size_t i = 0; i < matches.gl_pathc; ++i) found.emplace_back(matches.gl_pathv[i]);
    ::globfree(&matches);
  }
  return found;
}

StoredProcess store_python(const std::string& interpreter) {
  PythonChild child(interpreter);
  auto target = LiveTarget::attach(child.pid());
  REQUIRE(target);
  StoredProcess stored;
  auto process = (*target)->read_process();
  REQUIRE(process);
  stored.process = *process;
  auto freeze = (*target)->freeze(std::chrono::seconds(10));
  REQUIRE(freeze);
  stored.threads = (*freeze)->threads();
  stored.monotonic_ns = (*target)->monotonic_now();
  copy_pages(stored.process, (*target)->memory(), stored.memory);
  std::ignore = (*freeze)->release();
  return stored;
}

StoredProcess store_recording(const std::string& path) {
  auto core = CoreFile::open(path);
  REQUIRE(core);
  auto snapshot = read_recording(std::move(*core), path);
  REQUIRE(snapshot);
  StoredProcess stored;
  stored.process = snapshot->process;
  stored.threads = snapshot->threads;
  stored.monotonic_ns = snapshot->capture.monotonic_ns;
  stored.memory.set_partial();
  REQUIRE(analyse(*snapshot));  // fetches what a report needs
  PageBytes bytes{};
  for (const PageRange& range : snapshot->memory->recorded()) {
    for (std::uint64_t page = 0; page < range.pages; ++page) {
      Address at = range.start + page * kPageSize;
      REQUIRE(snapshot->memory->read(at, bytes));
      stored.memory.store(at.value() / kPageSize, bytes);
    }
  }
  return stored;
}

const StoredProcess& system_python() {
  static const StoredProcess stored = store_python("/usr/bin/python3");
  return stored;
}

}  // namespace asyncspy
