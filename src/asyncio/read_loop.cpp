#include "read_loop.h"

#include "callables.h"
#include "containers.h"
#include "instance.h"
#include "number.h"
#include "read_uvloop.h"
#include "timeouts.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMaxHandles = 2'000'000;

// The future that a timer completes: asyncio.sleep schedules futures._set_result_unless_cancelled(future, result).
// Other callbacks that hold a future (wait_for's timeout) give up waiting, they do not complete what is awaited.
Address future_completed_by(const Handle& handle, const Callable& callable) {
  bool sets_result = callable.name == "_set_result_unless_cancelled" && !handle.arguments.empty();
  return sets_result ? handle.arguments.front() : Address{};
}

class LoopRead {
 public:
  LoopRead(Inspection& inspection, Address object, LoopIndex& index) : inspection_(inspection), index_(index) {
    raw_.loop.id = object;
  }

  RawLoop run() {
    auto type = inspection_.types.of(inspection_.reader, raw_.loop.id);
    if (!type) {
      gap("loop", type.error());
      return std::move(raw_);
    }
    raw_.loop.type = (*type)->name;
    if (is_uvloop(inspection_, **type)) {
      read_uvloop(inspection_, raw_, index_);
      return std::move(raw_);
    }
    auto attributes = read_attributes(inspection_.reader, **type, raw_.loop.id);
    if (!attributes) {
      gap("attributes of loop", attributes.error());
      return std::move(raw_);
    }
    attributes_ = std::move(*attributes);
    check("debug flag", read_debug());
    check("thread of loop", read_thread());
    check("ready queue", read_ready());
    check("timers", read_timers());
    check("watched descriptors", read_selector());
    return std::move(raw_);
  }

 private:
  void gap(std::string what, const Error& error) { raw_.loop.gaps.push_back({std::move(what), error.what, error.at}); }
  void check(std::string what, const Result<void>& result) {
    if (!result) gap(std::move(what), result.error());
  }

  // An attribute of the loop, null when it is missing or None.
  Result<Address> attribute(std::string_view name) {
    ASYNCSPY_TRY(value, find_in_entries(inspection_.reader, attributes_, name));
    if (!value) return Address{};
    ASYNCSPY_TRY(type, inspection_.types.of(inspection_.reader, *value));
    return type->name == "NoneType" ? Address{} : *value;
  }

  Result<void> read_debug() {
    ASYNCSPY_TRY(debug, attribute("_debug"));
    if (debug.is_null()) return {};
    ASYNCSPY_TRY(value, read_integer(inspection_.reader, debug));
    raw_.loop.debug = value != 0;
    return {};
  }

  Result<void> read_thread() {
    ASYNCSPY_TRY(thread, attribute("_thread_id"));
    if (thread.is_null()) return {};
    ASYNCSPY_TRY(value, read_integer(inspection_.reader, thread));
    raw_.thread_id = static_cast<std::uint64_t>(value);
    return {};
  }

  Result<void> read_ready() {
    ASYNCSPY_TRY(ready, attribute("_ready"));
    if (ready.is_null()) return fail(ErrorKind::kCorrupt, "the loop has no _ready: " + raw_.loop.type, {}, raw_.loop.id);
    ASYNCSPY_TRY(handles, read_deque(inspection_.reader, ready));
    raw_.loop.ready = handles.size();
    for (std::size_t i = 0; i < handles.size() && i < kMaxHandles; ++i) {
      auto handle = read_handle(inspection_, handles[i]);
      if (!handle) {
        gap("handle in the ready queue", handle.error());
        continue;
      }
      if (handle->cancelled) continue;
      if (handle->when && (!raw_.ready_deadline || *handle->when < *raw_.ready_deadline)) raw_.ready_deadline = handle->when;
      Callable callable = describe_callable(inspection_, handle->callback);
      for (Address held : callable.holds) index_.ready_steps.add(held);
      if (callable.name.starts_with("run_coroutine_threadsafe.")) {
        for (Address held : callable.holds) index_.submitted.emplace(held, raw_.loop.id);
      }
      // A timer that is due moves here before it is executed: until then its future is pending.
      if (!handle->when) continue;
      index_timer(*handle, callable);
      index_timeout(inspection_, *handle, callable, index_.timeouts);
    }
    return {};
  }

  Result<void> read_timers() {
    ASYNCSPY_TRY(scheduled, attribute("_scheduled"));
    if (scheduled.is_null()) return {};
    ASYNCSPY_TRY(handles, read_list(inspection_.reader, scheduled));
    raw_.loop.timers.reserve(std::min(handles.size(), kMaxHandles));
    index_.deadlines.reserve(std::min(handles.size(), kMaxHandles));
    for (std::size_t i = 0; i < handles.size() && i < kMaxHandles; ++i) {
      auto handle = read_handle(inspection_, handles[i]);
      if (!handle) {
        gap("timer", handle.error());
        continue;
      }
      Callable callable;
      if (!handle->cancelled) callable = describe_callable(inspection_, handle->callback);
      if (!handle->cancelled) {
        index_timer(*handle, callable);
        index_timeout(inspection_, *handle, callable, index_.timeouts);
      }
      raw_.loop.timers.push_back(
          {.handle = handle->address, .deadline = handle->when, .cancelled = handle->cancelled, .callback = callable.name_index});
    }
    return {};
  }

  void index_timer(const Handle& handle, const Callable& callable) {
    if (handle.when) index_.deadlines.add(future_completed_by(handle, callable), *handle.when);
  }

  // Lib/selectors.py: _fd_to_key maps descriptors to SelectorKey(fileobj, fd, events, data); data is (reader, writer).
  Result<void> read_selector() {
    ASYNCSPY_TRY(selector, attribute("_selector"));
    if (selector.is_null()) return {};
    ASYNCSPY_TRY(type, inspection_.types.of(inspection_.reader, selector));
    ASYNCSPY_TRY(keys, find_attribute(inspection_.reader, inspection_.types, *type, selector, "_fd_to_key"));
    if (!keys) return {};
    ASYNCSPY_TRY(entries, read_dict(inspection_.reader, *keys));
    for (const DictEntry& entry : entries) {
      ASYNCSPY_TRY(descriptor, read_integer(inspection_.reader, entry.key));
      raw_.loop.descriptors.push_back(static_cast<int>(descriptor));
      check("watched descriptor", index_descriptor(entry.value, static_cast<int>(descriptor)));
    }
    return {};
  }

  Result<void> index_descriptor(Address key, int descriptor) {
    ASYNCSPY_TRY(parts, read_tuple(inspection_.reader, key));
    if (parts.size() != 4) return fail(ErrorKind::kCorrupt, "not a selector key", {}, key);
    ASYNCSPY_TRY(data_type, inspection_.types.of(inspection_.reader, parts[3]));
    if (data_type->name != "tuple") return {};
    ASYNCSPY_TRY(data, read_tuple(inspection_.reader, parts[3]));
    for (Address handle_address : data) {
      ASYNCSPY_TRY(type, inspection_.types.of(inspection_.reader, handle_address));
      if (type->name == "NoneType") continue;
      ASYNCSPY_TRY(handle, read_handle(inspection_, handle_address));
      if (handle.cancelled) continue;
      Callable callable = describe_callable(inspection_, handle.callback);
      for (Address held : callable.holds) {
        if (held == raw_.loop.id) continue;
        index_.transports.emplace(held, descriptor);
        index_.descriptors.emplace(held, Watch{descriptor, std::string(callable.name)});
      }
      for (Address argument : handle.arguments) index_.descriptors.emplace(argument, Watch{descriptor, std::string(callable.name)});
    }
    return {};
  }

  Inspection& inspection_;
  LoopIndex& index_;
  RawLoop raw_;
  std::vector<DictEntry> attributes_;
};

}  // namespace

RawLoop read_loop(Inspection& inspection, Address object, LoopIndex& index) { return LoopRead(inspection, object, index).run(); }

}  // namespace asyncspy
