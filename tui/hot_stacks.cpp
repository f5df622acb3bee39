#include "hot_stacks.h"

#include <algorithm>

namespace asyncspy {
namespace {

constexpr std::size_t kMostCalls = 20'000;  // a target can call generated functions without end
constexpr std::size_t kMostBelow = 500;     // of one call, which are searched one by one

}  // namespace

std::uint32_t HotStacks::find_or_add(std::uint32_t parent, const LightFrame& frame) {
  std::vector<std::uint32_t>& siblings = parent == kNone ? roots_ : calls_[parent].below;
  for (const std::uint32_t each : siblings) {
    if (calls_[each].function == frame.function && calls_[each].file == frame.file) return each;
  }
  if (calls_.size() >= kMostCalls || siblings.size() >= kMostBelow) return kNone;
  const auto index = static_cast<std::uint32_t>(calls_.size());
  siblings.push_back(index);  // before calls_ grows, which moves the vector
  calls_.push_back({.function = frame.function, .file = frame.file, .parent = parent, .samples = 0, .below = {}});
  return index;
}

void HotStacks::add(const std::vector<LightFrame>& stack) {
  ++samples_;
  if (stack.empty()) return;
  ++executing_;
  std::uint32_t at = kNone;
  for (const LightFrame& frame : stack) {
    at = find_or_add(at, frame);
    if (at == kNone) return;
    ++calls_[at].samples;
  }
}

std::vector<HotStacks::Row> HotStacks::rows(std::size_t most, double least) const {
  std::vector<Row> rows;
  std::vector<std::pair<std::uint32_t, int>> left;  // a stack: no recursion over what the target called
  const auto push = [&](std::vector<std::uint32_t> siblings, int depth) {
    std::ranges::stable_sort(siblings, [this](std::uint32_t a, std::uint32_t b) { return calls_[a].samples > calls_[b].samples; });
    for (std::size_t i = siblings.size(); i-- > 0;) left.emplace_back(siblings[i], depth);
  };
  push(roots_, 0);
  const double floor = least * static_cast<double>(samples_);
  while (!left.empty() && rows.size() < most) {
    const auto [index, depth] = left.back();
    left.pop_back();
    const Call& call = calls_[index];
    if (static_cast<double>(call.samples) < floor) continue;
    rows.push_back({&call, depth});
    push(call.below, depth + 1);
  }
  return rows;
}

}  // namespace asyncspy
