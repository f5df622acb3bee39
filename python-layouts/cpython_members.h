// Which member of which CPython struct stands behind each member of layout.h: the one table by which offsets are taken out of
// debug information, by asyncspy itself (where a version file does not fit) and by the scripts that print and check version
// files (scripts/layout_map.py reads this file: keep one entry a line, and the form of the lines).
//
// A candidate is "Struct.member" or "Struct.member.member". "size:Struct" is the size of the struct, "flag:Struct.member" a truth
// value or bit field with its mask, "zero" the number 0. The first candidate that the release has counts; none means `absent`.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "fields.h"

namespace asyncspy {

struct CpythonMember {
  std::string_view field;                      // as for_each_field names it
  std::array<std::string_view, 3> candidates;  // in order of preference; empty ones are none
  // Minor releases in which the candidates mean this: a struct of the same name has another meaning in others.
  std::uint8_t since = 0;
  std::uint8_t until = 99;
};

inline constexpr CpythonMember kCpythonMembers[] = {
    {"runtime.interpreters_head", {"_PyRuntimeState.interpreters.head"}},
    {"runtime.gil_last_holder", {"_PyRuntimeState.ceval.gil.last_holder"}},
    {"runtime.gil_locked", {"_PyRuntimeState.ceval.gil.locked"}},
    {"interpreter.next", {"PyInterpreterState.next"}},
    {"interpreter.id", {"PyInterpreterState.id"}},
    {"interpreter.threads_head", {"PyInterpreterState.threads.head", "PyInterpreterState.tstate_head"}},
    {"interpreter.modules", {"PyInterpreterState.imports.modules", "PyInterpreterState.modules"}},
    {"interpreter.sysdict", {"PyInterpreterState.sysdict"}},
    {"interpreter.builtins", {"PyInterpreterState.builtins"}},
    {"interpreter.gil", {"PyInterpreterState.ceval.gil"}, 12},
    {"interpreter.tasks_head", {"PyInterpreterState.asyncio_tasks_head"}},
    {"gil.last_holder", {"_gil_runtime_state.last_holder"}, 12},
    {"gil.locked", {"_gil_runtime_state.locked"}, 12},
    {"thread.next", {"PyThreadState.next"}},
    {"thread.interpreter", {"PyThreadState.interp"}},
    {"thread.frame", {"PyThreadState.current_frame", "PyThreadState.frame", "PyThreadState.cframe"}},
    {"thread.dict", {"PyThreadState.dict"}},
    {"thread.thread_id", {"PyThreadState.thread_id"}},
    {"thread.native_thread_id", {"PyThreadState.native_thread_id"}},
    {"thread.context", {"PyThreadState.context"}},
    {"thread.running_loop", {"_PyThreadStateImpl.asyncio_running_loop"}},
    {"thread.running_task", {"_PyThreadStateImpl.asyncio_running_task"}},
    {"thread.tasks_head", {"_PyThreadStateImpl.asyncio_tasks_head"}},
    {"cframe.current_frame", {"_PyCFrame.current_frame"}},
    {"frame.executable", {"_PyInterpreterFrame.f_executable", "_PyInterpreterFrame.f_code"}},
    {"frame.previous", {"_PyInterpreterFrame.previous"}},
    {"frame.function", {"_PyInterpreterFrame.f_funcobj", "_PyInterpreterFrame.f_func"}},
    {"frame.instruction", {"_PyInterpreterFrame.instr_ptr", "_PyInterpreterFrame.prev_instr"}},
    {"frame.stack_top", {"_PyInterpreterFrame.stacktop"}},
    {"frame.stack_pointer", {"_PyInterpreterFrame.stackpointer"}},
    {"frame.owner", {"_PyInterpreterFrame.owner"}},
    {"frame.localsplus", {"_PyInterpreterFrame.localsplus"}},
    {"frame.size", {"size:_PyInterpreterFrame"}},
    {"frame_object.back", {"PyFrameObject.f_back"}, 0, 10},
    {"frame_object.code", {"PyFrameObject.f_code"}},
    {"frame_object.value_stack", {"PyFrameObject.f_valuestack"}},
    {"frame_object.stack_top", {"PyFrameObject.f_stacktop"}},
    {"frame_object.stack_depth", {"PyFrameObject.f_stackdepth"}},
    {"frame_object.generator", {"PyFrameObject.f_gen"}},
    {"frame_object.last_instruction", {"PyFrameObject.f_lasti"}},
    {"frame_object.state", {"PyFrameObject.f_state"}},
    {"frame_object.localsplus", {"PyFrameObject.f_localsplus"}},
    {"frame_object.frame", {"PyFrameObject.f_frame"}, 11},
    {"code.argcount", {"PyCodeObject.co_argcount"}},
    {"code.positional_only_count", {"PyCodeObject.co_posonlyargcount"}},
    {"code.keyword_only_count", {"PyCodeObject.co_kwonlyargcount"}},
    {"code.local_count", {"PyCodeObject.co_nlocals"}},
    {"code.flags", {"PyCodeObject.co_flags"}},
    {"code.first_line", {"PyCodeObject.co_firstlineno"}},
    {"code.file_name", {"PyCodeObject.co_filename"}},
    {"code.name", {"PyCodeObject.co_name"}},
    {"code.qualified_name", {"PyCodeObject.co_qualname"}},
    {"code.line_table", {"PyCodeObject.co_linetable", "PyCodeObject.co_lnotab"}},
    {"code.bytecode", {"PyCodeObject.co_code"}},
    {"code.inline_bytecode", {"PyCodeObject.co_code_adaptive"}},
    {"code.code_units", {"PyCodeObject.ob_size"}, 11},
    {"code.first_traceable", {"PyCodeObject._co_firsttraceable"}},
    {"code.variable_names", {"PyCodeObject.co_varnames"}},
    {"code.cell_names", {"PyCodeObject.co_cellvars"}},
    {"code.free_names", {"PyCodeObject.co_freevars"}},
    {"code.localsplus_names", {"PyCodeObject.co_localsplusnames"}},
    {"code.localsplus_kinds", {"PyCodeObject.co_localspluskinds"}},
    {"code.size", {"size:PyCodeObject"}},
    {"generator.frame", {"PyGenObject.gi_frame"}},
    {"generator.running", {"PyGenObject.gi_running"}},
    {"generator.name", {"PyGenObject.gi_name"}},
    {"generator.qualified_name", {"PyGenObject.gi_qualname"}},
    {"generator.frame_state", {"PyGenObject.gi_frame_state"}, 11},
    {"generator.inline_frame", {"PyGenObject.gi_iframe"}},
    {"generator.origin", {"PyCoroObject.cr_origin_or_finalizer", "PyCoroObject.cr_origin"}},
    {"generator.size", {"size:PyGenObject"}},
    {"awaitable.asend_generator", {"PyAsyncGenASend.ags_gen"}},
    {"awaitable.athrow_generator", {"PyAsyncGenAThrow.agt_gen"}},
    {"awaitable.coroutine_wrapper_coroutine", {"PyCoroWrapper.cw_coroutine"}},
    {"awaitable.anext_wrapped", {"anextawaitableobject.wrapped"}},
    {"awaitable.future_iterator_future", {"futureiterobject.future"}},
    {"object.reference_count", {"PyObject.ob_refcnt"}},
    {"object.type", {"PyObject.ob_type"}},
    {"object.var_size", {"PyVarObject.ob_size"}},
    {"type.name", {"PyTypeObject.tp_name"}},
    {"type.basic_size", {"PyTypeObject.tp_basicsize"}},
    {"type.item_size", {"PyTypeObject.tp_itemsize"}},
    {"type.flags", {"PyTypeObject.tp_flags"}},
    {"type.methods", {"PyTypeObject.tp_methods"}},
    {"type.members", {"PyTypeObject.tp_members"}},
    {"type.getset", {"PyTypeObject.tp_getset"}},
    {"type.base", {"PyTypeObject.tp_base"}},
    {"type.dict", {"PyTypeObject.tp_dict"}},
    {"type.dict_offset", {"PyTypeObject.tp_dictoffset"}},
    {"type.mro", {"PyTypeObject.tp_mro"}},
    {"type.cached_keys", {"PyHeapTypeObject.ht_cached_keys"}},
    {"type.qualified_name", {"PyHeapTypeObject.ht_qualname"}},
    {"type.size", {"size:PyTypeObject"}},
    {"text.length", {"PyASCIIObject.length"}},
    {"text.state", {"PyASCIIObject.state"}},
    {"text.ascii_data", {"size:PyASCIIObject"}},
    {"text.compact_data", {"size:PyCompactUnicodeObject"}},
    {"text.legacy_data", {"PyUnicodeObject.data"}},
    {"number.integer_tag", {"PyLongObject.long_value.lv_tag", "PyLongObject.ob_size"}},
    {"number.digits", {"PyLongObject.long_value.ob_digit", "PyLongObject.ob_digit"}},
    {"number.float_value", {"PyFloatObject.ob_fval"}},
    {"sequence.bytes_size", {"PyBytesObject.ob_size"}},
    {"sequence.bytes_data", {"PyBytesObject.ob_sval"}},
    {"sequence.tuple_size", {"PyTupleObject.ob_size"}},
    {"sequence.tuple_items", {"PyTupleObject.ob_item"}},
    {"sequence.list_size", {"PyListObject.ob_size"}},
    {"sequence.list_items", {"PyListObject.ob_item"}},
    {"sequence.deque_size", {"dequeobject.ob_size"}},
    {"sequence.deque_left_block", {"dequeobject.leftblock"}},
    {"sequence.deque_right_block", {"dequeobject.rightblock"}},
    {"sequence.deque_left_index", {"dequeobject.leftindex"}},
    {"sequence.deque_right_index", {"dequeobject.rightindex"}},
    {"sequence.deque_block_items", {"BLOCK.data"}},
    {"sequence.deque_block_right", {"BLOCK.rightlink"}},
    {"dict.used", {"PyDictObject.ma_used"}},
    {"dict.keys", {"PyDictObject.ma_keys"}},
    {"dict.values", {"PyDictObject.ma_values"}},
    {"dict.keys_size", {"PyDictKeysObject.dk_size"}},
    {"dict.keys_log2_size", {"PyDictKeysObject.dk_log2_size"}},
    {"dict.keys_log2_index_bytes", {"PyDictKeysObject.dk_log2_index_bytes"}},
    {"dict.keys_kind", {"PyDictKeysObject.dk_kind"}},
    {"dict.keys_used_entries", {"PyDictKeysObject.dk_nentries"}},
    {"dict.keys_indices", {"PyDictKeysObject.dk_indices"}},
    {"dict.values_first", {"PyDictValues.values", "zero"}},
    {"dict.values_valid", {"PyDictValues.valid"}},
    {"dict.set_used", {"PySetObject.used"}},
    {"dict.set_mask", {"PySetObject.mask"}},
    {"dict.set_table", {"PySetObject.table"}},
    {"function.function_code", {"PyFunctionObject.func_code"}},
    {"function.function_closure", {"PyFunctionObject.func_closure"}},
    {"function.function_qualified_name", {"PyFunctionObject.func_qualname"}},
    {"function.cell_value", {"PyCellObject.ob_ref"}},
    {"function.method_function", {"PyMethodObject.im_func"}},
    {"function.method_self", {"PyMethodObject.im_self"}},
    {"function.builtin_definition", {"PyCFunctionObject.m_ml"}},
    {"function.builtin_self", {"PyCFunctionObject.m_self"}},
    {"function.partial_function", {"partialobject.fn"}},
    {"function.partial_arguments", {"partialobject.args"}},
    {"module.dict", {"PyModuleObject.md_dict"}},
    {"module.state", {"PyModuleObject.md_state"}},
    {"descriptor.member", {"PyMemberDescrObject.d_member"}},
    {"descriptor.member_offset", {"PyMemberDef.offset"}},
    {"weak_reference.object", {"PyWeakReference.wr_object"}},
    {"context.variables", {"PyContext.ctx_vars"}},
    {"context.variable_name", {"PyContextVar.var_name"}},
    {"future.loop", {"FutureObj.fut_loop"}},
    {"future.callback0", {"FutureObj.fut_callback0"}},
    {"future.callbacks", {"FutureObj.fut_callbacks"}},
    {"future.exception", {"FutureObj.fut_exception"}},
    {"future.result", {"FutureObj.fut_result"}},
    {"future.source_traceback", {"FutureObj.fut_source_tb"}},
    {"future.state", {"FutureObj.fut_state"}},
    {"future.log_traceback", {"flag:FutureObj.fut_log_tb"}},
    {"future.awaited_by", {"FutureObj.fut_awaited_by"}},
    {"future.awaited_by_is_set", {"FutureObj.fut_awaited_by_is_set"}},
    {"future.size", {"size:FutureObj"}},
    {"task.waiter", {"TaskObj.task_fut_waiter"}},
    {"task.coroutine", {"TaskObj.task_coro"}},
    {"task.context", {"TaskObj.task_context"}},
    {"task.name", {"TaskObj.task_name"}},
    {"task.must_cancel", {"flag:TaskObj.task_must_cancel"}},
    {"task.cancel_requests", {"TaskObj.task_num_cancels_requested"}},
    {"task.node", {"TaskObj.task_node"}},
    {"task.size", {"size:TaskObj"}},
    {"accel.step_task", {"TaskStepMethWrapper.sw_task"}},
    {"accel.wakeup_task", {"TaskWakeupMethWrapper.ww_task"}},
    {"accel.holder_loop", {"PyRunningLoopHolder.rl_loop"}},
    {"accel.holder_pid", {"PyRunningLoopHolder.rl_pid"}},
    {"accel.foreign_tasks", {"asyncio_state.non_asyncio_tasks"}},
    {"accel.foreign_eager_tasks", {"asyncio_state.non_asyncio_eager_tasks"}},
    {"accel.debug_offsets", {"asyncio_state.debug_offsets"}},
};

inline constexpr PythonLayout kUnsetLayout{};

// Whether the table has each member of the layout, in the order of for_each_field, and nothing else.
consteval bool covers_all_fields() {
  std::size_t index = 0;
  bool same = true;
  for_each_field(kUnsetLayout, [&](std::string_view name, const auto&) {
    same = same && index < std::size(kCpythonMembers) && kCpythonMembers[index].field == name;
    ++index;
  });
  return same && index == std::size(kCpythonMembers);
}
static_assert(covers_all_fields(), "cpython_members.h and fields.h name different members, or in another order");

}  // namespace asyncspy
