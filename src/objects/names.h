// Strings of a report that many frames share, by index.
#pragma once

#include <string>
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
  [[nodiscard]] const std::string& name(std::uint32_t index) const { return names_[index]; }
  [[nodiscard]] std::vector<std::string> take_names() { return std::move(names_); }

 private:
  std::unordered_map<std::string, std::uint32_t> indices_;
  std::vector<std::string> names_;
};

}  // namespace asyncspy
