#include "threads.h"

#include "circle.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMaxThreads = 100'000;

template <class T>
T value_or_zero(const ObjectReader& reader, Address state, Field<T> field) {
  if (!field.present()) return T{};
  auto value = reader.read(state, field);
  return value ? *value : T{};
}

Result<ThreadState> read_one(const ObjectReader& reader, Address address, const Interpreter& interpreter) {
  const ThreadLayout& layout = reader.layout.thread;
  ASYNCSPY_TRY(owner, reader.read(address, layout.interpreter));
  if (owner != interpreter.address) return fail(ErrorKind::kCorrupt, "a thread state of another interpreter", {}, address);
  ASYNCSPY_TRY(frame, reader.read(address, layout.frame));
  ThreadState state;
  state.address = address;
  state.interpreter = interpreter.id;
  state.thread_id = value_or_zero(reader, address, layout.thread_id);
  state.native_thread_id = value_or_zero(reader, address, layout.native_thread_id);
  state.dict = value_or_zero(reader, address, layout.dict);
  state.running_loop = value_or_zero(reader, address, layout.running_loop);
  state.running_task = value_or_zero(reader, address, layout.running_task);
  state.frame = frame;
  if (reader.layout.thread_frame == ThreadFrame::kCFrame) {  // never null: a thread state has a root cframe of its own
    ASYNCSPY_TRY(current, reader.read(frame, reader.layout.cframe.current_frame));
    state.cframe = frame;
    state.frame = current;
  }
  return state;
}

}  // namespace

std::vector<ThreadState> read_thread_states(const ObjectReader& reader, const Interpreter& interpreter,
                                            std::vector<Gap>& gaps) {
  std::vector<ThreadState> states;
  auto head = reader.read(interpreter.address, reader.layout.interpreter.threads_head);
  if (!head) {
    gaps.push_back({"list of threads", head.error().what, interpreter.address});
    return states;
  }
  Circle circle;
  for (Address at = *head; !at.is_null();) {
    if (states.size() >= kMaxThreads || circle.closes_at(at)) {
      gaps.push_back({"list of threads", "the list does not end", at});
      break;
    }
    auto state = read_one(reader, at, interpreter);
    auto next = reader.read(at, reader.layout.thread.next);
    if (state) states.push_back(*state);
    if (!state || !next) {
      gaps.push_back({"thread state", !state ? state.error().what : next.error().what, at});
      break;
    }
    if (*next == *head) break;
    at = *next;
  }
  return states;
}

}  // namespace asyncspy
