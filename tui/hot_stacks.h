// What ran on a loop, as a tree of calls with the number of samples in which each was met.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "light_sample.h"

namespace asyncspy {

class HotStacks {
 public:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  struct Call {
    std::string function;
    std::string file;
    std::uint32_t parent = kNone;
    std::uint64_t samples = 0;        // in which it was met at this place
    std::vector<std::uint32_t> below;
  };

  struct Row {
    const Call* call = nullptr;
    int depth = 0;
  };

  void add(const std::vector<LightFrame>& stack);  // empty: nothing ran in that sample

  [[nodiscard]] std::uint64_t samples() const { return samples_; }    // all
  [[nodiscard]] std::uint64_t executing() const { return executing_; }  // in which something ran

  // The tree from its roots down, of each call the hottest branch first; at most `most` rows, and none below `least` of all samples.
  [[nodiscard]] std::vector<Row> rows(std::size_t most, double least = 0) const;

 private:
  [[nodiscard]] std::uint32_t find_or_add(std::uint32_t parent, const LightFrame& frame);

  std::vector<Call> calls_;
  std::vector<std::uint32_t> roots_;
  std::uint64_t samples_ = 0;
  std::uint64_t executing_ = 0;
};

}  // namespace asyncspy
