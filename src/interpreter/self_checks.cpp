#include "self_checks.h"

#include "number.h"

namespace asyncspy {

namespace {

// Empty when it is not imported, or is no module.
std::vector<DictEntry> read_module(CheckScope& scope, std::string_view module) {
  auto object = find_in_entries(scope.reader, scope.modules, module);
  if (!object || !*object) return {};
  auto type = scope.types.of(scope.reader, **object);
  if (!type || !scope.types.inherits(scope.reader, **type, "module")) return {};
  auto dict = scope.reader.read(**object, scope.reader.layout.module.dict);
  if (!dict) return {};
  return read_dict(scope.reader, *dict).value_or(std::vector<DictEntry>{});
}

}  // namespace

Address CheckScope::find(std::string_view module, std::string_view name) {
  auto known = contents.find(module);
  if (known == contents.end()) known = contents.emplace(module, read_module(*this, module)).first;
  auto found = find_in_entries(reader, known->second, name);
  return found && *found ? **found : Address{};
}

Result<CheckScope> open_scope(const ObjectReader& reader, Address runtime) {
  const PythonLayout& layout = reader.layout;
  ASYNCSPY_TRY(head, reader.read(runtime, layout.runtime.interpreters_head));
  if (head.is_null()) return fail(ErrorKind::kNotPython, "process: its Python interpreter is starting or has ended");
  CheckScope scope{.reader = reader, .types = {}, .runtime = runtime, .interpreter = head, .sys = {}, .modules = {}, .contents = {}};
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
