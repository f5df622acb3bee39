// Checks against tp_members: tables in which built-in types say themselves where some of their members lie.
#include <fmt/format.h>

#include "fields.h"
#include "self_checks.h"
#include "text.h"

namespace asyncspy {
namespace {

// Include/structmember.h (descrobject.h from 3.12): name*, int type, Py_ssize_t offset, int flags, doc*.
constexpr std::uint64_t kEntrySize = 40;
constexpr int kMaxEntries = 64;

struct MemberFact {
  std::string_view module;
  std::string_view type;
  std::string_view member;
  std::string_view field;
  std::int32_t below = 0;  // the field lies this many bytes below the member
};

constexpr MemberFact kFacts[] = {
    {"types", "CodeType", "co_argcount", "code.argcount"},
    {"types", "CodeType", "co_posonlyargcount", "code.positional_only_count"},
    {"types", "CodeType", "co_kwonlyargcount", "code.keyword_only_count"},
    {"types", "CodeType", "co_nlocals", "code.local_count"},
    {"types", "CodeType", "co_flags", "code.flags"},
    {"types", "CodeType", "co_firstlineno", "code.first_line"},
    {"types", "CodeType", "co_filename", "code.file_name"},
    {"types", "CodeType", "co_name", "code.name"},
    {"types", "CodeType", "co_qualname", "code.qualified_name"},
    {"types", "CodeType", "co_linetable", "code.line_table"},
    {"types", "CodeType", "co_lnotab", "code.line_table"},
    {"types", "CodeType", "co_code", "code.bytecode"},
    {"types", "CodeType", "co_varnames", "code.variable_names"},
    {"types", "CodeType", "co_cellvars", "code.cell_names"},
    {"types", "CodeType", "co_freevars", "code.free_names"},
    {"types", "FrameType", "f_back", "frame_object.back"},
    {"types", "FrameType", "f_code", "frame_object.code"},
    {"types", "GeneratorType", "gi_frame", "generator.frame"},
    {"types", "GeneratorType", "gi_running", "generator.running"},
    {"types", "CoroutineType", "cr_origin", "generator.origin"},
    {"types", "FunctionType", "__closure__", "function.function_closure"},
    {"types", "MethodType", "__func__", "function.method_function"},
    {"types", "MethodType", "__self__", "function.method_self"},
    {"types", "TracebackType", "tb_frame", "traceback.frame"},
    {"types", "TracebackType", "tb_frame", "traceback.next", 8},  // tb_next comes before it (Include/cpython/traceback.h)
    {"types", "TracebackType", "tb_lasti", "traceback.last_instruction"},
    {"types", "TracebackType", "tb_lasti", "traceback.line", -4},  // tb_lineno comes after it
    {"types", "ModuleType", "__dict__", "module.dict"},
    {"builtins", "type", "__basicsize__", "type.basic_size"},
    {"builtins", "type", "__itemsize__", "type.item_size"},
    {"builtins", "type", "__flags__", "type.flags"},
    {"builtins", "type", "__dictoffset__", "type.dict_offset"},
    {"builtins", "type", "__base__", "type.base"},
    {"builtins", "type", "__mro__", "type.mro"},
    {"functools", "partial", "func", "function.partial_function"},
    {"functools", "partial", "args", "function.partial_arguments"},
    {"_weakref", "ReferenceType", "__callback__", "weak_reference.object", 8},
    {"_contextvars", "ContextVar", "name", "context.variable_name"},
};

Result<std::optional<std::int64_t>> find_member(CheckScope& scope, const Type& type, std::string_view name) {
  for (int i = 0; i < kMaxEntries && !type.members.is_null(); ++i) {
    Address entry = type.members + static_cast<std::uint64_t>(i) * kEntrySize;
    ASYNCSPY_TRY(name_at, scope.reader.memory.read_value<Address>(entry));
    if (name_at.is_null()) break;
    ASYNCSPY_TRY(member, read_c_string(scope.reader.memory, name_at, 48));
    if (member != name) continue;
    ASYNCSPY_TRY(offset, scope.reader.memory.read_value<std::int64_t>(entry + 16));
    return std::optional{offset};
  }
  return std::optional<std::int64_t>{};
}

SelfCheck check_fact(CheckScope& scope, const MemberFact& fact, std::int32_t offset) {
  SelfCheck check{std::string(fact.field), CheckResult::kPassed, {}};
  Address type_at = scope.find(fact.module, fact.type);
  if (type_at.is_null()) return {check.subject, CheckResult::kSkipped, fmt::format("{} is not imported", fact.module)};
  auto type = scope.types.find(scope.reader, type_at);
  if (!type) return {check.subject, CheckResult::kFailed, type.error().what};
  auto member = find_member(scope, **type, fact.member);
  if (!member && scope.reader.memory.is_partial()) return {check.subject, CheckResult::kSkipped, "its memory was not copied"};
  if (!member) return {check.subject, CheckResult::kFailed, member.error().what};
  bool is_always_there = fact.member == "co_argcount";
  if (!*member && is_always_there) return {check.subject, CheckResult::kFailed, "the member table of code objects is not found"};
  if (!*member) return {check.subject, CheckResult::kSkipped, fmt::format("{} lists no {}", (*type)->name, fact.member)};
  std::int64_t found = **member - fact.below;
  if (found == offset) {
    check.detail = fmt::format("{} by tp_members of {}", offset, (*type)->name);
  } else {
    check.result = CheckResult::kFailed;
    check.detail = fmt::format("{} by the layout, {} by tp_members of {}", offset, found, (*type)->name);
  }
  return check;
}

}  // namespace

void check_members(CheckScope& scope, std::vector<SelfCheck>& checks) {
  for (const MemberFact& fact : kFacts) {
    std::int32_t offset = offset_by_name(scope.reader.layout, fact.field);
    if (offset < 0) continue;  // absent in this release
    checks.push_back(check_fact(scope, fact, offset));
  }
}

}  // namespace asyncspy
