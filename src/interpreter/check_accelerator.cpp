// Checks of _asyncio.Future and _asyncio.Task: their size, and the machine code of their getters and methods.
#include <algorithm>

#include <fmt/format.h>

#include "fields.h"
#include "instructions.h"
#include "self_checks.h"
#include "text.h"
#include "validate.h"

namespace asyncspy {
namespace {

constexpr int kMaxEntries = 96;
constexpr std::int32_t kFirstMember = 16;  // after the object's header
constexpr std::uint64_t kGetterEntrySize = 40;  // PyGetSetDef: name*, get*, set*, doc*, closure*
constexpr std::uint64_t kMethodEntrySize = 32;  // PyMethodDef: name*, function*, flags, doc*

// Modules/_asynciomodule.c: which function reads which member. A getter returns its member last.
struct Accessor {
  std::string_view name;
  std::string_view field;
  bool is_method = false;
};
constexpr Accessor kAccessors[] = {
    {"_loop", "future.loop"},
    {"_callbacks", "future.callback0"},
    {"_callbacks", "future.callbacks"},
    {"_state", "future.state"},
    {"_result", "future.result"},
    {"_exception", "future.exception"},
    {"_source_traceback", "future.source_traceback"},
    {"_log_traceback", "future.log_traceback"},
    {"_asyncio_awaited_by", "future.awaited_by"},
    {"_coro", "task.coroutine"},
    {"_fut_waiter", "task.waiter"},
    {"_must_cancel", "task.must_cancel"},
    {"get_name", "task.name", true},
    {"cancelling", "task.cancel_requests", true},
    {"get_context", "task.context", true},
};

Result<Address> find_in_table(CheckScope& scope, Address table, std::uint64_t entry_size, std::string_view name) {
  for (int i = 0; i < kMaxEntries && !table.is_null(); ++i) {
    Address entry = table + static_cast<std::uint64_t>(i) * entry_size;
    ASYNCSPY_TRY(name_at, scope.reader.memory.read_value<Address>(entry));
    if (name_at.is_null()) break;
    ASYNCSPY_TRY(found, read_c_string(scope.reader.memory, name_at, 48));
    if (found == name) return scope.reader.memory.read_value<Address>(entry + 8);
  }
  return Address{};
}

constexpr Accessor kCoroutineAccessors[] = {
    {"__name__", "generator.name"},
    {"__qualname__", "generator.qualified_name"},
    {"cr_running", "generator.frame_state"},
};

struct AcceleratorTypes {
  const Type* task = nullptr;
  const Type* future = nullptr;
};

Result<AcceleratorTypes> find_types(CheckScope& scope) {
  Address task = scope.find("_asyncio", "Task");
  Address future = scope.find("_asyncio", "Future");
  if (task.is_null() || future.is_null()) return AcceleratorTypes{};
  ASYNCSPY_TRY(task_type, scope.types.find(scope.reader, task));
  ASYNCSPY_TRY(future_type, scope.types.find(scope.reader, future));
  return AcceleratorTypes{task_type, future_type};
}

// What the accessor reads of the object; empty when the release has no such accessor.
Result<std::vector<ArgumentAccess>> read_accessor(CheckScope& scope, const AcceleratorTypes& types, const Accessor& accessor) {
  for (const Type* type : {types.task, types.future}) {
    ASYNCSPY_TRY(methods, scope.reader.read(type->address, scope.reader.layout.type.methods));
    ASYNCSPY_TRY(function, accessor.is_method ? find_in_table(scope, methods, kMethodEntrySize, accessor.name)
                                              : find_in_table(scope, type->getset, kGetterEntrySize, accessor.name));
    if (!function.is_null()) return find_argument_accesses(scope.reader.memory, function);
  }
  return std::vector<ArgumentAccess>{};
}

bool touches(const std::vector<ArgumentAccess>& accesses, std::int32_t offset) {
  return std::any_of(accesses.begin(), accesses.end(), [&](const ArgumentAccess& access) { return access.offset == offset; });
}

SelfCheck check_size(std::string subject, std::int32_t expected, const Type& type) {
  if (type.basic_size == expected) return {std::move(subject), CheckResult::kPassed, fmt::format("{} by tp_basicsize", expected)};
  return {std::move(subject), CheckResult::kFailed, fmt::format("{} by the layout, {} by tp_basicsize of {}", expected, type.basic_size, type.name)};
}

// Where accessors are looked up; what is missing there would pass as a release without it.
void add_tables_check(CheckScope& scope, const Type& future, std::vector<SelfCheck>& checks) {
  auto methods = scope.reader.read(future.address, scope.reader.layout.type.methods);
  auto getter = find_in_table(scope, future.getset, kGetterEntrySize, "_state");
  auto method = methods ? find_in_table(scope, *methods, kMethodEntrySize, "set_result") : Result<Address>{Address{}};
  bool good = getter && method && !getter->is_null() && !method->is_null();
  checks.push_back({"getters and methods of _asyncio.Future", good ? CheckResult::kPassed : CheckResult::kFailed,
                    good ? "" : "_state or set_result is not found"});
}

std::string list_offsets(const std::vector<ArgumentAccess>& accesses) {
  std::string text;
  for (const ArgumentAccess& access : accesses) text += fmt::format("{}{}", text.empty() ? "" : ", ", access.offset);
  return text.empty() ? "nothing" : text;
}

void add_accessor_check(const Accessor& accessor, std::int32_t offset, const Result<std::vector<ArgumentAccess>>& accesses,
                        std::vector<SelfCheck>& checks) {
  std::string subject(accessor.field);
  if (!accesses) {
    checks.push_back({subject, CheckResult::kSkipped, "its accessor can not be read: " + accesses.error().what});
  } else if (accesses->empty()) {
    checks.push_back({subject, CheckResult::kSkipped, fmt::format("no accessor {} tells it", accessor.name)});
  } else if (touches(*accesses, offset)) {
    checks.push_back({subject, CheckResult::kPassed, fmt::format("{} by the code of {}", offset, accessor.name)});
  } else {
    checks.push_back({subject, CheckResult::kFailed,
                      fmt::format("{} by the layout, the code of {} touches {}", offset, accessor.name, list_offsets(*accesses))});
  }
}

}  // namespace

// The same for coroutines: their name getters and cr_running (Objects/genobject.c).
void check_coroutine_getters(CheckScope& scope, std::vector<SelfCheck>& checks) {
  Address coroutine = scope.find("types", "CoroutineType");
  if (coroutine.is_null()) return;
  auto type = scope.types.find(scope.reader, coroutine);
  if (!type) return;
  for (const Accessor& accessor : kCoroutineAccessors) {
    std::int32_t offset = offset_by_name(scope.reader.layout, accessor.field);
    if (offset < 0) continue;
    auto function = find_in_table(scope, (*type)->getset, kGetterEntrySize, accessor.name);
    if (!function || function->is_null()) continue;
    add_accessor_check(accessor, offset, find_argument_accesses(scope.reader.memory, *function), checks);
  }
}

void check_accelerator(CheckScope& scope, std::vector<SelfCheck>& checks) {
  auto types = find_types(scope);
  if (!types) {
    checks.push_back({"_asyncio", CheckResult::kFailed, types.error().what});
    return;
  }
  if (types->task == nullptr) {
    checks.push_back({"_asyncio", CheckResult::kSkipped, "not imported"});
    return;
  }
  const PythonLayout& layout = scope.reader.layout;
  checks.push_back(check_size("task.size", layout.task.size, *types->task));
  checks.push_back(check_size("future.size", layout.future.size, *types->future));
  bool in_order = layout.future.callbacks.offset == layout.future.callback0.offset + 16;  // its context lies between
  checks.push_back({"future.callback0", in_order ? CheckResult::kPassed : CheckResult::kFailed, in_order ? "" : "it does not precede the list of callbacks"});
  add_tables_check(scope, *types->future, checks);
  for (const Accessor& accessor : kAccessors) {
    std::int32_t offset = offset_by_name(layout, accessor.field);
    if (offset < 0) continue;
    auto accesses = read_accessor(scope, *types, accessor);
    add_accessor_check(accessor, offset, accesses, checks);
  }
}

Result<std::vector<std::string>> adopt_getters(CheckScope& scope, PythonLayout& layout) {
  ASYNCSPY_TRY(types, find_types(scope));
  if (types.task == nullptr) return fail(ErrorKind::kNotPython, "_asyncio is not imported");
  std::vector<std::string> adopted;
  std::string implausible;
  auto adopt = [&](std::string_view field, std::int32_t& offset, std::int32_t value) {
    if (offset == value || offset < 0) return;
    if (value < kFirstMember || value > kLargestObjectView - 8) {  // the code is the target's: it may say anything
      implausible = fmt::format("{} at {}", field, value);
      return;
    }
    adopted.push_back(fmt::format("{} {} -> {}", field, offset, value));
    offset = value;
  };
  for (const Accessor& accessor : kAccessors) {
    if (offset_by_name(layout, accessor.field) < 0 || accessor.field == "future.callback0") continue;  // it is not returned last
    ASYNCSPY_TRY(accesses, read_accessor(scope, types, accessor));
    if (accesses.empty()) continue;
    const ArgumentAccess& last = accesses.back();
    for_each_field(layout, [&]<class F>(std::string_view name, F& field) {
      if (name != accessor.field) return;
      if constexpr (std::is_same_v<F, Flag>) {
        adopt(name, field.offset, last.offset);
        if (last.bit_mask != 0 && last.size == 1) field.mask = last.bit_mask;
      } else if constexpr (!std::is_same_v<F, std::int32_t>) {
        adopt(name, field.offset, last.offset);
      }
    });
  }
  // callbacks are kept as first one, its context, and a list of the rest, in this order since 3.7.
  adopt("future.callback0", layout.future.callback0.offset, layout.future.callbacks.offset - 16);
  adopt("task.size", layout.task.size, static_cast<std::int32_t>(types.task->basic_size));
  adopt("future.size", layout.future.size, static_cast<std::int32_t>(types.future->basic_size));
  if (!implausible.empty()) return fail(ErrorKind::kCorrupt, "the getters of _asyncio.Task make no sense: " + implausible);
  return adopted;
}

}  // namespace asyncspy
