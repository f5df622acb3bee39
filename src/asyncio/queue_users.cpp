#include "queue_users.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "frame_values.h"
#include "instance.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostFrames = 100'000;
constexpr std::size_t kMostObjects = 100'000;
constexpr std::size_t kMostAttributes = 1'000;  // of one object

class UserSearch {
 public:
  UserSearch(Inspection& inspection, PrimitiveTable& primitives) : inspection_(inspection) {
    for (const Primitive& primitive : primitives.primitives()) {
      if (primitive.kind.ends_with("Queue") && !primitive.waiters.empty()) users_[primitive.id] = 0;
    }
  }

  [[nodiscard]] bool is_needed() const { return !users_.empty(); }
  [[nodiscard]] bool is_complete() const { return frames_ < kMostFrames && objects_.size() < kMostObjects; }
  [[nodiscard]] const std::unordered_map<Address, std::int64_t>& users() const { return users_; }

  void visit(const RawTask& raw) {
    const Task& task = raw.task;
    if (task.state != TaskState::kPending) return;
    const auto* wait = std::get_if<OnPrimitive>(&task.wait);
    std::unordered_set<Address> found;
    for (Address frame : raw.chain.frame_addresses) {
      if (frame.is_null() || !is_complete()) continue;
      ++frames_;
      auto values = read_frame_values(inspection_, frame);
      if (!values) continue;
      for (Address value : values->locals) look_at(value, found);
    }
    for (Address queue : found) {
      if (wait == nullptr || wait->object != queue) ++users_[queue];
    }
  }

 private:
  void look_at(Address value, std::unordered_set<Address>& found) {
    if (value.is_null()) return;
    if (users_.contains(value)) {
      found.insert(value);
      return;
    }
    for (Address queue : queues_of(value)) found.insert(queue);
  }

  // Those among the attributes of an object, which is looked at once.
  const std::vector<Address>& queues_of(Address object) {
    static const std::vector<Address> kNone;
    const auto known = objects_.find(object);
    if (known != objects_.end()) return known->second;
    if (!is_complete()) return kNone;
    std::vector<Address>& queues = objects_[object];
    auto type = inspection_.types.of(inspection_.reader, object);
    if (!type || !(*type)->is_heap_type()) return queues;
    auto attributes = read_attributes(inspection_.reader, **type, object);
    if (!attributes) return queues;
    for (std::size_t i = 0; i < attributes->size() && i < kMostAttributes; ++i) {
      if (users_.contains((*attributes)[i].value)) queues.push_back((*attributes)[i].value);
    }
    return queues;
  }

  Inspection& inspection_;
  std::unordered_map<Address, std::int64_t> users_;
  std::unordered_map<Address, std::vector<Address>> objects_;
  std::size_t frames_ = 0;
};

}  // namespace

void count_queue_users(Inspection& inspection, const std::vector<RawTask>& raw_tasks, PrimitiveTable& primitives) {
  UserSearch search(inspection, primitives);
  if (!search.is_needed()) return;
  for (const RawTask& raw : raw_tasks) search.visit(raw);
  if (!search.is_complete()) return;
  for (const auto& [queue, count] : search.users()) {
    if (Primitive* primitive = primitives.find(queue)) primitive->facts.push_back({"referring_tasks", count});
  }
}

}  // namespace asyncspy
