// Stacks with the calls of machine code between Python's frames. How the interpreter itself calls is left out, as it is the
// same everywhere: --all shows it.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "escape.h"
#include "stack_rows.h"
#include "text_sections.h"

namespace asyncspy {
namespace {

constexpr std::size_t kFunctionColumns = 60;

// How CPython calls anything: Objects/call.c, Objects/methodobject.c, Objects/descrobject.c, Objects/classobject.c,
// Python/ceval.c and its generated parts.
constexpr std::array kMachinery = std::to_array<std::string_view>(
    {"_PyFunction_Vectorcall", "_PyFunction_FastCallDict", "_PyFunction_FastCallKeywords", "_PyFunction_FastCall", "function_code_fastcall",
     "_PyEval_Vector", "_PyEval_EvalFrame", "_PyEval_EvalCode", "_PyEval_EvalCodeWithName", "PyEval_EvalCodeEx", "call_function",
     "PyObject_Vectorcall", "_PyObject_Vectorcall", "_PyObject_VectorcallTstate", "PyObject_VectorcallMethod", "_PyObject_Call", "PyObject_Call",
     "PyObject_CallOneArg", "PyObject_CallNoArgs", "PyObject_CallObject", "PyObject_CallFunctionObjArgs", "PyObject_CallMethodObjArgs",
     "_PyObject_MakeTpCall", "_PyObject_FastCallDict", "_PyObject_FastCallDictTstate", "_PyObject_FastCallKeywords", "_PyObject_Call_Prepend",
     "_PyMethodDef_RawFastCallKeywords", "_PyMethodDef_RawFastCallDict", "_PyCFunction_FastCallKeywords", "_PyCFunction_FastCallDict",
     "_PyMethodDescr_FastCallKeywords", "_PyMethodDescr_Vectorcall", "PyVectorcall_Call", "_PyVectorcall_Call", "method_vectorcall", "method_call",
     "cfunction_call", "cfunction_call_varargs", "cfunction_vectorcall_FASTCALL", "cfunction_vectorcall_FASTCALL_KEYWORDS",
     "cfunction_vectorcall_FASTCALL_KEYWORDS_METHOD", "cfunction_vectorcall_NOARGS", "cfunction_vectorcall_O", "method_vectorcall_FASTCALL",
     "method_vectorcall_FASTCALL_KEYWORDS", "method_vectorcall_FASTCALL_KEYWORDS_METHOD", "method_vectorcall_NOARGS", "method_vectorcall_O",
     "method_vectorcall_VARARGS", "method_vectorcall_VARARGS_KEYWORDS", "_Py_VectorCall_StackRefSteal", "_Py_BuiltinCallFast_StackRef",
     "_Py_BuiltinCallFastWithKeywords_StackRef", "_Py_VectorCallInstrumentation_StackRefSteal", "do_call_core", "PyCFunction_Call",
     "gen_send_ex", "gen_send_ex2", "PyGen_am_send", "PyIter_Send", "_PyGen_Send"});

bool is_machinery(const TextPage& page, const NativeCall& call) {
  if (call.runs_python) return true;
  if (call.frame.module != page.report().python.library) return false;
  return std::ranges::find(kMachinery, call.frame.function) != kMachinery.end();
}

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

StackRow make_native_row(const TextPage& page, const NativeCall& call) {
  StackRow row;
  row.kind = kNativeKind;
  row.library = true;
  const bool has_module = !call.frame.module.empty();
  row.function = call.frame.function.empty() ? "(no symbol)" : page.safe(call.frame.function, kFunctionColumns);
  row.location = has_module ? escape_for_terminal(base_name(call.frame.module)) : "(no file)";
  if (call.frame.is_signal_frame) row.function = "(a signal)";
  if (!has_module) row.location += fmt::format(" 0x{:x}", call.frame.instruction.value());
  if (has_module && call.frame.function.empty()) row.location += fmt::format("+0x{:x}", call.frame.offset);
  return row;
}

// Neighbours without a name in the same file are one row.
void add_native_row(const TextPage& page, const NativeCall& call, const NativeCall* last, std::vector<StackRow>& rows) {
  const bool is_joined = !page.all() && last != nullptr && call.frame.function.empty() && last->frame.function.empty() &&
                         !call.frame.module.empty() && call.frame.module == last->frame.module;
  if (!is_joined) {
    rows.push_back(make_native_row(page, call));
    return;
  }
  rows.back().location = escape_for_terminal(base_name(call.frame.module));
  ++rows.back().repeats;
}

// The calls outside of which `python_frames` frames of the thread lie.
void add_calls(const TextPage& page, const NativeCalls& native, std::size_t python_frames, std::vector<StackRow>& rows) {
  const NativeCall* last = nullptr;
  for (const NativeCall& call : native.calls) {
    if (call.python_frames != python_frames) continue;
    if (!page.all() && is_machinery(page, call)) continue;
    add_native_row(page, call, last, rows);
    last = &call;
  }
}

// Where a task's stack begins on that of its thread.
std::size_t find_start(const Thread& thread, const std::vector<Frame>& stack) {
  if (&stack == &thread.stack || stack.empty()) return 0;
  const auto found = std::ranges::find_if(thread.stack, [&](const Frame& frame) {
    return !stack.front().object.is_null() && frame.object == stack.front().object;
  });
  return static_cast<std::size_t>(found - thread.stack.begin());
}

void put_apart(TextPage& page, const NativeCalls& native, std::size_t indent) {
  std::vector<StackRow> rows;
  const NativeCall* last = nullptr;
  for (const NativeCall& call : native.calls) {
    if (!page.all() && is_machinery(page, call)) continue;
    add_native_row(page, call, last, rows);
    last = &call;
  }
  page.line(std::string(indent, ' ') + page.paint(Role::kWarning, "its calls in C, apart because " + page.safe(native.apart)));
  put_rows(page, rows, indent, true);
}

}  // namespace

void put_thread_stack(TextPage& page, const Thread& thread, const std::vector<Frame>& stack, std::size_t indent) {
  const std::size_t start = find_start(thread, stack);
  if (!thread.native || start + stack.size() > thread.stack.size()) return put_stack(page, stack, indent);
  const NativeCalls& native = *thread.native;
  const bool is_whole = start == 0;
  if (!native.problem.empty() && (is_whole || !native.apart.empty())) {
    page.line(std::string(indent, ' ') + page.paint(Role::kDim, "(calls in C further out are not known: " + page.safe(native.problem) + ")"));
  }
  if (!native.apart.empty()) {
    put_stack(page, stack, indent);
    return put_apart(page, native, indent);
  }
  std::vector<StackRow> rows;
  // How the interpreter was started is of interest only where it executes nothing.
  if (is_whole && (page.all() || stack.empty())) add_calls(page, native, 0, rows);
  for (std::size_t i = 0; i < stack.size(); ++i) {
    add_row(page, stack, i, rows);
    const bool goes_on = start + i + 1 < thread.stack.size();
    if (i + 1 < stack.size() || !goes_on) add_calls(page, native, start + i + 1, rows);
  }
  put_rows(page, rows, indent, true);
}

}  // namespace asyncspy
