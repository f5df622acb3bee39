// CPython 3.9: every offset and behaviour that asyncspy relies on, x86-64, release build with the GIL.
//
// Changed since 3.8: the garbage collector's lists moved into PyInterpreterState (bpo-36854), futures and tasks gained
// fut_cancel_msg and the saved cancel exception (bpo-31033).
#include "fields.h"
#include "versions.h"

namespace asyncspy {
namespace {

constexpr PythonLayout kCpython39{
    .minor = 9,
    .measured_from = "3.9.18",
    .runtime = {.interpreters_head = 32, .gil_last_holder = 360, .gil_locked = 368},
    .interpreter = {.next = 0, .id = 24, .threads_head = 8, .modules = 856, .sysdict = 872, .builtins = 880,
                    .gil = absent, .tasks_head = absent},
    .gil = {.last_holder = absent, .locked = absent},
    .thread = {.next = 8, .interpreter = 16, .frame = 24, .dict = 152, .thread_id = 176, .native_thread_id = absent,
               .context = 240, .running_loop = absent, .running_task = absent, .tasks_head = absent},
    .cframe = {.current_frame = absent, .previous = absent},
    .frame = {.executable = absent, .previous = absent, .function = absent, .instruction = absent,
              .stack_top = absent, .stack_pointer = absent, .owner = absent, .localsplus = absent,
              .size = kAbsentOffset},
    .frame_object = {.back = 24, .code = 32, .value_stack = 64, .stack_top = 72, .stack_depth = absent,
                     .generator = 96, .last_instruction = 104, .state = absent, .localsplus = 360, .frame = absent},
    .code = {.argcount = 16, .positional_only_count = 20, .keyword_only_count = 24, .local_count = 28, .flags = 36,
             .first_line = 40, .file_name = 104, .name = 112, .qualified_name = absent, .line_table = 120,
             .bytecode = 48, .inline_bytecode = absent, .code_units = absent, .first_traceable = absent,
             .variable_names = 72, .cell_names = 88, .free_names = 80, .localsplus_names = absent,
             .localsplus_kinds = absent, .size = 176},
    .generator = {.frame = 16, .running = 24, .name = 48, .qualified_name = 56, .frame_state = absent,
                  .inline_frame = absent, .handled_exception = 72, .origin = 96, .size = 96},
    .awaitable = {.asend_generator = 16, .athrow_generator = 16, .coroutine_wrapper_coroutine = 16,
                  .anext_wrapped = absent, .future_iterator_future = 16},
    .object = {.reference_count = 0, .type = 8, .var_size = 16},
    .type = {.name = 24, .basic_size = 32, .item_size = 40, .flags = 168, .methods = 232, .members = 240, .getset = 248, .base = 256,
             .dict = 264, .dict_offset = 288, .mro = 344, .cached_keys = 864, .qualified_name = 856, .size = 408},
    .text = {.length = 16, .state = 32, .ascii_data = 48, .compact_data = 72, .legacy_data = 72},
    .number = {.integer_tag = 16, .digits = 24, .float_value = 16},
    .sequence = {.bytes_size = 16, .bytes_data = 32, .tuple_size = 16, .tuple_items = 24, .list_size = 16,
                 .list_items = 24, .deque_size = 16, .deque_left_block = 24, .deque_right_block = 32,
                 .deque_left_index = 40, .deque_right_index = 48, .deque_state = 56, .deque_block_items = 8, .deque_block_right = 520},
    .dict = {.used = 16, .keys = 32, .values = 40, .keys_size = 8, .keys_log2_size = absent,
             .keys_log2_index_bytes = absent, .keys_kind = absent, .keys_used_entries = 32, .keys_indices = 40,
             .values_first = 0, .values_valid = absent, .set_used = 24, .set_mask = 32, .set_table = 40},
    .function = {.function_code = 16, .function_closure = 48, .function_qualified_name = 104, .cell_value = 16,
                 .method_function = 16, .method_self = 24, .builtin_definition = 16, .builtin_self = 24,
                 .partial_function = 16, .partial_arguments = 24},
    .module = {.dict = 16, .state = 32},
    .descriptor = {.member = 40, .member_offset = 16},
    .weak_reference = {.object = 16},
    .context = {.variables = 24, .variable_name = 16, .hamt_root = 16, .bitmap_items = 32, .array_items = 16,
                .collision_items = 32},
    .exception = {.arguments = 24, .traceback = 32},
    .traceback = {.next = 16, .frame = 24, .last_instruction = 32, .line = 36},
    .future = {.loop = 16, .callback0 = 24, .callbacks = 40, .exception = 48, .result = 56, .source_traceback = 64,
               .state = 80, .log_traceback = {84, 0xffffffff}, .awaited_by = absent, .awaited_by_is_set = absent,
               .size = 144},
    .task = {.waiter = 144, .coroutine = 152, .context = 168, .name = 160, .must_cancel = {176, 0xffffffff},
             .cancel_requests = absent, .node = absent, .size = 184},
    .accel = {.step_task = 16, .wakeup_task = 16, .holder_loop = 16, .holder_pid = 24, .foreign_tasks = absent,
              .foreign_eager_tasks = absent, .debug_offsets = absent},
    .thread_frame = ThreadFrame::kFrameObject,
    .instruction_pointer = InstructionPointer::kLastBytes,
    .line_table = LineTable::kLnotab,
    .delegate = Delegate::kYieldFromStackTop,
    .task_enumeration = TaskEnumeration::kAllTasksSet,
    .running_loop = RunningLoop::kThreadDictHolder,
    .instance_dict = InstanceDict::kDictOffset,
    .dict_keys = DictKeys::kSized,
    .integer_coding = IntegerCoding::kSignedSize,
    .stack_references = StackReferences::kPlain,
    .generator_state = GeneratorState::kFrameAndRunningFlag,
    .frame_states = {},
    .first_shim_owner = 127,
    .yield_from_opcode = 72,
};
static_assert(is_complete(kCpython39));

constexpr PythonLayout kLayouts[] = {kCpython39};

}  // namespace

std::span<const PythonLayout> cpython_3_9_layouts() { return kLayouts; }

}  // namespace asyncspy
