// Every member of every layout, by name: the one enumeration that completeness, checks and `doctor` share.
#pragma once

#include "layout.h"

namespace asyncspy {

// Calls visit(std::string_view name, field) for each Field, Flag and size (std::int32_t) of the layout; `name` is
// "struct.member", for example "task.coroutine". L is PythonLayout or const PythonLayout.
template <class L, class Visit>
constexpr void for_each_field(L& l, Visit&& visit) {
  visit("runtime.interpreters_head", l.runtime.interpreters_head);
  visit("runtime.gil_last_holder", l.runtime.gil_last_holder);
  visit("runtime.gil_locked", l.runtime.gil_locked);
  visit("interpreter.next", l.interpreter.next);
  visit("interpreter.id", l.interpreter.id);
  visit("interpreter.threads_head", l.interpreter.threads_head);
  visit("interpreter.modules", l.interpreter.modules);
  visit("interpreter.sysdict", l.interpreter.sysdict);
  visit("interpreter.builtins", l.interpreter.builtins);
  visit("interpreter.gil", l.interpreter.gil);
  visit("interpreter.tasks_head", l.interpreter.tasks_head);
  visit("gil.last_holder", l.gil.last_holder);
  visit("gil.locked", l.gil.locked);
  visit("thread.next", l.thread.next);
  visit("thread.interpreter", l.thread.interpreter);
  visit("thread.frame", l.thread.frame);
  visit("thread.dict", l.thread.dict);
  visit("thread.thread_id", l.thread.thread_id);
  visit("thread.native_thread_id", l.thread.native_thread_id);
  visit("thread.context", l.thread.context);
  visit("thread.running_loop", l.thread.running_loop);
  visit("thread.running_task", l.thread.running_task);
  visit("thread.tasks_head", l.thread.tasks_head);
  visit("cframe.current_frame", l.cframe.current_frame);
  visit("cframe.previous", l.cframe.previous);
  visit("frame.executable", l.frame.executable);
  visit("frame.previous", l.frame.previous);
  visit("frame.function", l.frame.function);
  visit("frame.instruction", l.frame.instruction);
  visit("frame.stack_top", l.frame.stack_top);
  visit("frame.stack_pointer", l.frame.stack_pointer);
  visit("frame.owner", l.frame.owner);
  visit("frame.localsplus", l.frame.localsplus);
  visit("frame.size", l.frame.size);
  visit("frame_object.back", l.frame_object.back);
  visit("frame_object.code", l.frame_object.code);
  visit("frame_object.value_stack", l.frame_object.value_stack);
  visit("frame_object.stack_top", l.frame_object.stack_top);
  visit("frame_object.stack_depth", l.frame_object.stack_depth);
  visit("frame_object.generator", l.frame_object.generator);
  visit("frame_object.last_instruction", l.frame_object.last_instruction);
  visit("frame_object.state", l.frame_object.state);
  visit("frame_object.localsplus", l.frame_object.localsplus);
  visit("frame_object.frame", l.frame_object.frame);
  visit("code.argcount", l.code.argcount);
  visit("code.positional_only_count", l.code.positional_only_count);
  visit("code.keyword_only_count", l.code.keyword_only_count);
  visit("code.local_count", l.code.local_count);
  visit("code.flags", l.code.flags);
  visit("code.first_line", l.code.first_line);
  visit("code.file_name", l.code.file_name);
  visit("code.name", l.code.name);
  visit("code.qualified_name", l.code.qualified_name);
  visit("code.line_table", l.code.line_table);
  visit("code.bytecode", l.code.bytecode);
  visit("code.inline_bytecode", l.code.inline_bytecode);
  visit("code.code_units", l.code.code_units);
  visit("code.first_traceable", l.code.first_traceable);
  visit("code.variable_names", l.code.variable_names);
  visit("code.cell_names", l.code.cell_names);
  visit("code.free_names", l.code.free_names);
  visit("code.localsplus_names", l.code.localsplus_names);
  visit("code.localsplus_kinds", l.code.localsplus_kinds);
  visit("code.size", l.code.size);
  visit("generator.frame", l.generator.frame);
  visit("generator.running", l.generator.running);
  visit("generator.name", l.generator.name);
  visit("generator.qualified_name", l.generator.qualified_name);
  visit("generator.frame_state", l.generator.frame_state);
  visit("generator.inline_frame", l.generator.inline_frame);
  visit("generator.handled_exception", l.generator.handled_exception);
  visit("generator.origin", l.generator.origin);
  visit("generator.size", l.generator.size);
  visit("awaitable.asend_generator", l.awaitable.asend_generator);
  visit("awaitable.athrow_generator", l.awaitable.athrow_generator);
  visit("awaitable.coroutine_wrapper_coroutine", l.awaitable.coroutine_wrapper_coroutine);
  visit("awaitable.anext_wrapped", l.awaitable.anext_wrapped);
  visit("awaitable.future_iterator_future", l.awaitable.future_iterator_future);
  visit("object.reference_count", l.object.reference_count);
  visit("object.type", l.object.type);
  visit("object.var_size", l.object.var_size);
  visit("type.name", l.type.name);
  visit("type.basic_size", l.type.basic_size);
  visit("type.item_size", l.type.item_size);
  visit("type.flags", l.type.flags);
  visit("type.methods", l.type.methods);
  visit("type.members", l.type.members);
  visit("type.getset", l.type.getset);
  visit("type.base", l.type.base);
  visit("type.dict", l.type.dict);
  visit("type.dict_offset", l.type.dict_offset);
  visit("type.mro", l.type.mro);
  visit("type.cached_keys", l.type.cached_keys);
  visit("type.qualified_name", l.type.qualified_name);
  visit("type.size", l.type.size);
  visit("text.length", l.text.length);
  visit("text.state", l.text.state);
  visit("text.ascii_data", l.text.ascii_data);
  visit("text.compact_data", l.text.compact_data);
  visit("text.legacy_data", l.text.legacy_data);
  visit("number.integer_tag", l.number.integer_tag);
  visit("number.digits", l.number.digits);
  visit("number.float_value", l.number.float_value);
  visit("sequence.bytes_size", l.sequence.bytes_size);
  visit("sequence.bytes_data", l.sequence.bytes_data);
  visit("sequence.tuple_size", l.sequence.tuple_size);
  visit("sequence.tuple_items", l.sequence.tuple_items);
  visit("sequence.list_size", l.sequence.list_size);
  visit("sequence.list_items", l.sequence.list_items);
  visit("sequence.deque_size", l.sequence.deque_size);
  visit("sequence.deque_left_block", l.sequence.deque_left_block);
  visit("sequence.deque_right_block", l.sequence.deque_right_block);
  visit("sequence.deque_left_index", l.sequence.deque_left_index);
  visit("sequence.deque_right_index", l.sequence.deque_right_index);
  visit("sequence.deque_state", l.sequence.deque_state);
  visit("sequence.deque_block_items", l.sequence.deque_block_items);
  visit("sequence.deque_block_right", l.sequence.deque_block_right);
  visit("dict.used", l.dict.used);
  visit("dict.keys", l.dict.keys);
  visit("dict.values", l.dict.values);
  visit("dict.keys_size", l.dict.keys_size);
  visit("dict.keys_log2_size", l.dict.keys_log2_size);
  visit("dict.keys_log2_index_bytes", l.dict.keys_log2_index_bytes);
  visit("dict.keys_kind", l.dict.keys_kind);
  visit("dict.keys_used_entries", l.dict.keys_used_entries);
  visit("dict.keys_indices", l.dict.keys_indices);
  visit("dict.values_first", l.dict.values_first);
  visit("dict.values_valid", l.dict.values_valid);
  visit("dict.set_used", l.dict.set_used);
  visit("dict.set_mask", l.dict.set_mask);
  visit("dict.set_table", l.dict.set_table);
  visit("function.function_code", l.function.function_code);
  visit("function.function_closure", l.function.function_closure);
  visit("function.function_qualified_name", l.function.function_qualified_name);
  visit("function.cell_value", l.function.cell_value);
  visit("function.method_function", l.function.method_function);
  visit("function.method_self", l.function.method_self);
  visit("function.builtin_definition", l.function.builtin_definition);
  visit("function.builtin_self", l.function.builtin_self);
  visit("function.partial_function", l.function.partial_function);
  visit("function.partial_arguments", l.function.partial_arguments);
  visit("module.dict", l.module.dict);
  visit("module.state", l.module.state);
  visit("descriptor.member", l.descriptor.member);
  visit("descriptor.member_offset", l.descriptor.member_offset);
  visit("weak_reference.object", l.weak_reference.object);
  visit("context.variables", l.context.variables);
  visit("context.variable_name", l.context.variable_name);
  visit("context.hamt_root", l.context.hamt_root);
  visit("context.bitmap_items", l.context.bitmap_items);
  visit("context.array_items", l.context.array_items);
  visit("context.collision_items", l.context.collision_items);
  visit("exception.arguments", l.exception.arguments);
  visit("exception.traceback", l.exception.traceback);
  visit("traceback.next", l.traceback.next);
  visit("traceback.frame", l.traceback.frame);
  visit("traceback.last_instruction", l.traceback.last_instruction);
  visit("traceback.line", l.traceback.line);
  visit("future.loop", l.future.loop);
  visit("future.callback0", l.future.callback0);
  visit("future.callbacks", l.future.callbacks);
  visit("future.exception", l.future.exception);
  visit("future.result", l.future.result);
  visit("future.source_traceback", l.future.source_traceback);
  visit("future.state", l.future.state);
  visit("future.log_traceback", l.future.log_traceback);
  visit("future.awaited_by", l.future.awaited_by);
  visit("future.awaited_by_is_set", l.future.awaited_by_is_set);
  visit("future.size", l.future.size);
  visit("task.waiter", l.task.waiter);
  visit("task.coroutine", l.task.coroutine);
  visit("task.context", l.task.context);
  visit("task.name", l.task.name);
  visit("task.must_cancel", l.task.must_cancel);
  visit("task.cancel_requests", l.task.cancel_requests);
  visit("task.node", l.task.node);
  visit("task.size", l.task.size);
  visit("accel.step_task", l.accel.step_task);
  visit("accel.wakeup_task", l.accel.wakeup_task);
  visit("accel.holder_loop", l.accel.holder_loop);
  visit("accel.holder_pid", l.accel.holder_pid);
  visit("accel.foreign_tasks", l.accel.foreign_tasks);
  visit("accel.foreign_eager_tasks", l.accel.foreign_eager_tasks);
  visit("accel.debug_offsets", l.accel.debug_offsets);
}

namespace layout_detail {
template <class T>
constexpr bool is_set(const Field<T>& field) { return field.is_set(); }
constexpr bool is_set(const Flag& flag) { return flag.offset != kUnsetOffset; }
constexpr bool is_set(const std::int32_t& size) { return size != kUnsetOffset; }

template <class T>
constexpr std::int32_t offset_of(const Field<T>& field) { return field.offset; }
constexpr std::int32_t offset_of(const Flag& flag) { return flag.offset; }
constexpr std::int32_t offset_of(const std::int32_t& size) { return size; }
}  // namespace layout_detail

// Whether every member was given an offset or was written `absent`.
consteval bool is_complete(const PythonLayout& layout) {
  bool complete = true;
  for_each_field(layout, [&](std::string_view, const auto& field) { complete = complete && layout_detail::is_set(field); });
  return complete;
}

// The offset of the member called `name`; kUnsetOffset when there is no such member.
constexpr std::int32_t offset_by_name(const PythonLayout& layout, std::string_view name) {
  std::int32_t found = kUnsetOffset;
  for_each_field(layout, [&](std::string_view field_name, const auto& field) {
    if (field_name == name) found = layout_detail::offset_of(field);
  });
  return found;
}

static_assert(sizeof(RuntimeLayout) == 3 * sizeof(Pointer) + 0 * sizeof(Flag), "RuntimeLayout grew: add the member above");
static_assert(sizeof(InterpreterLayout) == 8 * sizeof(Pointer) + 0 * sizeof(Flag), "InterpreterLayout grew: add the member above");
static_assert(sizeof(GilLayout) == 2 * sizeof(Pointer) + 0 * sizeof(Flag), "GilLayout grew: add the member above");
static_assert(sizeof(ThreadLayout) == 10 * sizeof(Pointer) + 0 * sizeof(Flag), "ThreadLayout grew: add the member above");
static_assert(sizeof(CFrameLayout) == 2 * sizeof(Pointer) + 0 * sizeof(Flag), "CFrameLayout grew: add the member above");
static_assert(sizeof(InterpreterFrameLayout) == 9 * sizeof(Pointer) + 0 * sizeof(Flag), "InterpreterFrameLayout grew: add the member above");
static_assert(sizeof(FrameObjectLayout) == 10 * sizeof(Pointer) + 0 * sizeof(Flag), "FrameObjectLayout grew: add the member above");
static_assert(sizeof(CodeLayout) == 20 * sizeof(Pointer) + 0 * sizeof(Flag), "CodeLayout grew: add the member above");
static_assert(sizeof(GeneratorLayout) == 9 * sizeof(Pointer) + 0 * sizeof(Flag), "GeneratorLayout grew: add the member above");
static_assert(sizeof(AwaitableLayout) == 5 * sizeof(Pointer) + 0 * sizeof(Flag), "AwaitableLayout grew: add the member above");
static_assert(sizeof(ObjectLayout) == 3 * sizeof(Pointer) + 0 * sizeof(Flag), "ObjectLayout grew: add the member above");
static_assert(sizeof(TypeLayout) == 14 * sizeof(Pointer) + 0 * sizeof(Flag), "TypeLayout grew: add the member above");
static_assert(sizeof(TextLayout) == 5 * sizeof(Pointer) + 0 * sizeof(Flag), "TextLayout grew: add the member above");
static_assert(sizeof(NumberLayout) == 3 * sizeof(Pointer) + 0 * sizeof(Flag), "NumberLayout grew: add the member above");
static_assert(sizeof(SequenceLayout) == 14 * sizeof(Pointer) + 0 * sizeof(Flag), "SequenceLayout grew: add the member above");
static_assert(sizeof(DictLayout) == 14 * sizeof(Pointer) + 0 * sizeof(Flag), "DictLayout grew: add the member above");
static_assert(sizeof(FunctionLayout) == 10 * sizeof(Pointer) + 0 * sizeof(Flag), "FunctionLayout grew: add the member above");
static_assert(sizeof(ModuleLayout) == 2 * sizeof(Pointer) + 0 * sizeof(Flag), "ModuleLayout grew: add the member above");
static_assert(sizeof(DescriptorLayout) == 2 * sizeof(Pointer) + 0 * sizeof(Flag), "DescriptorLayout grew: add the member above");
static_assert(sizeof(WeakReferenceLayout) == 1 * sizeof(Pointer) + 0 * sizeof(Flag), "WeakReferenceLayout grew: add the member above");
static_assert(sizeof(ContextLayout) == 6 * sizeof(Pointer) + 0 * sizeof(Flag), "ContextLayout grew: add the member above");
static_assert(sizeof(TracebackLayout) == 4 * sizeof(Pointer) + 0 * sizeof(Flag), "TracebackLayout grew: add the member above");
static_assert(sizeof(ExceptionLayout) == 2 * sizeof(Pointer) + 0 * sizeof(Flag), "ExceptionLayout grew: add the member above");
static_assert(sizeof(FutureLayout) == 10 * sizeof(Pointer) + 1 * sizeof(Flag), "FutureLayout grew: add the member above");
static_assert(sizeof(TaskLayout) == 7 * sizeof(Pointer) + 1 * sizeof(Flag), "TaskLayout grew: add the member above");
static_assert(sizeof(AccelWrapperLayout) == 7 * sizeof(Pointer) + 0 * sizeof(Flag), "AccelWrapperLayout grew: add the member above");

}  // namespace asyncspy
