// Does this layout read this target right? Checks against what the target itself says about the same things: values
// that are known beforehand (sys.maxsize), facts that are stored twice (tp_members against PyCodeObject), and the machine
// code of the getters. A wrong member shows here, before it can show as a wrong fact in a report.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "containers.h"
#include "type.h"

namespace asyncspy {

enum class CheckResult : std::uint8_t { kPassed, kFailed, kSkipped };

struct SelfCheck {
  std::string subject;  // a member ("task.coroutine") or a value ("sys.maxsize")
  CheckResult result = CheckResult::kPassed;
  std::string detail;   // what was expected and found, or why it was skipped
};

// What all checks start from.
struct CheckScope {
  ObjectReader reader;
  TypeTable types;
  Address runtime;
  Address interpreter;            // the first of the list
  Address sys;                    // sys.__dict__
  Address modules;                // sys.modules
  std::map<std::string, Address, std::less<>> dictionaries;  // of the modules that find() was asked about; null: there is none

  // The object bound to `name` in a module, or null.
  [[nodiscard]] Address find(std::string_view module, std::string_view name);
};

// `hash_secret`: _Py_HashSecret, or null.
[[nodiscard]] Result<CheckScope> open_scope(const ObjectReader& reader, Address runtime, Address hash_secret);

// sys.hexversion, sys.modules reached in two ways: the check that no other release passes. Fails with kCorrupt.
[[nodiscard]] Result<std::uint32_t> check_version_of_sys(CheckScope& scope);

// Each appends its results. None fails as a whole: what can not be read is a failed check.
void check_values(CheckScope& scope, std::vector<SelfCheck>& checks);
void check_members(CheckScope& scope, std::vector<SelfCheck>& checks);
void check_threads(CheckScope& scope, std::vector<SelfCheck>& checks);
void check_coroutine_getters(CheckScope& scope, std::vector<SelfCheck>& checks);
void check_accelerator(CheckScope& scope, std::vector<SelfCheck>& checks);

// Takes the offsets of futures and tasks out of the getters of _asyncio.Task and _asyncio.Future, whatever the layout
// says. Returns the members that changed; fails when the accelerator is not loaded or a getter tells nothing.
[[nodiscard]] Result<std::vector<std::string>> adopt_getters(CheckScope& scope, PythonLayout& layout);

}  // namespace asyncspy
