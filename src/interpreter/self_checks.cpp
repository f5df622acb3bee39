#include "self_checks.h"

#include "number.h"

namespace asyncspy {

namespace {

// Null when it is not imported, or is no module.
Address find_dictionary(CheckScope& scope, std::string_view module) {
  auto object = find_in_dict(scope.reader, scope.modules, module);
  if (!object || !*object) return {};
  auto type = scope.types.of(scope.reader, **object);
  if (!type || !scope.types.inherits(scope.reader, **type, "module")) return {};
  return scope.reader.read(**object, scope.reader.layout.module.dict).value_or(Address{});
}

// The names in sys, which are strings that have been looked up.
std::optional<StringHash> find_hash(const ObjectReader& reader, Address sys, Address secret) {
  constexpr std::size_t kNames = 16;
  const auto entries = read_dict(reader, sys, kNames);
  if (!entries) return std::nullopt;
  std::vector<Address> names;
  for (const DictEntry& entry : *entries) names.push_back(entry.key);
  return find_string_hash(reader, secret, names);
}

}  // namespace

Address CheckScope::find(std::string_view module, std::string_view name) {
  auto known = dictionaries.find(module);
  if (known == dictionaries.end()) known = dictionaries.emplace(module, find_dictionary(*this, module)).first;
  if (known->second.is_null()) return {};
  auto found = find_in_dict(reader, known->second, name);
  return found && *found ? **found : Address{};
}

Result<CheckScope> open_scope(const ObjectReader& reader, Address runtime, Address hash_secret) {
  const PythonLayout& layout = reader.layout;
  ASYNCSPY_TRY(head, reader.read(runtime, layout.runtime.interpreters_head));
  if (head.is_null()) return fail(ErrorKind::kNotPython, "process: its Python interpreter is starting or has ended");
  ASYNCSPY_TRY(sys, reader.read(head, layout.interpreter.sysdict));
  ASYNCSPY_TRY(modules, reader.read(head, layout.interpreter.modules));
  CheckScope scope{.reader = reader, .types = {}, .runtime = runtime, .interpreter = head, .sys = sys, .modules = modules, .dictionaries = {}};
  scope.reader.string_hash = find_hash(reader, sys, hash_secret);
  return scope;
}

Result<std::uint32_t> check_version_of_sys(CheckScope& scope) {
  ASYNCSPY_TRY(stated, find_in_dict(scope.reader, scope.sys, "hexversion"));
  ASYNCSPY_TRY(sys_modules, find_in_dict(scope.reader, scope.sys, "modules"));
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
