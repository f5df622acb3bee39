#include "held_tasks.h"

#include "frame_values.h"
#include "object_attributes.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostFrames = 100'000;
constexpr std::size_t kMostElements = 1'000'000;  // of all containers
constexpr std::size_t kMostOfOne = 10'000;

}  // namespace

AddressSet find_held_tasks(Inspection& inspection, const AddressSet& finished, const std::vector<RawTask>& raw_tasks) {
  AddressSet held;
  AddressSet looked_at;  // containers
  std::size_t frames = 0;
  std::size_t elements = 0;
  const auto note = [&](Address value) {
    if (finished.contains(value)) held.add(value);
  };
  for (const RawTask& raw : raw_tasks) {
    if (raw.task.state != TaskState::kPending) continue;
    for (Address frame : raw.chain.frame_addresses) {
      if (frame.is_null() || ++frames > kMostFrames) continue;
      auto values = read_frame_values(inspection, frame);
      if (!values) continue;
      for (Address value : values->stack) note(value);
      for (Address value : values->locals) {
        note(value);
        if (value.is_null() || elements >= kMostElements || !looked_at.add(value)) continue;
        const auto count = count_elements(inspection, value);
        if (!count || *count > static_cast<std::int64_t>(kMostOfOne)) continue;
        elements += static_cast<std::size_t>(*count);
        for (Address element : read_elements(inspection, value, kMostOfOne)) note(element);
      }
    }
  }
  return held;
}

}  // namespace asyncspy
