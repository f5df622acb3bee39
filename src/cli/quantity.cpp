#include "quantity.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace asyncspy {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array kTimes{Unit{"", 1}, Unit{"us", 1e-6}, Unit{"ms", 1e-3}, Unit{"s", 1}, Unit{"m", 60}, Unit{"min", 60}, Unit{"h", 3600}, Unit{"d", 86'400}};
constexpr std::array kSizes{Unit{"", 1}, Unit{"K", 1 << 10}, Unit{"M", 1 << 20}, Unit{"G", 1 << 30}, Unit{"KiB", 1 << 10}, Unit{"MiB", 1 << 20}, Unit{"GiB", 1 << 30}};

template <std::size_t N>
std::optional<double> parse(const std::string& text, const std::array<Unit, N>& units) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || !std::isfinite(number) || number < 0) return std::nullopt;
  const std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  for (const Unit& unit : units) {
    if (rest == unit.name) return number * unit.factor;
  }
  return std::nullopt;
}

// The largest unit of which it is a whole number.
std::string spell_duration(double seconds) {
  if (seconds == 0) return "0";
  for (const Unit& unit : {Unit{"d", 86'400}, Unit{"h", 3600}, Unit{"m", 60}, Unit{"s", 1}, Unit{"ms", 1e-3}}) {
    const double count = seconds / unit.factor;
    if (count >= 1 && std::abs(count - std::round(count)) < 1e-9) return fmt::format("{}{}", std::round(count), unit.name);
  }
  return fmt::format("{}s", seconds);
}

std::string spell_size(std::uint64_t bytes) {
  for (const auto& [name, shift] : {std::pair{"G", 30}, std::pair{"M", 20}, std::pair{"K", 10}}) {
    if (bytes >> shift != 0 && (bytes & ((std::uint64_t{1} << shift) - 1)) == 0) return fmt::format("{}{}", bytes >> shift, name);
  }
  return fmt::format("{}", bytes);
}

}  // namespace

std::optional<double> parse_duration(const std::string& text) { return parse(text, kTimes); }

std::optional<std::uint64_t> parse_size(const std::string& text) {
  constexpr double kMost = 1e18;
  const auto bytes = parse(text, kSizes);
  if (!bytes || *bytes > kMost) return std::nullopt;
  return static_cast<std::uint64_t>(*bytes);
}

CLI::Option* add_duration(CLI::App* command, const std::string& names, double& seconds, const std::string& help, double least, double most) {
  const auto take = [&seconds, names, least, most](const std::string& text) {
    const auto value = parse_duration(text);
    if (!value) throw CLI::ValidationError(names, "'" + text + "' is no time, such as 50ms, 1.5s, 10m, 2h or 7d");
    if (*value < least || *value > most) {
      throw CLI::ValidationError(names, fmt::format("{} is not between {} and {}", text, spell_duration(least), spell_duration(most)));
    }
    seconds = *value;
  };
  return command->add_option_function<std::string>(names, take, help)->option_text("TIME [" + spell_duration(seconds) + "]");
}

CLI::Option* add_size(CLI::App* command, const std::string& names, std::uint64_t& bytes, const std::string& help) {
  const auto take = [&bytes, names](const std::string& text) {
    const auto value = parse_size(text);
    if (!value) throw CLI::ValidationError(names, "'" + text + "' is no size, such as 500M or 1G");
    bytes = *value;
  };
  return command->add_option_function<std::string>(names, take, help)->option_text("SIZE [" + spell_size(bytes) + "]");
}

}  // namespace asyncspy
