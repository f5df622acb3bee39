#include "read_uvloop.h"

#include <algorithm>

#include "callables.h"
#include "containers.h"
#include "number.h"
#include "timeouts.h"

namespace asyncspy {
namespace {

constexpr std::uint64_t kFirstWord = 24;  // after the object header and the vtable pointer
constexpr std::uint64_t kLastWord = 400;
constexpr std::size_t kMaxHandles = 2'000'000;

// uvloop/loop.pxd
constexpr std::uint64_t kLoopUvLoop = 24;
constexpr std::uint64_t kLoopThreadId = 64;
// uvloop/cbhandles.pxd
constexpr std::uint64_t kHandleCancelled = 40;
constexpr std::uint64_t kHandleArguments[] = {72, 80, 88, 96};
constexpr std::uint64_t kTimerCallback = 24;
constexpr std::uint64_t kTimerArguments = 32;
constexpr std::uint64_t kTimerTimer = 48;
// uvloop/handles/handle.pxd
constexpr std::uint64_t kUvHandleHandle = 24;
// libuv, include/uv.h and include/uv/unix.h
constexpr std::uint64_t kUvLoopHandleQueue = 16;
constexpr std::uint64_t kUvLoopTime = 544;  // milliseconds of CLOCK_MONOTONIC, as of the last time that it was updated
constexpr std::uint64_t kUvHandleType = 16;
constexpr std::uint64_t kUvHandleQueue = 32;
constexpr std::uint64_t kUvTimerTimeout = 128;  // absolute milliseconds of CLOCK_MONOTONIC
constexpr std::uint64_t kUvStreamDescriptor = 184;
constexpr std::uint64_t kUvPollDescriptor = 152;

class UvloopRead {
 public:
  UvloopRead(Inspection& inspection, RawLoop& raw, LoopIndex& index) : inspection_(inspection), raw_(raw), index_(index) {}

  void run() {
    check("members of the uvloop loop", find_members());
    check("thread of loop", read_thread());
    if (!ready_.is_null()) check("ready queue", read_ready());
    if (!timers_.is_null()) check("timers", read_timers());
    if (!polls_.is_null()) check("polled descriptors", read_polls());
    check("libuv handles", read_libuv_handles());
    std::vector<int>& descriptors = raw_.loop.descriptors;
    std::sort(descriptors.begin(), descriptors.end());
    descriptors.erase(std::unique(descriptors.begin(), descriptors.end()), descriptors.end());
  }

 private:
  void check(std::string what, const Result<void>& result) {
    if (!result) raw_.loop.gaps.push_back({std::move(what), result.error().what, result.error().at});
  }

  Result<Address> word(Address base, std::uint64_t offset) { return inspection_.reader.memory.read_value<Address>(base + offset); }

  // _ready is the only deque; _timers and _polls are the last pair of a set and a dictionary that follow each other.
  Result<void> find_members() {
    bool last_was_set = false;
    for (std::uint64_t offset = kFirstWord; offset < kLastWord; offset += 8) {
      ASYNCSPY_TRY(value, word(raw_.loop.id, offset));
      if (value.is_null()) {
        last_was_set = false;
        continue;
      }
      auto type = inspection_.types.of(inspection_.reader, value);
      std::string_view name = type ? std::string_view((*type)->name) : std::string_view{};
      if (name == "collections.deque" && ready_.is_null()) ready_ = value;
      if (name == "dict" && last_was_set) {
        ASYNCSPY_TRY(set, word(raw_.loop.id, offset - 8));
        timers_ = set;
        polls_ = value;
      }
      last_was_set = name == "set";
    }
    if (ready_.is_null() || timers_.is_null()) return fail(ErrorKind::kCorrupt, "this version of uvloop is built in another way", {}, raw_.loop.id);
    return {};
  }

  Result<void> read_thread() {
    ASYNCSPY_TRY(thread, inspection_.reader.memory.read_value<std::uint64_t>(raw_.loop.id + kLoopThreadId));
    raw_.thread_id = thread;
    return {};
  }

  Result<void> read_ready() {
    ASYNCSPY_TRY(handles, read_deque(inspection_.reader, ready_));
    raw_.loop.ready = handles.size();
    for (std::size_t i = 0; i < handles.size() && i < kMaxHandles; ++i) {
      for (std::uint64_t offset : kHandleArguments) {
        ASYNCSPY_TRY(argument, word(handles[i], offset));
        if (argument.is_null()) continue;
        const Callable callable = describe_callable(inspection_, argument);
        for (Address held : callable.holds) index_.ready_steps.add(held);
        if (!callable.name.starts_with("run_coroutine_threadsafe.")) continue;
        for (Address held : callable.holds) index_.submitted.emplace(held, raw_.loop.id);
      }
    }
    return {};
  }

  Result<void> read_timers() {
    ASYNCSPY_TRY(handles, read_set(inspection_.reader, timers_));
    for (std::size_t i = 0; i < handles.size() && i < kMaxHandles; ++i) {
      auto timer = read_timer(handles[i]);
      if (timer) {
        raw_.loop.timers.push_back(std::move(*timer));
      } else {
        check("timer", std::unexpected(std::move(timer.error())));
      }
    }
    return {};
  }

  Result<Timer> read_timer(Address handle) {
    Timer timer;
    timer.handle = handle;
    ASYNCSPY_TRY(cancelled, inspection_.reader.memory.read_value<std::int32_t>(handle + kHandleCancelled));
    timer.cancelled = cancelled != 0;
    ASYNCSPY_TRY(uv_timer, word(handle, kTimerTimer));
    ASYNCSPY_TRY(timer_type, inspection_.types.of(inspection_.reader, uv_timer));
    if (timer_type->name == "NoneType") return timer;  // fired or cancelled
    ASYNCSPY_TRY(native, word(uv_timer, kUvHandleHandle));
    ASYNCSPY_TRY(timeout, inspection_.reader.memory.read_value<std::uint64_t>(native + kUvTimerTimeout));
    timer.deadline = static_cast<double>(timeout) / 1000;
    ASYNCSPY_TRY(callback, word(handle, kTimerCallback));
    Callable callable = describe_callable(inspection_, callback);
    timer.callback = callable.name_index;
    ASYNCSPY_TRY(arguments, word(handle, kTimerArguments));
    ASYNCSPY_TRY(arguments_type, inspection_.types.of(inspection_.reader, arguments));
    Handle seen{handle, callback, {}, timer.cancelled, timer.deadline};
    if (arguments_type->name == "tuple") {
      ASYNCSPY_TRY(items, read_tuple(inspection_.reader, arguments));
      seen.arguments = std::move(items);
    }
    if (callable.name == "_set_result_unless_cancelled") {
      if (!seen.arguments.empty()) index_.deadlines.add(seen.arguments.front(), *timer.deadline);
    } else if (!seen.cancelled) {
      index_timeout(inspection_, seen, callable, index_.timeouts);
    }
    return timer;
  }

  // _polls: descriptor -> UVPoll, whose last two members are the handles for reading and writing.
  Result<void> read_polls() {
    ASYNCSPY_TRY(entries, read_dict(inspection_.reader, polls_));
    for (const DictEntry& entry : entries) {
      ASYNCSPY_TRY(number, read_integer(inspection_.reader, entry.key));
      auto descriptor = static_cast<int>(number);
      raw_.loop.descriptors.push_back(descriptor);
      ASYNCSPY_TRY(type, inspection_.types.of(inspection_.reader, entry.value));
      auto size = static_cast<std::uint64_t>(type->basic_size);
      for (std::uint64_t below : {16U, 8U}) {
        ASYNCSPY_TRY(handle, word(entry.value, size - below));
        check("polled descriptor", index_poll(handle, descriptor));
      }
    }
    return {};
  }

  Result<void> index_poll(Address handle, int descriptor) {
    if (handle.is_null()) return {};
    ASYNCSPY_TRY(type, inspection_.types.of(inspection_.reader, handle));
    if (type->name == "NoneType") return {};
    for (std::uint64_t offset : kHandleArguments) {
      ASYNCSPY_TRY(argument, word(handle, offset));
      if (argument.is_null()) continue;
      index_.descriptors.emplace(argument, Watch{descriptor, {}});
      for (Address held : describe_callable(inspection_, argument).holds) {
        if (held != raw_.loop.id) index_.descriptors.emplace(held, Watch{descriptor, {}});
      }
    }
    return {};
  }

  // uv_loop_t.handle_queue links all handles; those of streams and polls have a descriptor.
  Result<void> read_libuv_handles() {
    constexpr std::int32_t kPipe = 7, kPoll = 8, kTcp = 12, kTty = 14;
    ASYNCSPY_TRY(uv_loop, word(raw_.loop.id, kLoopUvLoop));
    if (uv_loop.is_null()) return {};
    Address head = uv_loop + kUvLoopHandleQueue;
    ASYNCSPY_TRY(first, inspection_.reader.memory.read_value<Address>(head));
    Address at = first;
    for (std::size_t count = 0; at != head && !at.is_null(); ++count) {
      if (count > kMaxHandles) return fail(ErrorKind::kCorrupt, "the list does not end", {}, at);
      Address handle = at - kUvHandleQueue;
      ASYNCSPY_TRY(type, inspection_.reader.memory.read_value<std::int32_t>(handle + kUvHandleType));
      bool is_stream = type == kPipe || type == kTcp || type == kTty;
      if (is_stream || type == kPoll) {
        std::uint64_t offset = is_stream ? kUvStreamDescriptor : kUvPollDescriptor;
        ASYNCSPY_TRY(descriptor, inspection_.reader.memory.read_value<std::int32_t>(handle + offset));
        if (descriptor >= 0) {
          raw_.loop.descriptors.push_back(descriptor);
          ASYNCSPY_TRY(owner, inspection_.reader.memory.read_value<Address>(handle));  // uv_handle_t.data: the UVHandle object
          if (!owner.is_null()) index_.transports.emplace(owner, descriptor);
        }
      }
      ASYNCSPY_TRY(next, inspection_.reader.memory.read_value<Address>(at));
      at = next;
    }
    return {};
  }

  Inspection& inspection_;
  RawLoop& raw_;
  LoopIndex& index_;
  Address ready_;
  Address timers_;
  Address polls_;
};

}  // namespace

Result<Address> find_uvloop_ready(Inspection& inspection, Address loop) {
  for (std::uint64_t offset = kFirstWord; offset < kLastWord; offset += 8) {
    ASYNCSPY_TRY(value, inspection.reader.memory.read_value<Address>(loop + offset));
    if (value.is_null()) continue;
    auto type = inspection.types.of(inspection.reader, value);
    if (type && (*type)->name == "collections.deque") return value;  // the only one
  }
  return fail(ErrorKind::kCorrupt, "this version of uvloop is built in another way", {}, loop);
}

Result<Address> find_uvloop_time(Inspection& inspection, Address loop) {
  ASYNCSPY_TRY(uv_loop, inspection.reader.memory.read_value<Address>(loop + kLoopUvLoop));
  if (uv_loop.is_null()) return fail(ErrorKind::kCorrupt, "this loop of uvloop is closed", {}, loop);
  return uv_loop + kUvLoopTime;
}

bool is_uvloop(Inspection& inspection, const Type& type) {
  return inspection.types.inherits(inspection.reader, type, "uvloop.loop.Loop");
}

void read_uvloop(Inspection& inspection, RawLoop& raw, LoopIndex& index) { UvloopRead(inspection, raw, index).run(); }

}  // namespace asyncspy
