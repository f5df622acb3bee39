// Writes asyncio's objects (futures, tasks, handles, loops, weak sets) and an interpreter around them.
#pragma once

#include "fake_frames.h"
#include "find_asyncio.h"

namespace asyncspy {

struct FakeTask {
  Address loop = {};
  Address coroutine = {};
  Address waiter = {};
  Address name = {};  // str, or the int of a name that nobody asked for (3.12+)
  std::uint32_t state = 0;
  bool must_cancel = false;
  std::int32_t cancel_requests = 0;
};

class FakeAsyncio {
 public:
  explicit FakeAsyncio(FakeHeap& heap);

  Address c_future_type;
  Address c_task_type;
  Address py_future_type;
  Address py_task_type;  // its instances have the attributes of a FakeTask, see python_task

  Address future(std::uint32_t state = 0);
  Address task(const FakeTask& values, Address type = {});
  Address python_task(const FakeTask& values, std::string_view state, const std::vector<Address>& callbacks = {});
  Address weak_set(const std::vector<Address>& objects);

  Address handle(Address callback, const std::vector<Address>& arguments, bool cancelled = false);
  Address timer(Address when, Address callback, const std::vector<Address>& arguments, bool cancelled = false);
  Address step_of(Address task);

  struct Loop {
    std::vector<Address> ready = {};
    std::vector<Address> scheduled = {};
    std::vector<std::pair<int, Address>> keys = {};  // descriptor -> selector key
    Address thread_id = {};                          // int, or null for None
    bool debug = false;
  };
  Address loop(const Loop& values);
  Address selector_key(int descriptor, Address reader, Address writer);

  // The function that asyncio.sleep's timer calls.
  Address set_result_function();

  // An interpreter whose sys.modules are these, and a thread state in it.
  Address interpreter(const std::vector<FakeEntry>& modules);
  Address thread_state(Address interpreter);
  // Links tasks into the list whose head lies at `head` (3.14+).
  void link_tasks(Address head, const std::vector<Address>& tasks);
  // asyncio.tasks, asyncio.futures and _asyncio, with these global names in asyncio.tasks.
  std::vector<FakeEntry> modules(const std::vector<FakeEntry>& more = {});

  // What find_asyncio would say of an interpreter that has only the classes.
  [[nodiscard]] Asyncio classes() const;

 private:
  FakeHeap& heap_;
  Address handle_type_;
  Address timer_type_;
  Address weak_set_type_;
  Address loop_type_;
  Address selector_type_;
};

}  // namespace asyncspy
