#include "loop_glance.h"

#include "containers.h"
#include "handles.h"
#include "instance.h"

namespace asyncspy {
namespace {

// Enough to meet one that is not cancelled in most heaps, and a bound on what a glance costs.
constexpr std::size_t kMostTimers = 8;
constexpr std::size_t kMostReady = 10'000;
constexpr std::size_t kMostHandles = 4;

std::optional<Address> find_member(Inspection& inspection, const std::vector<DictEntry>& attributes, std::string_view name) {
  auto value = find_in_entries(inspection.reader, attributes, name);
  if (!value || !*value) return std::nullopt;
  return **value;
}

std::optional<double> read_deadline(Inspection& inspection, Address handle) {
  auto read = read_handle(inspection, handle);
  if (!read || read->cancelled) return std::nullopt;
  return read->when;
}

}  // namespace

LoopGlance glance_at_loop(Inspection& inspection, Address loop) {
  LoopGlance glance;
  auto type = inspection.types.of(inspection.reader, loop);
  if (!type) return glance;
  auto attributes = read_attributes(inspection.reader, **type, loop);
  if (!attributes) return glance;
  if (auto ready = find_member(inspection, *attributes, "_ready")) {
    if (auto handles = read_deque(inspection.reader, *ready, kMostReady)) {
      glance.ready = handles->size();
      for (std::size_t i = 0; i < handles->size() && i < kMostHandles; ++i) {
        const auto when = read_deadline(inspection, (*handles)[i]);
        if (when && (!glance.ready_deadline || *when < *glance.ready_deadline)) glance.ready_deadline = when;
      }
    }
  }
  if (auto scheduled = find_member(inspection, *attributes, "_scheduled")) {
    // A heap: the first one is the earliest; of those behind a cancelled one, the earliest that is met.
    if (auto handles = read_list(inspection.reader, *scheduled, kMostTimers)) {
      for (std::size_t i = 0; i < handles->size(); ++i) {
        const auto when = read_deadline(inspection, (*handles)[i]);
        if (when && (!glance.first_timer || *when < *glance.first_timer)) glance.first_timer = when;
        if (i == 0 && glance.first_timer) break;
      }
    }
  }
  return glance;
}

}  // namespace asyncspy
