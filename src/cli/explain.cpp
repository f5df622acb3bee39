#include "explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "output_file.h"
#include "rule.h"

namespace asyncspy {
namespace {

constexpr std::size_t kColumns = 96;

std::string wrap(std::string_view text, std::string_view indent) {
  std::string wrapped;
  std::string line(indent);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    if (line.size() > indent.size() && line.size() + 1 + word.size() > kColumns) {
      wrapped += line + "\n";
      line = indent;
    }
    if (line.size() > indent.size()) line += ' ';
    line += word;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return wrapped + line + "\n";
}

std::string indent_lines(std::string_view text, std::string_view indent) {
  std::string result(indent);
  for (char c : text) {
    result += c;
    if (c == '\n') result += indent;
  }
  return result + "\n";
}

std::string list_rules() {
  std::vector<const Rule*> rules(all_rules().begin(), all_rules().end());
  std::ranges::sort(rules, {}, &Rule::id);
  std::string text;
  for (const Rule* rule : rules) text += fmt::format("{}  {}\n", rule->id, rule->title);
  return text + "\nproven     follows from the memory that was read\n"
                "observed   true at the instant of the snapshot\n"
                "suspected  a pattern that is usually a bug; can be innocent\n";
}

}  // namespace

ExitCode run_explain(const std::string& word) {
  if (word.empty() || word == "list") return print_text(list_rules());
  const Rule* rule = find_rule(word);
  if (rule == nullptr) {
    return report_error({ErrorKind::kUsage, "explain: '" + word + "' is no rule", "asyncspy explain list", {}});
  }
  return print_text(fmt::format("{}  {}\n\n{}\nWhat it looks at\n{}\nExample\n{}\nWhat to do\n{}", rule->id, rule->title, wrap(rule->meaning, ""),
                                wrap(rule->looks_at, "  "), indent_lines(rule->example, "  "), wrap(rule->remedy, "  ")));
}

}  // namespace asyncspy
