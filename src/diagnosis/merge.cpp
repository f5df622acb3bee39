#include "merge.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>

namespace asyncspy {
namespace {

// `effect` is left out where all of its tasks, or all of its threads, are those of `cause`.
struct Explanation {
  std::string_view cause;
  std::string_view effect;
};
constexpr Explanation kExplanations[] = {
    {"P27", "P03"},  // the lock is that of a fork
    {"P22", "P13"},  // the shutdown waits for the task that goes on
    {"P24", "P13"},  // likewise the group
    {"P22", "P24"},
    {"P05", "P07"},  // proven, what is suspected there
};

class Covered {
 public:
  explicit Covered(const Finding& finding) : tasks_(finding.tasks.begin(), finding.tasks.end()), threads_(finding.threads.begin(), finding.threads.end()) {}

  [[nodiscard]] bool explains(const Finding& effect) const {
    const bool tasks = std::ranges::all_of(effect.tasks, [this](Address each) { return tasks_.contains(each); });
    const bool threads = std::ranges::all_of(effect.threads, [this](int each) { return threads_.contains(each); });
    return !effect.tasks.empty() ? tasks : threads && !effect.threads.empty();
  }

 private:
  std::set<Address> tasks_;
  std::set<int> threads_;
};

}  // namespace

void merge_findings(std::vector<Finding>& findings) {
  std::vector<bool> is_explained(findings.size(), false);
  for (const Finding& cause : findings) {
    std::optional<Covered> covered;
    for (const Explanation& explanation : kExplanations) {
      if (explanation.cause != cause.rule) continue;
      if (!covered) covered.emplace(cause);
      for (std::size_t i = 0; i < findings.size(); ++i) {
        if (findings[i].rule == explanation.effect && covered->explains(findings[i])) is_explained[i] = true;
      }
    }
  }
  std::size_t next = 0;
  std::erase_if(findings, [&](const Finding&) { return is_explained[next++]; });
}

}  // namespace asyncspy
