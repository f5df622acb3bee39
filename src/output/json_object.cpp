#include "json_object.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace asyncspy {
namespace {

using nlohmann::json;

constexpr std::size_t kShownBytes = 60;  // of a value in a message

std::string quote(const json& value) {
  std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
  if (text.size() > kShownBytes) text = text.substr(0, kShownBytes) + "...";
  return text;
}

// "tasks[3].wait" as "tasks[].wait".
std::string without_indices(const std::string& path) {
  std::string plain;
  for (char c : path) {
    const bool in_brackets = !plain.empty() && plain.back() == '[';
    if (!in_brackets || c < '0' || c > '9') plain += c;
  }
  return plain;
}

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
  std::uint64_t value = 0;
  if (!text.starts_with("0x")) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data() + 2, text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return Address{value};
}

void JsonProblems::fail(const std::string& path, std::string_view problem) {
  if (!any()) first_ = fmt::format("{}: {}", path, problem);
}

void JsonProblems::add_unknown(const std::string& path) {
  if (unknown_.size() < kMostUnknown) unknown_.insert(without_indices(path));
}

std::string JsonPlace::spell() const {
  std::string text;
  for (const JsonPlace* at = this; at != nullptr; at = at->parent) {
    if (at->name.empty()) continue;
    std::string part(at->name);
    if (at->index != kNoIndex) part += fmt::format("[{}]", at->index);
    text = text.empty() ? part : part + "." + text;
  }
  return text.empty() ? "the document" : text;
}

JsonObject::JsonObject(const json& value, const JsonPlace& place, JsonProblems& problems)
    : value_(value.is_object() ? &value : nullptr), place_(place), problems_(problems) {
  asked_.reserve(24);
  if (value_ == nullptr) problems_.fail(path(), quote(value) + " is no object");
}

const json* JsonObject::find(std::string_view name) {
  asked_.push_back(name);
  if (value_ == nullptr || problems_.any()) return nullptr;
  const auto found = value_->find(name);
  return found == value_->end() ? nullptr : &*found;
}

bool JsonObject::has(std::string_view name) {
  const json* member = find(name);
  return member != nullptr && !member->is_null();
}

void JsonObject::missing(std::string_view name) { problems_.fail(path_of(name), "is missing"); }

std::string JsonObject::text(std::string_view name) {
  const json* member = find(name);
  if (member == nullptr) return missing(name), "";
  if (!member->is_string()) return fail(name, quote(*member) + " is no text"), "";
  return member->get<std::string>();
}

bool JsonObject::flag(std::string_view name) {
  const json* member = find(name);
  if (member == nullptr) return missing(name), false;
  if (!member->is_boolean()) return fail(name, quote(*member) + " is neither true nor false"), false;
  return member->get<bool>();
}

double JsonObject::number(std::string_view name) {
  const json* member = find(name);
  if (member == nullptr) return missing(name), 0;
  if (member->is_null()) return std::numeric_limits<double>::quiet_NaN();
  if (!member->is_number()) return fail(name, quote(*member) + " is no number"), 0;
  return member->get<double>();
}

std::int64_t JsonObject::integer_between(std::string_view name, std::int64_t least, std::int64_t most) {
  const json* member = find(name);
  if (member == nullptr) return missing(name), 0;
  if (!member->is_number_integer()) return fail(name, quote(*member) + " is no whole number"), 0;
  const bool too_great = member->is_number_unsigned() && member->get<std::uint64_t>() > static_cast<std::uint64_t>(most);
  if (too_great || member->get<std::int64_t>() > most || member->get<std::int64_t>() < least) {
    return fail(name, quote(*member) + " is out of range"), 0;
  }
  return member->get<std::int64_t>();
}

std::uint64_t JsonObject::count(std::string_view name) {
  const json* member = find(name);
  if (member == nullptr) return missing(name), 0;
  if (!member->is_number_unsigned()) return fail(name, quote(*member) + " is no count"), 0;
  return member->get<std::uint64_t>();
}

Address JsonObject::identity(std::string_view name) {
  const std::string word = text(name);
  if (problems_.any()) return {};
  const std::optional<Address> parsed = parse_address(word);
  if (!parsed) fail(name, quote(json(word)) + " is no address");
  return parsed.value_or(Address{});
}

char JsonObject::letter(std::string_view name) {
  const std::string word = text(name);
  if (problems_.any()) return '?';
  if (word.size() != 1) return fail(name, quote(json(word)) + " is no single letter"), '?';
  return word[0];
}

std::size_t JsonObject::choice(std::string_view name, const std::vector<std::string_view>& words) {
  const std::string word = text(name);
  if (problems_.any()) return 0;
  const auto found = std::ranges::find(words, word);
  if (found == words.end()) return fail(name, quote(json(word)) + " is none of the words that it can be"), 0;
  return static_cast<std::size_t>(found - words.begin());
}

std::optional<std::string> JsonObject::text_if(std::string_view name) { return has(name) ? std::optional(text(name)) : std::nullopt; }

std::optional<bool> JsonObject::flag_if(std::string_view name) { return has(name) ? std::optional(flag(name)) : std::nullopt; }

std::optional<double> JsonObject::number_if(std::string_view name) { return has(name) ? std::optional(number(name)) : std::nullopt; }

std::optional<std::uint64_t> JsonObject::count_if(std::string_view name) { return has(name) ? std::optional(count(name)) : std::nullopt; }

Address JsonObject::address(std::string_view name) { return has(name) ? identity(name) : Address{}; }

std::size_t JsonObject::array_size(std::string_view name) {
  if (!has(name)) return 0;
  const json& member = *find(name);
  if (!member.is_array()) return fail(name, quote(member) + " is no array"), 0;
  return member.size();
}

const json& JsonObject::element(std::string_view name, std::size_t index) const { return (*value_->find(name))[index]; }

std::vector<std::string> JsonObject::texts(std::string_view name) {
  std::vector<std::string> found;
  const std::size_t size = array_size(name);
  for (std::size_t i = 0; i < size; ++i) {
    const json& each = element(name, i);
    if (!each.is_string()) return problems_.fail(path_of(name, i), quote(each) + " is no text"), found;
    found.push_back(each.get<std::string>());
  }
  return found;
}

std::vector<Address> JsonObject::identities(std::string_view name) {
  std::vector<Address> found;
  const std::vector<std::string> words = texts(name);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::optional<Address> parsed = parse_address(words[i]);
    if (!parsed) return problems_.fail(path_of(name, i), quote(json(words[i])) + " is no address"), found;
    found.push_back(*parsed);
  }
  return found;
}

std::vector<int> JsonObject::integers(std::string_view name) {
  std::vector<int> found;
  const std::size_t size = array_size(name);
  for (std::size_t i = 0; i < size; ++i) {
    const json& each = element(name, i);
    const bool fits = each.is_number_integer() && each.get<std::int64_t>() >= std::numeric_limits<int>::min() &&
                      each.get<std::int64_t>() <= std::numeric_limits<int>::max();
    if (!fits) return problems_.fail(path_of(name, i), quote(each) + " is no whole number of this range"), found;
    found.push_back(each.get<int>());
  }
  return found;
}

void JsonObject::finish() {
  if (finished_ || value_ == nullptr || problems_.any()) return;
  finished_ = true;
  for (const auto& item : value_->items()) {
    if (std::ranges::find(asked_, item.key()) == asked_.end()) problems_.add_unknown(path_of(item.key()));
  }
}

}  // namespace asyncspy
