#include "motion.h"

#include <algorithm>

namespace asyncspy {

Motion find_motion(Target& target, const std::vector<ThreadFacts>& before, const std::vector<int>& tids) {
  constexpr std::size_t kMostThreads = 16;
  if (tids.empty() || tids.size() > kMostThreads) return Motion::kMoving;
  const bool moves = std::ranges::any_of(tids, [&](int tid) {
    const auto known = std::ranges::find(before, tid, &ThreadFacts::tid);
    const auto now = target.read_thread(tid);
    return known == before.end() || !now || now->state == 'R' || now->cpu_time_ns != known->cpu_time_ns;
  });
  return moves ? Motion::kMoving : Motion::kStill;
}

}  // namespace asyncspy
