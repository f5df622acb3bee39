// Strings of a report that many frames share, by index.
#pragma once

#include <deque>
#include <iterator>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace asyncspy {

class NameTable {
 public:
  [[nodiscard]] std::uint32_t index_of(const std::string& name) {
    auto [at, added] = indices_.emplace(name, static_cast<std::uint32_t>(names_.size()));
    if (added) names_.push_back(name);
    return at->second;
  }
  // Empty for an index that is none, such as kNoFunction. Valid until the names are taken.
  [[nodiscard]] std::string_view name(std::uint32_t index) const {
    return index < names_.size() ? std::string_view(names_[index]) : std::string_view{};
  }
  [[nodiscard]] std::vector<std::string> take_names() {
    return {std::make_move_iterator(names_.begin()), std::make_move_iterator(names_.end())};
  }

 private:
  std::unordered_map<std::string, std::uint32_t> indices_;
  std::deque<std::string> names_;  // which never move
};

}  // namespace asyncspy
