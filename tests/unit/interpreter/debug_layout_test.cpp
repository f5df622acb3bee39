// A release whose version file does not fit is read by the debug information of its files, where there is some.
#include "debug_layout.h"

#include "catch.h"
#include "choose_layout.h"
#include "fields.h"
#include "idle_python.h"
#include "live_target.h"
#include "recording_memory.h"
#include "runtime.h"

namespace asyncspy {
namespace {

// Members that nothing exports, which every report needs, moved by a word.
PythonLayout damage(PythonLayout layout) {
  auto shift = [](auto& field) {
    if (field.offset >= 0) field.offset += 8;
  };
  shift(layout.interpreter.sysdict);
  shift(layout.code.inline_bytecode);
  shift(layout.code.flags);
  shift(layout.generator.qualified_name);
  shift(layout.type.mro);
  shift(layout.future.callbacks);
  shift(layout.task.waiter);
  layout.future.log_traceback.mask <<= 1;
  layout.sequence.deque_block_right = absent;
  return layout;
}

bool is_stripped(const std::string& interpreter) { return interpreter == "/usr/bin/python3"; }

void check_interpreter(const std::string& interpreter) {
  INFO(interpreter);
  IdlePython python(interpreter);
  auto target = LiveTarget::attach(python.pid());
  REQUIRE(target);
  auto process = (*target)->read_process();
  REQUIRE(process);
  RecordingMemory memory(&(*target)->memory());
  auto runtime = find_runtime(memory, process->images);
  REQUIRE(runtime);
  CHECK(runtime->warnings.empty());

  const PythonLayout wrong = damage(runtime->layout);
  CHECK_FALSE(try_layout(memory, runtime->address, process->images, wrong));
  auto repaired = try_layout_from_debug_info(memory, runtime->address, process->images, wrong);
  if (is_stripped(interpreter)) {
    CHECK_FALSE(repaired);
    return;
  }
  INFO((repaired ? std::string() : repaired.error().what));
  REQUIRE(repaired);
  REQUIRE(repaired->warnings.size() == 1);
  CHECK(repaired->warnings[0].find("debug information") != std::string::npos);
  CHECK(repaired->warnings[0].find("libpython") != std::string::npos);
  std::size_t index = 0;
  std::size_t measured = 0;
  for_each_field(repaired->layout, [&](std::string_view name, const auto& field) {
    INFO(name);
    CHECK(layout_detail::offset_of(field) == offset_by_name(runtime->layout, name));
    if (repaired->origins[index++] == FieldOrigin::kDwarf) ++measured;
  });
  CHECK(repaired->layout.future.log_traceback.mask == runtime->layout.future.log_traceback.mask);
  CHECK(measured > 80);
  // What the file says right needs no repair, and is none.
  CHECK_FALSE(try_layout_from_debug_info(memory, runtime->address, process->images, runtime->layout));
}

TEST_CASE("debug information repairs a wrong version file, and a stripped interpreter is refused") {
  for (const std::string& interpreter : find_interpreters()) check_interpreter(interpreter);
}

TEST_CASE("a layout of another release does not pass by debug information") {
  for (const std::string& interpreter : find_interpreters()) {
    if (is_stripped(interpreter)) continue;
    INFO(interpreter);
    IdlePython python(interpreter);
    auto target = LiveTarget::attach(python.pid());
    REQUIRE(target);
    auto process = (*target)->read_process();
    REQUIRE(process);
    RecordingMemory memory(&(*target)->memory());
    auto runtime = find_runtime(memory, process->images);
    REQUIRE(runtime);
    PythonLayout other = runtime->layout;
    other.minor = static_cast<std::uint8_t>(other.minor == 9 ? 8 : 9);
    other.code.flags = other.code.flags.offset + 8;
    CHECK_FALSE(try_layout_from_debug_info(memory, runtime->address, process->images, other));
  }
}

}  // namespace
}  // namespace asyncspy
