#include "callables.h"

#include "containers.h"
#include "text.h"

namespace asyncspy {
namespace {

constexpr int kMaxWrapping = 8;        // partial of a bound method of a partial ...
constexpr std::size_t kMaxCells = 64;

std::uint32_t function_name(Inspection& inspection, Address function) {
  auto name_at = inspection.reader.read(function, inspection.layout().function.function_qualified_name);
  return name_at ? find_name_of_text(inspection, *name_at) : kNoFunction;
}

void add_closure(Inspection& inspection, Address function, std::vector<Address>& holds) {
  auto closure = inspection.reader.read(function, inspection.layout().function.function_closure);
  if (!closure || closure->is_null()) return;
  auto cells = read_tuple(inspection.reader, *closure);
  if (!cells) return;
  for (std::size_t i = 0; i < cells->size() && i < kMaxCells; ++i) {
    auto value = inspection.reader.read((*cells)[i], inspection.layout().function.cell_value);
    if (value && !value->is_null()) holds.push_back(*value);
  }
}

std::uint32_t builtin_name(Inspection& inspection, Address builtin) {
  auto definition = inspection.reader.read(builtin, inspection.layout().function.builtin_definition);
  if (!definition) return kNoFunction;
  auto name_at = inspection.reader.memory.read_value<Address>(*definition);
  if (!name_at) return kNoFunction;
  auto name = read_c_string(inspection.reader.memory, *name_at, 128);
  return name ? inspection.names.index_of(*name) : kNoFunction;
}

void hold(const Result<Address>& value, std::vector<Address>& holds) {
  if (value && !value->is_null()) holds.push_back(*value);
}

}  // namespace

Callable describe_callable(Inspection& inspection, Address object) {
  const FunctionLayout& layout = inspection.layout().function;
  const AccelWrapperLayout& wrappers = inspection.layout().accel;
  Callable callable;
  const auto set_name = [&](std::uint32_t index) {
    callable.name_index = index;
    callable.name = inspection.names.name(index);
  };
  for (int depth = 0; depth < kMaxWrapping; ++depth) {
    auto type = inspection.types.of(inspection.reader, object);
    if (!type) return callable;
    const std::string& name = (*type)->name;
    if (name == "function") {
      set_name(function_name(inspection, object));
      add_closure(inspection, object, callable.holds);
      return callable;
    }
    if (name == "method") {
      set_name(inspection.names.index_of(name));
      hold(inspection.reader.read(object, layout.method_self), callable.holds);
      auto function = inspection.reader.read(object, layout.method_function);
      if (!function) return callable;
      object = *function;
      continue;
    }
    if (name == "functools.partial") {
      set_name(inspection.names.index_of(name));
      auto arguments = inspection.reader.read(object, layout.partial_arguments);
      auto items = arguments ? read_tuple(inspection.reader, *arguments) : Result<std::vector<Address>>{};
      if (items) callable.holds.insert(callable.holds.end(), items->begin(), items->end());
      auto function = inspection.reader.read(object, layout.partial_function);
      if (!function) return callable;
      object = *function;
      continue;
    }
    if (name == "builtin_function_or_method") {
      set_name(builtin_name(inspection, object));
      hold(inspection.reader.read(object, layout.builtin_self), callable.holds);
      return callable;
    }
    set_name(inspection.names.index_of(name));
    // The C accelerator's wrappers: a step of a task, and (3.7-3.9) its wake-up.
    if (name == "TaskStepMethWrapper" || name == "_asyncio.TaskStepMethWrapper") {
      hold(inspection.reader.read(object, wrappers.step_task), callable.holds);
    } else if ((name == "TaskWakeupMethWrapper" || name == "_asyncio.TaskWakeupMethWrapper") && wrappers.wakeup_task.present()) {
      hold(inspection.reader.read(object, wrappers.wakeup_task), callable.holds);
    }
    return callable;
  }
  return callable;
}

}  // namespace asyncspy
