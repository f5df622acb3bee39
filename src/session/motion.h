// Whether a process makes objects while it is looked at.
#pragma once

#include <cstdint>
#include <vector>

#include "target.h"

namespace asyncspy {

enum class Motion : std::uint8_t { kStill, kMoving };

// Whether one of these threads has run since its facts were read `before`. More than a few are not asked: one of them has. Of none
// nothing is known: what moves can make the list of threads unreadable.
[[nodiscard]] Motion find_motion(Target& target, const std::vector<ThreadFacts>& before, const std::vector<int>& tids);

}  // namespace asyncspy
