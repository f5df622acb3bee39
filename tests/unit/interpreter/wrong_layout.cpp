// A version file that is wrong must be noticed before anything is read by it: each member in turn is moved by one word,
// and the self-checks have to object, on a real interpreter.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <map>
#include <set>
#include <string>

#include "catch.h"
#include "debug_offsets.h"
#include "choose_layout.h"
#include "fields.h"
#include "live_target.h"
#include "recording_memory.h"
#include "runtime.h"
#include "versions.h"

namespace asyncspy {
namespace {

constexpr const char* kProgram = R"(
import asyncio, os, threading
class Handler:
    async def run(self):
        os.write(1, b'.')
        await asyncio.sleep(1000)
asyncio.run(Handler().run())
)";

// /usr/bin/python3 in its event loop, until the end of the test.
class IdlePython {
 public:
  IdlePython() {
    std::array<int, 2> pipe_ends{};
    REQUIRE(::pipe(pipe_ends.data()) == 0);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::dup2(pipe_ends[1], 1);
      ::execl("/usr/bin/python3", "python3", "-c", kProgram, static_cast<char*>(nullptr));
      ::_exit(127);
    }
    ::close(pipe_ends[1]);
    char ready = 0;
    bool started = ::read(pipe_ends[0], &ready, 1) == 1;
    ::close(pipe_ends[0]);
    REQUIRE(started);
  }
  IdlePython(const IdlePython&) = delete;
  IdlePython& operator=(const IdlePython&) = delete;
  ~IdlePython() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] int pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

// Members that no self-check reaches, each with the reason. Nothing may join them unnoticed.
const std::set<std::string_view> kUnchecked = {
    "interpreter.next",              // null where there is one interpreter, like its neighbours
    "gil.locked",
};

void shift(std::int32_t& offset) { offset += 8; }
void shift(Flag& flag) { flag.offset += 8; }
template <class T>
void shift(Field<T>& field) { field.offset += 8; }

TEST_CASE("a version file with one wrong member is noticed") {
  IdlePython python;
  auto target = LiveTarget::attach(python.pid());
  REQUIRE(target);
  auto process = (*target)->read_process();
  REQUIRE(process);
  RecordingMemory memory(&(*target)->memory());
  auto runtime = find_runtime(memory, process->images);
  REQUIRE(runtime);
  const PythonLayout right = runtime->layout;

  std::map<std::string, int> noticed_in_group;
  std::map<std::string, int> members_of_group;
  std::set<std::string> unnoticed;
  for_each_field(right, [&](std::string_view wanted, const auto& value) {
    if (layout_detail::offset_of(value) < 0) return;
    if (is_exported_by_runtime(right.minor, wanted) || is_exported_by_asyncio(wanted)) return;  // the table repairs it
    PythonLayout wrong = right;
    for_each_field(wrong, [&](std::string_view name, auto& field) {
      if (name == wanted) shift(field);
    });
    std::string group(wanted.substr(0, wanted.find('.')));
    ++members_of_group[group];
    auto choice = try_layout(memory, runtime->address, process->images, wrong);
    bool noticed = !choice || !choice->warnings.empty();
    if (noticed) ++noticed_in_group[group]; else unnoticed.insert(std::string(wanted));
  });
  for (const auto& [group, members] : members_of_group) {
    INFO(group);
    CHECK(noticed_in_group[group] > 0);
  }
  std::string list;
  for (const std::string& name : unnoticed) list += name + " ";
  INFO(list);
  CHECK(list.empty());
}

}  // namespace
}  // namespace asyncspy
