// Where CPython keeps things: one plain struct for each CPython type, with the offset of every member that asyncspy
// reads, and a named enum for each behaviour that differs between releases.
//
// This header holds no numbers. versions/ has one file per release with all of them; a release that lacks a member
// writes `absent`. fields.h enumerates the members; is_complete() there makes a forgotten one fail the compile.
// Readers ask for a field or switch on a behaviour; nobody outside this folder asks for a version.
#pragma once

#include <cstdint>
#include <string_view>

#include "address.h"

namespace asyncspy {

inline constexpr std::int32_t kUnsetOffset = -2;
inline constexpr std::int32_t kAbsentOffset = -1;

struct AbsentField {};
inline constexpr AbsentField absent{};

// The offset, in bytes from the start of its struct, of a member that is read as a T.
template <class T>
struct Field {
  using Value = T;
  std::int32_t offset = kUnsetOffset;

  constexpr Field() = default;
  constexpr Field(std::int32_t at) : offset(at) {}            // NOLINT: `.next = 8` is how version files read
  constexpr Field(AbsentField) : offset(kAbsentOffset) {}     // NOLINT
  [[nodiscard]] constexpr bool present() const { return offset >= 0; }
  [[nodiscard]] constexpr bool is_set() const { return offset != kUnsetOffset; }
};

// A truth value: an int of its own, or a bit field. Read as 32 bits at `offset`, then masked.
struct Flag {
  std::int32_t offset = kUnsetOffset;
  std::uint32_t mask = 0;
};

using Pointer = Field<Address>;
using Bytes = Field<std::uint8_t>;   // start of inline data
using Int32 = Field<std::int32_t>;
using UInt32 = Field<std::uint32_t>;
using Int64 = Field<std::int64_t>;
using UInt64 = Field<std::uint64_t>;
using Int8 = Field<std::int8_t>;
using UInt8 = Field<std::uint8_t>;
using Double = Field<double>;

// _PyRuntimeState
struct RuntimeLayout {
  Pointer interpreters_head;
  Pointer gil_last_holder;  // 3.7-3.11; later per interpreter, see GilLayout
  Int32 gil_locked;
};

// PyInterpreterState
struct InterpreterLayout {
  Pointer next;
  Int64 id;
  Pointer threads_head;
  Pointer modules;
  Pointer sysdict;
  Pointer builtins;
  Pointer gil;         // 3.12+: pointer to struct _gil_runtime_state
  Bytes tasks_head;    // 3.14+: list of tasks whose thread ended
};

// struct _gil_runtime_state, where an interpreter points to one (3.12+)
struct GilLayout {
  Pointer last_holder;
  Int32 locked;
};

// PyThreadState, with the _PyThreadStateImpl that follows it from 3.13
struct ThreadLayout {
  Pointer next;
  Pointer interpreter;
  Pointer frame;          // PyFrameObject (3.7-3.10), _PyCFrame (3.11-3.12), _PyInterpreterFrame (3.13+)
  Pointer dict;
  UInt64 thread_id;         // pthread_self
  UInt64 native_thread_id;  // tid as the target sees it (3.11+)
  Pointer context;
  Pointer running_loop;   // 3.13+
  Pointer running_task;   // 3.14+
  Bytes tasks_head;       // 3.14+
};

// _PyCFrame (3.11-3.12)
struct CFrameLayout {
  Pointer current_frame;
  Pointer previous;  // lies on the stack of the machine, as the cframe itself: one for each call of the evaluation loop
};

// _PyInterpreterFrame (3.11+)
struct InterpreterFrameLayout {
  Pointer executable;   // the code object
  Pointer previous;
  Pointer function;
  Pointer instruction;  // prev_instr or instr_ptr, see InstructionPointer
  Int32 stack_top;      // index into localsplus (3.11-3.13)
  Pointer stack_pointer;  // address past the top (3.14+)
  Int8 owner;
  Bytes localsplus;
  std::int32_t size = kUnsetOffset;
};

// PyFrameObject
struct FrameObjectLayout {
  Pointer back;
  Pointer code;             // 3.7-3.10, like all but `frame`
  Pointer value_stack;
  Pointer stack_top;        // 3.7-3.9: address past the top, null while running
  Int32 stack_depth;        // 3.10
  Pointer generator;
  Int32 last_instruction;
  Int8 state;               // 3.10
  Bytes localsplus;
  Pointer frame;            // 3.11+: the _PyInterpreterFrame
};

// PyCodeObject
struct CodeLayout {
  Int32 argcount;
  Int32 positional_only_count;
  Int32 keyword_only_count;
  Int32 local_count;
  Int32 flags;
  Int32 first_line;
  Pointer file_name;
  Pointer name;
  Pointer qualified_name;  // 3.11+
  Pointer line_table;      // co_lnotab (3.7-3.9), co_linetable
  Pointer bytecode;        // PyBytes (3.7-3.10)
  Bytes inline_bytecode;   // 3.11+
  Int64 code_units;        // ob_size, 3.11+
  Int32 first_traceable;   // _co_firsttraceable, 3.11+
  Pointer variable_names;  // 3.7-3.10
  Pointer cell_names;
  Pointer free_names;
  Pointer localsplus_names;  // 3.11+
  Pointer localsplus_kinds;
  std::int32_t size = kUnsetOffset;
};

// PyGenObject, PyCoroObject and PyAsyncGenObject share these
struct GeneratorLayout {
  Pointer frame;          // 3.7-3.10
  Int8 running;           // 3.7-3.9
  Pointer name;
  Pointer qualified_name;
  Int8 frame_state;       // 3.11+
  Bytes inline_frame;     // 3.11+
  Pointer handled_exception;  // the exception whose handler it is suspended in
  Pointer origin;         // cr_origin of a coroutine
  std::int32_t size = kUnsetOffset;
};

// Small awaitables and wrappers: where each keeps what it delegates to
struct AwaitableLayout {
  Pointer asend_generator;
  Pointer athrow_generator;
  Pointer coroutine_wrapper_coroutine;
  Pointer anext_wrapped;  // 3.10+
  Pointer future_iterator_future;
};

struct ObjectLayout {
  Int64 reference_count;
  Pointer type;
  Int64 var_size;
};

struct TypeLayout {
  Pointer name;  // char*
  Int64 basic_size;
  Int64 item_size;
  UInt64 flags;
  Pointer methods;
  Pointer members;
  Pointer getset;
  Pointer base;
  Pointer dict;
  Int64 dict_offset;
  Pointer mro;
  Pointer cached_keys;      // heap types
  Pointer qualified_name;   // heap types
  std::int32_t size = kUnsetOffset;
};

struct TextLayout {
  Int64 length;
  UInt32 state;
  Bytes ascii_data;
  Bytes compact_data;
  Pointer legacy_data;

  // PyASCIIObject.hash follows the length (Include/cpython/unicodeobject.h, 3.7 to 3.15); -1: not calculated yet.
  [[nodiscard]] Int64 hash() const {
    Int64 field;
    field.offset = length.offset + 8;
    return field;
  }
};

struct NumberLayout {
  Int64 integer_tag;  // ob_size (signed digit count) or lv_tag, see IntegerCoding
  Bytes digits;
  Double float_value;
};

struct SequenceLayout {
  Int64 bytes_size;
  Bytes bytes_data;
  Int64 tuple_size;
  Bytes tuple_items;
  Int64 list_size;
  Pointer list_items;
  Int64 deque_size;
  Pointer deque_left_block;
  Pointer deque_right_block;
  Int64 deque_left_index;
  Int64 deque_right_index;
  Int64 deque_state;  // counts all that was ever added and taken
  Bytes deque_block_items;
  Pointer deque_block_right;
};

struct DictLayout {
  Int64 used;
  Pointer keys;
  Pointer values;
  Int64 keys_size;           // dk_size (3.7-3.10)
  UInt8 keys_log2_size;      // 3.11+
  UInt8 keys_log2_index_bytes;
  UInt8 keys_kind;
  Int64 keys_used_entries;   // dk_nentries
  Bytes keys_indices;
  Bytes values_first;        // first pointer of a split dictionary's values
  UInt8 values_valid;        // inline values (3.13+)
  Int64 set_used;
  Int64 set_mask;
  Pointer set_table;
};

struct FunctionLayout {
  Pointer function_code;
  Pointer function_closure;
  Pointer function_qualified_name;
  Pointer cell_value;
  Pointer method_function;
  Pointer method_self;
  Pointer builtin_definition;
  Pointer builtin_self;
  Pointer partial_function;
  Pointer partial_arguments;
};

struct ModuleLayout {
  Pointer dict;
  Pointer state;
};

struct DescriptorLayout {
  Pointer member;         // PyMemberDescrObject.d_member
  Int64 member_offset;    // PyMemberDef.offset
};

struct WeakReferenceLayout {
  Pointer object;
};

struct ContextLayout {
  Pointer variables;      // PyContext.ctx_vars
  Pointer variable_name;  // PyContextVar.var_name
  Pointer hamt_root;      // of a PyHamtObject, and where its three kinds of nodes keep their items
  Bytes bitmap_items;
  Bytes array_items;
  Bytes collision_items;
};

// PyBaseExceptionObject
struct ExceptionLayout {
  Pointer arguments;
  Pointer traceback;
};

// PyTracebackObject
struct TracebackLayout {
  Pointer next;            // towards where the exception was raised
  Pointer frame;           // a PyFrameObject
  Int32 last_instruction;  // bytes
  Int32 line;              // negative: to be worked out of the instruction
};

// _asyncio.Future, and the common part of _asyncio.Task
struct FutureLayout {
  Pointer loop;
  Pointer callback0;
  Pointer callbacks;
  Pointer exception;
  Pointer result;
  Pointer source_traceback;
  UInt32 state;
  Flag log_traceback;
  Pointer awaited_by;       // 3.14+
  UInt8 awaited_by_is_set;  // 3.14+
  std::int32_t size = kUnsetOffset;
};

// _asyncio.Task
struct TaskLayout {
  Pointer waiter;  // _fut_waiter
  Pointer coroutine;
  Pointer context;
  Pointer name;    // 3.8+
  Flag must_cancel;
  Int32 cancel_requests;  // 3.11+
  Bytes node;             // 3.14+: link of the task lists
  std::int32_t size = kUnsetOffset;
};

// Helpers of the C accelerator
struct AccelWrapperLayout {
  Pointer step_task;      // TaskStepMethWrapper.sw_task
  Pointer wakeup_task;    // TaskWakeupMethWrapper.ww_task (3.7-3.9)
  Pointer holder_loop;    // PyRunningLoopHolder.rl_loop (3.7-3.11)
  Int32 holder_pid;
  Pointer foreign_tasks;        // asyncio_state.non_asyncio_tasks (3.14+)
  Pointer foreign_eager_tasks;  // asyncio_state.non_asyncio_eager_tasks (3.14+)
  Bytes debug_offsets;          // asyncio_state.debug_offsets (3.14+): pointer to the .AsyncioDebug table
};

enum class ThreadFrame : std::uint8_t { kFrameObject, kCFrame, kInterpreterFrame };
enum class InstructionPointer : std::uint8_t {
  kLastBytes,         // f_lasti counts bytes
  kLastUnits,         // f_lasti counts 2-byte units
  kAddress,           // the address of the executed instruction
};
enum class LineTable : std::uint8_t { kLnotab, kRanges, kLocations };
// How a suspended generator says what it delegates to.
enum class Delegate : std::uint8_t {
  kYieldFromStackTop,    // next opcode is YIELD_FROM: *(f_stacktop - 1)
  kYieldFromStackDepth,  // next opcode is YIELD_FROM: f_valuestack[f_stackdepth - 1]
  kResumeArgument,       // next instruction is RESUME with an argument >= 2: localsplus[stacktop - 1]
  kFrameState,           // the frame state says so: localsplus[stacktop - 1]
  kStackPointer,         // likewise: stackpointer[-1], tagged
  kStackPointerBelow,    // likewise: stackpointer[-2], tagged
};
enum class TaskEnumeration : std::uint8_t { kAllTasksSet, kScheduledAndEager, kLinkedLists };
enum class RunningLoop : std::uint8_t { kThreadDictHolder, kThreadDictLoop, kThreadState };
enum class InstanceDict : std::uint8_t {
  kDictOffset,      // tp_dictoffset
  kTwoWords,        // managed: dict pointer 24 bytes before the object, values pointer 32 before
  kTaggedWord,      // managed: one word 24 bytes before; low bit set means values
  kInlineValues,    // managed: dict pointer 24 bytes before, else values inside the object
};
enum class DictKeys : std::uint8_t { kSized, kKinds };
enum class IntegerCoding : std::uint8_t { kSignedSize, kTagged };
enum class StackReferences : std::uint8_t { kPlain, kTagged };
enum class GeneratorState : std::uint8_t { kFrameAndRunningFlag, kFrameObjectState, kOwnState };

// Values of gi_frame_state, or of PyFrameObject.f_state in 3.10.
struct FrameStates {
  std::int8_t created = 0;
  std::int8_t suspended = 0;             // at a plain yield
  std::int8_t suspended_yield_from = 0;  // equal to `suspended` where the release does not tell them apart
  std::int8_t executing = 0;
  std::int8_t first_finished = 0;        // this and all above: completed, cleared
};

struct PythonLayout {
  std::uint8_t minor = 0;  // 3.minor
  std::string_view measured_from;

  RuntimeLayout runtime;
  InterpreterLayout interpreter;
  GilLayout gil;
  ThreadLayout thread;
  CFrameLayout cframe;
  InterpreterFrameLayout frame;
  FrameObjectLayout frame_object;
  CodeLayout code;
  GeneratorLayout generator;
  AwaitableLayout awaitable;
  ObjectLayout object;
  TypeLayout type;
  TextLayout text;
  NumberLayout number;
  SequenceLayout sequence;
  DictLayout dict;
  FunctionLayout function;
  ModuleLayout module;
  DescriptorLayout descriptor;
  WeakReferenceLayout weak_reference;
  ContextLayout context;
  ExceptionLayout exception;
  TracebackLayout traceback;
  FutureLayout future;
  TaskLayout task;
  AccelWrapperLayout accel;

  ThreadFrame thread_frame{};
  InstructionPointer instruction_pointer{};
  LineTable line_table{};
  Delegate delegate{};
  TaskEnumeration task_enumeration{};
  RunningLoop running_loop{};
  InstanceDict instance_dict{};
  DictKeys dict_keys{};
  IntegerCoding integer_coding{};
  StackReferences stack_references{};
  GeneratorState generator_state{};
  FrameStates frame_states{};
  std::int8_t first_shim_owner = 127;  // frame owners from here on have no code of their own and are skipped
  std::uint8_t yield_from_opcode = 0;  // kYieldFrom...
};

}  // namespace asyncspy
