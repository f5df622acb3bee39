#include "self_checks.h"

#include "number.h"

namespace asyncspy {

Address CheckScope::find(std::string_view module, std::string_view name) {
  auto object = find_in_entries(reader, modules, module);
  if (!object || !*object) return {};
  auto type = types.of(reader, **object);
  if (!type || !types.inherits(reader, **type, "module")) return {};
  auto dict = reader.read(**object, reader.layout.module.dict);
  if (!dict) return {};
  auto found = find_in_dict(reader, *dict, name);
  return found && *found ? **found : Address{};
}

Result<CheckScope> open_scope(const ObjectReader& reader, Address runtime) {
  const PythonLayout& layout = reader.layout;
  ASYNCSPY_TRY(head, reader.read(runtime, layout.runtime.interpreters_head));
  if (head.is_null()) return fail(ErrorKind::kNotPython, "process: its Python interpreter is starting or has ended");
  CheckScope scope{.reader = reader, .types = {}, .runtime = runtime, .interpreter = head, .sys = {}, .modules = {}};
  ASYNCSPY_TRY(sysdict, reader.read(head, layout.interpreter.sysdict));
  ASYNCSPY_TRY(sys, read_dict(reader, sysdict));
  scope.sys = std::move(sys);
  ASYNCSPY_TRY(modules_at, reader.read(head, layout.interpreter.modules));
  ASYNCSPY_TRY(modules, read_dict(reader, modules_at));
  scope.modules = std::move(modules);
  return scope;
}

Result<std::uint32_t> check_version_of_sys(CheckScope& scope) {
  ASYNCSPY_TRY(stated, find_in_entries(scope.reader, scope.sys, "hexversion"));
  ASYNCSPY_TRY(sys_modules, find_in_entries(scope.reader, scope.sys, "modules"));
  if (!stated || !sys_modules) return fail(ErrorKind::kCorrupt, "sys has no hexversion or no modules");
  ASYNCSPY_TRY(version, read_integer(scope.reader, *stated));
  if ((version >> 24) != 3 || ((version >> 16) & 0xFF) != scope.reader.layout.minor) {
    return fail(ErrorKind::kCorrupt, "sys.hexversion is of another release");
  }
  ASYNCSPY_TRY(modules, scope.reader.read(scope.interpreter, scope.reader.layout.interpreter.modules));
  if (*sys_modules != modules) return fail(ErrorKind::kCorrupt, "sys.modules is not the interpreter's table of modules");
  return static_cast<std::uint32_t>(version);
}

}  // namespace asyncspy
