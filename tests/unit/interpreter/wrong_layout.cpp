// A version file that is wrong must be noticed before anything is read by it: each member in turn is moved by one word,
// and the self-checks have to object, on a real interpreter.
#include <set>
#include <string>

#include "catch.h"
#include "debug_offsets.h"
#include "choose_layout.h"
#include "fields.h"
#include "idle_python.h"
#include "live_target.h"
#include "recording_memory.h"
#include "runtime.h"
#include "versions.h"

namespace asyncspy {
namespace {

// Members that the self-checks do not reach, each with the reason why it does no harm. Nothing may join them unnoticed.
const std::set<std::string_view> kUnchecked = {
    // In every release the first member after the object header, whose checks cover it.
    "accel.holder_loop", "accel.holder_pid", "accel.step_task", "accel.wakeup_task", "awaitable.anext_wrapped",
    "awaitable.asend_generator", "awaitable.athrow_generator", "awaitable.coroutine_wrapper_coroutine",
    "awaitable.future_iterator_future",
    // Read by nothing yet, or only told by `doctor`.
    "code.size", "dict.keys_log2_size", "frame.function", "frame.size",
    "generator.size", "object.reference_count", "task.node", "type.size", "future.awaited_by_is_set",
    // Wrong values of these show as a gap or as a name that is no name, not as a wrong fact.
    "frame.stack_top", "frame.stack_pointer", "frame_object.stack_depth", "frame_object.stack_top", "frame_object.value_stack",
    "frame_object.generator", "frame_object.frame", "frame_object.state", "frame_object.last_instruction", "module.state",
    "accel.foreign_tasks", "accel.foreign_eager_tasks", "accel.debug_offsets",
    // On the way from a task to its context variables every object's type is compared with what belongs there, and the nodes'
    // items with the size that their type states.
    "task.context", "context.variables", "context.hamt_root", "context.bitmap_items", "context.array_items", "context.collision_items",
    // Only for strings that no program has for certain: beyond ASCII, or made by the old interfaces.
    "text.compact_data", "text.legacy_data",
    // Reads a neighbour that means the same where there is one interpreter and the GIL is free.
    "runtime.interpreters_head", "runtime.gil_locked", "gil.locked", "interpreter.next",
    // Hides frames that are still being set up, or an empty block.
    "code.first_traceable", "sequence.deque_block_items", "object.var_size", "dict.values_first", "dict.values_valid",
    "code.local_count", "generator.running",
};

void shift(std::int32_t& offset) { offset += 8; }
void shift(Flag& flag) { flag.offset += 8; }
template <class T>
void shift(Field<T>& field) { field.offset += 8; }

void check_interpreter(const std::string& interpreter) {
  IdlePython python(interpreter);
  auto target = LiveTarget::attach(python.pid());
  REQUIRE(target);
  auto process = (*target)->read_process();
  REQUIRE(process);
  RecordingMemory memory(&(*target)->memory());
  auto runtime = find_runtime(memory, process->images);
  INFO(interpreter << ": " << (runtime ? std::string() : runtime.error().what));
  REQUIRE(runtime);
  const PythonLayout right = runtime->layout;

  std::set<std::string> unnoticed;
  for_each_field(right, [&](std::string_view wanted, const auto& value) {
    if (layout_detail::offset_of(value) < 0) return;
    if (is_exported_by_runtime(right.minor, wanted) || is_exported_by_asyncio(wanted)) return;  // the table repairs it
    if (wanted == "type.cached_keys" && right.instance_dict == InstanceDict::kDictOffset) return;  // not read
    PythonLayout wrong = right;
    for_each_field(wrong, [&](std::string_view name, auto& field) {
      if (name == wanted) shift(field);
    });
    auto choice = try_layout(memory, runtime->address, process->images, wrong);
    bool noticed = !choice || !choice->warnings.empty();
    if (!noticed && !kUnchecked.contains(wanted)) unnoticed.insert(std::string(wanted));
  });
  std::string list;
  for (const std::string& name : unnoticed) list += name + " ";
  INFO(interpreter << " does not notice " << list);
  CHECK(list.empty());
}

TEST_CASE("a version file with one wrong member is noticed") {
  for (const std::string& interpreter : find_interpreters()) check_interpreter(interpreter);
}

}  // namespace
}  // namespace asyncspy
