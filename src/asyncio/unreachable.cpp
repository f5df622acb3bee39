#include "unreachable.h"

#include <algorithm>
#include <vector>

#include "frame_values.h"
#include "object_attributes.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostLinks = 64;

// Objects that refer to each other, with the references between them that were found.
class Island {
 public:
  explicit Island(Inspection& inspection) : inspection_(inspection) {}

  void add(Address object) {
    if (!object.is_null() && !contains(object)) members_.push_back({object, 0});
  }
  [[nodiscard]] bool contains(Address object) const { return std::ranges::find(members_, object, &Member::object) != members_.end(); }

  // One of the members keeps a reference to `object`.
  void refer(Address object) {
    const auto found = std::ranges::find(members_, object, &Member::object);
    if (found != members_.end()) ++found->references;
  }

  // Every reference to every member is one of those found.
  [[nodiscard]] bool is_closed() {
    return std::ranges::all_of(members_, [this](const Member& member) {
      auto count = inspection_.reader.read(member.object, inspection_.layout().object.reference_count);
      return count && *count == member.references;
    });
  }

 private:
  struct Member {
    Address object;
    std::int64_t references = 0;
  };
  Inspection& inspection_;
  std::vector<Member> members_;
};

class IslandSearch {
 public:
  IslandSearch(Inspection& inspection, const Asyncio& asyncio, const RawTask& raw)
      : inspection_(inspection), asyncio_(asyncio), raw_(raw), island_(inspection) {}

  bool run() {
    if (!is_candidate() || !add_task() || !add_chain()) return false;
    for (Address referred : references_) island_.refer(referred);
    return island_.is_closed();
  }

 private:
  bool is_candidate() {
    const Task& task = raw_.task;
    if (!raw_.is_in_c || task.state != TaskState::kPending || task.running || task.awaited.is_null() || task.callbacks > 0) return false;
    if (raw_.chain.end != ChainEnd::kFuture || raw_.task.stack.empty() || raw_.task.stack.size() > kMostLinks || !task.gaps.empty()) return false;
    auto type = inspection_.types.of(inspection_.reader, task.awaited);
    return type && is_c_future(asyncio_, **type);
  }

  // The task refers to its coroutine and to the future; the future to its only callback, the wake-up, and that to the task.
  bool add_task() {
    const PythonLayout& layout = inspection_.layout();
    auto future = inspection_.reader.view_of(raw_.task.awaited, layout.future.callback0, layout.future.callbacks, layout.future.awaited_by,
                                             layout.future.awaited_by_is_set);
    auto coroutine = inspection_.reader.read(raw_.task.id, layout.task.coroutine);
    if (!future || !coroutine || !future->get(layout.future.callbacks).is_null()) return false;
    const Address wakeup = future->get(layout.future.callback0);
    if (task_of_wakeup(wakeup) != raw_.task.id) return false;
    island_.add(raw_.task.id);
    island_.add(raw_.task.awaited);
    island_.add(wakeup);
    references_ = {raw_.task.awaited, *coroutine, wakeup, raw_.task.id};
    // 3.14+: the future also names the task that awaits it.
    if (layout.future.awaited_by.present() && future->get(layout.future.awaited_by) == raw_.task.id) {
      if (layout.future.awaited_by_is_set.present() && future->get(layout.future.awaited_by_is_set) != 0) return false;
      references_.push_back(raw_.task.id);
    }
    return true;
  }

  Address task_of_wakeup(Address wakeup) {
    const PythonLayout& layout = inspection_.layout();
    const std::string_view name = type_name_of(inspection_, wakeup);
    Pointer member{absent};
    if (name.ends_with("TaskWakeupMethWrapper")) member = layout.accel.wakeup_task;
    if (name == "builtin_function_or_method") member = layout.function.builtin_self;
    if (!member.present()) return {};
    auto task = inspection_.reader.read(wakeup, member);
    return task ? *task : Address{};
  }

  // Each coroutine keeps what it awaits on its stack, and whatever its local variables hold; the innermost one an iterator of the
  // future. (In 3.14+ a variable may lend its reference to the stack: Python/bytecodes.c, LOAD_FAST_BORROW. What is awaited is owned.)
  bool add_chain() {
    for (std::size_t i = 0; i < raw_.task.stack.size(); ++i) {
      const Frame& frame = raw_.task.stack[i];
      if (frame.kind != FrameKind::kCoroutine || frame.object.is_null()) return false;
      island_.add(frame.object);
    }
    for (Address frame : raw_.chain.frame_addresses) {
      auto values = read_frame_values(inspection_, frame);
      if (!values || !values->stack_is_known) return false;
      for (Address value : values->locals) references_.push_back(value);
      for (Address value : values->stack) add_stacked(value);
    }
    return true;
  }

  void add_stacked(Address value) {
    references_.push_back(value);
    const std::string_view name = type_name_of(inspection_, value);
    if (name == "_asyncio.FutureIter") {
      island_.add(value);
      auto future = inspection_.reader.read(value, inspection_.layout().awaitable.future_iterator_future);
      if (future) references_.push_back(*future);
    }
  }

  Inspection& inspection_;
  const Asyncio& asyncio_;
  const RawTask& raw_;
  Island island_;
  std::vector<Address> references_;  // kept by members
};

}  // namespace

bool is_unreachable(Inspection& inspection, const Asyncio& asyncio, const RawTask& raw) { return IslandSearch(inspection, asyncio, raw).run(); }

}  // namespace asyncspy
