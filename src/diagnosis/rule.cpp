#include "rule.h"

#include <algorithm>
#include <cctype>

#include "rules.h"

namespace asyncspy {
namespace {

constexpr const Rule* kRules[] = {
    &kAwaitCycle,   &kForkedLock,           &kThreadLock,  &kBlockingCall,     &kProcessorUse,  &kNestedLoops, &kLateLoop,
    &kExecutorFull, &kPoolExhausted,        &kNeverReleased, &kShutdown,       &kStuckGroup,    &kSwallowedCancellation, &kWrongThread,
    &kLostChild,    &kStuckQueue,           &kLostTask,    &kUnretrievedError, &kHiddenFailure, &kShieldedTask, &kNeverAwaited,
    &kNotClosed,    &kBareFuture,           &kNoTimeout,   &kCrowd,            &kRequest};

}  // namespace

std::span<const Rule* const> all_rules() { return kRules; }

const Rule* find_rule(std::string_view id) {
  const auto same = [](char one, char other) { return std::toupper(static_cast<unsigned char>(one)) == other; };
  const auto found = std::ranges::find_if(kRules, [&](const Rule* rule) { return std::ranges::equal(id, rule->id, same); });
  return found == std::end(kRules) ? nullptr : *found;
}

}  // namespace asyncspy
