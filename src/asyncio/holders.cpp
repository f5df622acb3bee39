#include "holders.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "frame_values.h"
#include "object_attributes.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostHolders = 10'000;  // of one primitive
constexpr std::size_t kMostGuesses = 5;

bool can_be_held(const Primitive& primitive) {
  const std::string& kind = primitive.kind;
  return kind == "Lock" || kind == "Semaphore" || kind == "BoundedSemaphore";
}

class HolderSearch {
 public:
  HolderSearch(Inspection& inspection, PrimitiveTable& primitives) : inspection_(inspection), primitives_(primitives) {
    for (const Primitive& primitive : primitives.primitives()) {
      if (can_be_held(primitive) && primitive.holders.empty()) wanted_.insert(primitive.id);
    }
  }

  [[nodiscard]] bool is_needed() const { return !wanted_.empty(); }

  void visit(const RawTask& raw) {
    const Task& task = raw.task;
    if (task.state == TaskState::kCancelled || task.state == TaskState::kFinished) return;
    const auto* wait = std::get_if<OnPrimitive>(&task.wait);
    Address waited = wait == nullptr ? Address{} : wait->object;
    for (std::size_t i = 0; i < task.stack.size() && i < raw.chain.frame_addresses.size(); ++i) {
      if (raw.chain.frame_addresses[i].is_null()) continue;
      auto values = read_frame_values(inspection_, raw.chain.frame_addresses[i]);
      if (!values) continue;
      const std::string function = function_name(task.stack[i]);
      // The innermost `async with` of a waiting task is where it waits, not what it holds; around it, it may hold the same lock.
      bool is_entering = !waited.is_null() && is_entered_from(task, i);
      for (auto value = values->stack.rbegin(); value != values->stack.rend(); ++value) {
        Address held = lock_behind(*value);
        if (held.is_null()) continue;
        if (held == waited && std::exchange(is_entering, false)) continue;
        if ( !released_by_waiting(wait, held)) enter(held, {task.id, "inside `async with` of " + function, true});
      }
      if (task.stack[i].running && !values->stack_is_known) guess(*values, task, function);
    }
  }

  // Locks without a certain holder: who has them in a local variable.
  void visit_locals(const RawTask& raw) {
    const Task& task = raw.task;
    if (task.state != TaskState::kPending) return;
    const auto* wait = std::get_if<OnPrimitive>(&task.wait);
    for (std::size_t i = 0; i < task.stack.size() && i < raw.chain.frame_addresses.size(); ++i) {
      if (raw.chain.frame_addresses[i].is_null() || is_of_locks(task.stack[i])) continue;
      auto values = read_frame_values(inspection_, raw.chain.frame_addresses[i]);
      if (!values) continue;
      for (Address value : values->locals) {
        if (!wanted_.contains(value) || (wait != nullptr && wait->object == value)) continue;
        Primitive* primitive = primitives_.find(value);
        if (primitive == nullptr || !is_taken(*primitive) || primitive->holders.size() >= kMostGuesses) continue;
        bool is_certain = std::ranges::any_of(primitive->holders, &Holder::certain);
        if (!is_certain) enter(value, {task.id, "has it in a local variable of " + function_name(task.stack[i]) + ", and may hold it", false});
      }
    }
  }

 private:
  // Of a frame that executes: its `with` blocks keep methods at the bottom of a stack whose height is not known.
  void guess(const FrameValues& values, const Task& task, const std::string& function) {
    for (Address value : values.lowest) {
      Address held = lock_behind(value);
      Primitive* primitive = held.is_null() ? nullptr : primitives_.find(held);
      if (primitive != nullptr && is_taken(*primitive)) {
        enter(held, {task.id, "is running and is, or was just, inside `async with` of " + function, false});
      }
    }
    for (Address value : values.locals) {
      Primitive* primitive = wanted_.contains(value) ? primitives_.find(value) : nullptr;
      if (primitive != nullptr && is_taken(*primitive)) enter(value, {task.id, "is running and has it in a local variable of " + function, false});
    }
  }

  [[nodiscard]] static bool is_taken(const Primitive& primitive) {
    return primitive.flag("locked").value_or(false) || primitive.number("value").value_or(1) == 0;
  }

  std::string function_name(const Frame& frame) const {
    if (frame.name != kNoFunction) return std::string(inspection_.names.name(frame.name));
    return frame.function == kNoFunction ? std::string("?") : inspection_.codes.functions()[frame.function].qualified_name;
  }

  bool is_of_locks(const Frame& frame) const {
    return frame.function != kNoFunction && inspection_.codes.functions()[frame.function].file.ends_with("asyncio/locks.py");
  }

  // The frame inside frame `i` is the primitive's own __aenter__.
  [[nodiscard]] bool is_entered_from(const Task& task, std::size_t i) const {
    if (i + 1 >= task.stack.size()) return false;
    return is_of_locks(task.stack[i + 1]) && function_name(task.stack[i + 1]).ends_with("__aenter__");
  }

  // Condition.wait() gives up its lock while it waits.
  bool released_by_waiting(const OnPrimitive* wait, Address held) {
    if (wait == nullptr) return false;
    const Primitive* waited = primitives_.find(wait->object);
    return waited != nullptr && waited->kind == "Condition" && waited->lock == held;
  }

  // The wanted lock that this value of a stack keeps: itself (3.14+, which pushes function and self), a method bound to it (its
  // __aexit__), or a condition that is built on it.
  Address lock_behind(Address value) {
    if (value.is_null()) return {};
    if (wanted_.contains(value)) return value;
    std::string_view type = type_name_of(inspection_, value);
    Address owner = value;
    if (type == "method") {
      auto self = inspection_.reader.read(value, inspection_.layout().function.method_self);
      if (!self) return {};
      owner = *self;
      if (wanted_.contains(owner)) return owner;
      type = type_name_of(inspection_, owner);
    }
    if (!is_instance(inspection_, owner, "asyncio.locks.Condition")) return {};
    Address lock = find_object(inspection_, owner, "_lock");
    return wanted_.contains(lock) ? lock : Address{};
  }

  void enter(Address lock, Holder holder) {
    Primitive* primitive = primitives_.find(lock);
    if (primitive == nullptr || primitive->holders.size() >= kMostHolders) return;
    bool is_known = std::ranges::any_of(primitive->holders, [&](const Holder& known) { return known.task == holder.task && known.how == holder.how; });
    if (!is_known) primitive->holders.push_back(std::move(holder));
  }

  Inspection& inspection_;
  PrimitiveTable& primitives_;
  std::unordered_set<Address> wanted_;
};

}  // namespace

void find_holders(Inspection& inspection, const std::vector<RawTask>& raw_tasks, PrimitiveTable& primitives) {
  HolderSearch search(inspection, primitives);
  if (!search.is_needed()) return;
  for (const RawTask& raw : raw_tasks) search.visit(raw);
  for (const RawTask& raw : raw_tasks) search.visit_locals(raw);
}

}  // namespace asyncspy
