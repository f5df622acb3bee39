// What a rule of the catalogue is: a pure function from a report to findings, and the text that explains it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "case.h"
#include "finding.h"

namespace asyncspy {

// Which findings of a rule may be over in a moment, unless they are proven or have lasted already.
enum class Passing : std::uint8_t { kNone, kWarnings, kAll };

struct Rule {
  std::string_view id;       // "P01"
  std::string_view title;
  std::string_view meaning;  // what happens, and why that is bad
  std::string_view looks_at; // the facts that it rests on, and how sure they make it
  std::string_view example;  // code that has the fault
  std::string_view remedy;
  void (*find)(const Case& seen, std::vector<Finding>& found);
  Passing passing = Passing::kNone;
};

// All of them: causes before consequences, which is also the order in which equally bad findings are shown.
[[nodiscard]] std::span<const Rule* const> all_rules();

// By its id in either case; null: there is no such rule.
[[nodiscard]] const Rule* find_rule(std::string_view id);

}  // namespace asyncspy
