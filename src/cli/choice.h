// Options of the command line that take one of several words.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>

#include "colour_choice.h"

namespace asyncspy {

inline const std::map<std::string, ColourChoice> kColours{
    {"auto", ColourChoice::kAuto}, {"always", ColourChoice::kAlways}, {"never", ColourChoice::kNever}};

// Takes the words of `values` and nothing else: CLI11's own CheckedTransformer would accept the numbers, too.
template <class T>
CLI::Option* add_choice(CLI::App* command, const std::string& names, T& into, const std::map<std::string, T>& values,
                        const std::string& description, const std::string& initially) {
  std::string words;
  for (const auto& [word, value] : values) words += (words.empty() ? "" : "|") + word;
  const auto check = [&values](const std::string& word) {
    return values.contains(word) ? std::string() : "'" + word + "' is not one of the values it takes";
  };
  const auto take = [&into, &values](const std::string& word) { into = values.at(word); };
  CLI::Option* option = command->add_option_function<std::string>(names, take, description);
  return option->check(CLI::Validator(check, "", "choice"))->option_text(words + " [" + initially + "]");
}

}  // namespace asyncspy
