// Times and sizes as people write them on a command line: "50ms", "1.5s", "10m", "7d", "500M". A bare number: seconds, or bytes.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>

namespace asyncspy {

// Seconds; an explanation in place of a value when `text` is none.
[[nodiscard]] std::optional<double> parse_duration(const std::string& text);
[[nodiscard]] std::optional<std::uint64_t> parse_size(const std::string& text);

// Options that take them. `seconds` and `bytes` must outlive the command line, and hold the default.
CLI::Option* add_duration(CLI::App* command, const std::string& names, double& seconds, const std::string& help, double least, double most);
CLI::Option* add_size(CLI::App* command, const std::string& names, std::uint64_t& bytes, const std::string& help);

}  // namespace asyncspy
