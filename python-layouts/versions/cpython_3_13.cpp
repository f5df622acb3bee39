// CPython 3.13: every offset and behaviour that asyncspy relies on, x86-64, release build with the GIL.
//
// Changed since 3.12: _Py_DebugOffsets starts _PyRuntime (Include/internal/pycore_runtime.h) and wins over this file; thread
// states point at the frame themselves; instance values are inline (gh-115776); the frame state tells yield from from yield
// (Include/internal/pycore_frame.h); the flags of tasks are bit fields (Modules/_asynciomodule.c); the running loop is in
// _PyThreadStateImpl (Include/internal/pycore_tstate.h), whose own part begins where PyThreadState ends: at 304 or 312.
#include "fields.h"
#include "versions.h"

namespace asyncspy {
namespace {

constexpr PythonLayout kCpython313{
    .minor = 13,
    .measured_from = "sid3.13",
    .runtime = {.interpreters_head = 632, .gil_last_holder = absent, .gil_locked = absent},
    .interpreter = {.next = 7264, .id = 7272, .threads_head = 7344, .modules = 7656, .sysdict = 7640,
                    .builtins = 7648, .gil = 16, .tasks_head = absent},
    .gil = {.last_holder = 8, .locked = 16},
    .thread = {.next = 8, .interpreter = 16, .frame = 72, .dict = 128, .thread_id = 152, .native_thread_id = 160,
               .context = 208, .running_loop = 312, .running_task = absent, .tasks_head = absent},
    .cframe = {.current_frame = absent, .previous = absent},
    .frame = {.executable = 0, .previous = 8, .function = 16, .instruction = 56, .stack_top = 64,
              .stack_pointer = absent, .owner = 70, .localsplus = 72, .size = 80},
    .frame_object = {.back = absent, .code = absent, .value_stack = absent, .stack_top = absent,
                     .stack_depth = absent, .generator = absent, .last_instruction = absent, .state = absent,
                     .localsplus = absent, .frame = 24},
    .code = {.argcount = 52, .positional_only_count = 56, .keyword_only_count = 60, .local_count = 80, .flags = 48,
             .first_line = 68, .file_name = 112, .name = 120, .qualified_name = 128, .line_table = 136,
             .bytecode = absent, .inline_bytecode = 200, .code_units = 16, .first_traceable = 184,
             .variable_names = absent, .cell_names = absent, .free_names = absent, .localsplus_names = 96,
             .localsplus_kinds = 104, .size = 208},
    .generator = {.frame = absent, .running = absent, .name = 24, .qualified_name = 32, .frame_state = 67,
                  .inline_frame = 72, .handled_exception = 40, .origin = 56, .size = 80},
    .awaitable = {.asend_generator = 16, .athrow_generator = 16, .coroutine_wrapper_coroutine = 16,
                  .anext_wrapped = 16, .future_iterator_future = 16},
    .object = {.reference_count = 0, .type = 8, .var_size = 16},
    .type = {.name = 24, .basic_size = 32, .item_size = 40, .flags = 168, .methods = 232, .members = 240, .getset = 248, .base = 256,
             .dict = 264, .dict_offset = 288, .mro = 344, .cached_keys = 880, .qualified_name = 872, .size = 416},
    .text = {.length = 16, .state = 32, .ascii_data = 40, .compact_data = 56, .legacy_data = 56},
    .number = {.integer_tag = 16, .digits = 24, .float_value = 16},
    .sequence = {.bytes_size = 16, .bytes_data = 32, .tuple_size = 16, .tuple_items = 24, .list_size = 16,
                 .list_items = 24, .deque_size = 16, .deque_left_block = 24, .deque_right_block = 32,
                 .deque_left_index = 40, .deque_right_index = 48, .deque_state = 56, .deque_block_items = 8, .deque_block_right = 520},
    .dict = {.used = 16, .keys = 32, .values = 40, .keys_size = absent, .keys_log2_size = 8,
             .keys_log2_index_bytes = 9, .keys_kind = 10, .keys_used_entries = 24, .keys_indices = 32,
             .values_first = 8, .values_valid = 3, .set_used = 24, .set_mask = 32, .set_table = 40},
    .function = {.function_code = 48, .function_closure = 72, .function_qualified_name = 40, .cell_value = 16,
                 .method_function = 16, .method_self = 24, .builtin_definition = 16, .builtin_self = 24,
                 .partial_function = 16, .partial_arguments = 24},
    .module = {.dict = 16, .state = 32},
    .descriptor = {.member = 40, .member_offset = 16},
    .weak_reference = {.object = 16},
    .context = {.variables = 24, .variable_name = 16, .hamt_root = 16, .bitmap_items = 32, .array_items = 16,
                .collision_items = 32},
    .exception = {.arguments = 24, .traceback = 40},
    .traceback = {.next = 16, .frame = 24, .last_instruction = 32, .line = 36},
    .future = {.loop = 16, .callback0 = 24, .callbacks = 40, .exception = 48, .result = 64, .source_traceback = 72,
               .state = 96, .log_traceback = {100, 0x1}, .awaited_by = absent, .awaited_by_is_set = absent,
               .size = 104},
    .task = {.waiter = 112, .coroutine = 120, .context = 136, .name = 128, .must_cancel = {100, 0x4},
             .cancel_requests = 104, .node = absent, .size = 144},
    .accel = {.step_task = 16, .wakeup_task = absent, .holder_loop = absent, .holder_pid = absent,
              .foreign_tasks = absent, .foreign_eager_tasks = absent, .debug_offsets = absent},
    .thread_frame = ThreadFrame::kInterpreterFrame,
    .instruction_pointer = InstructionPointer::kAddress,
    .line_table = LineTable::kLocations,
    .delegate = Delegate::kFrameState,
    .task_enumeration = TaskEnumeration::kScheduledAndEager,
    .running_loop = RunningLoop::kThreadState,
    .instance_dict = InstanceDict::kInlineValues,
    .dict_keys = DictKeys::kKinds,
    .integer_coding = IntegerCoding::kTagged,
    .stack_references = StackReferences::kPlain,
    .generator_state = GeneratorState::kOwnState,
    .frame_states = {.created = -3, .suspended = -2, .suspended_yield_from = -1, .executing = 0, .first_finished = 1},
    .first_shim_owner = 3,
    .yield_from_opcode = 0,
};
static_assert(is_complete(kCpython313));

constexpr PythonLayout kLayouts[] = {kCpython313};

}  // namespace

std::span<const PythonLayout> cpython_3_13_layouts() { return kLayouts; }

}  // namespace asyncspy
