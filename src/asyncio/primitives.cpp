#include "primitives.h"

#include "number.h"
#include "object_attributes.h"
#include "represent.h"
#include "text.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostWaiters = 2'000'000;

}  // namespace

Primitive* PrimitiveTable::find(Address object) {
  auto known = indices_.find(object);
  return known == indices_.end() ? nullptr : &primitives_[known->second];
}

void PrimitiveTable::add(Address object, std::string_view kind) {
  if (object.is_null() || !indices_.emplace(object, primitives_.size()).second) return;
  Primitive primitive;
  primitive.id = object;
  primitive.kind = kind;
  primitive.type = type_name_of(inspection_, object);
  std::vector<Address> futures;
  read(primitive, futures);
  Address lock = primitive.lock;
  primitives_.push_back(std::move(primitive));
  futures_.push_back(std::move(futures));
  if (!lock.is_null()) add(lock, "Lock");
}

void PrimitiveTable::read(Primitive& primitive, std::vector<Address>& futures) {
  const std::string& kind = primitive.kind;
  if (kind == "Lock" || kind == "Semaphore" || kind == "BoundedSemaphore" || kind == "Event") return read_lock_like(primitive, futures);
  if (kind == "Condition") {
    add_futures(primitive, "_waiters", futures);
    return read_condition(primitive);
  }
  if (kind.ends_with("Queue")) return read_queue(primitive, futures);
  if (kind == "Barrier") return read_barrier(primitive);
  if (kind.starts_with("Stream") || kind == "FlowControlMixin") return read_stream(primitive);
  if (kind == "Server") return read_server(primitive);
  if (kind == "CapacityLimiter") return read_limiter(primitive);
  if (kind == "TaskGroup") return read_group(primitive);
  if (kind.starts_with("MemoryObject")) {
    Address state = find_object(inspection_, primitive.id, "_state");
    auto size = count_elements(inspection_, find_object(inspection_, state, "buffer"));
    if (size) primitive.facts.push_back({"size", *size});
    for (const char* name : {"max_buffer_size", "open_send_channels", "open_receive_channels"}) {
      if (auto number = find_integer(inspection_, state, name)) primitive.facts.push_back({name, *number});
    }
  }
}

void PrimitiveTable::add_number(Primitive& primitive, std::string_view attribute, std::string_view fact) {
  if (auto number = find_integer(inspection_, primitive.id, attribute)) primitive.facts.push_back({std::string(fact), *number});
}

void PrimitiveTable::add_flag(Primitive& primitive, std::string_view attribute, std::string_view fact) {
  if (auto flag = find_flag(inspection_, primitive.id, attribute)) primitive.facts.push_back({std::string(fact), *flag});
}

void PrimitiveTable::add_count(Primitive& primitive, std::string_view attribute, std::string_view fact) {
  auto count = count_elements(inspection_, find_object(inspection_, primitive.id, attribute));
  if (count) primitive.facts.push_back({std::string(fact), *count});
}

// asyncio keeps futures; anyio 4 pairs of (task, future), and in its limiter a dictionary of borrowers to events.
void PrimitiveTable::add_futures(Primitive& primitive, std::string_view attribute, std::vector<Address>& futures) {
  for (Address item : read_elements(inspection_, find_object(inspection_, primitive.id, attribute), kMostWaiters)) {
    if (type_name_of(inspection_, item) == "tuple") {
      auto parts = read_elements(inspection_, item, 2);
      if (parts.size() == 2) item = parts[1];
    }
    futures.push_back(item);
  }
}

void PrimitiveTable::read_lock_like(Primitive& primitive, std::vector<Address>& futures) {
  Address inner = find_object(inspection_, primitive.id, "_event");  // anyio's Event wraps asyncio's
  if (!inner.is_null()) {
    if (auto set = find_flag(inspection_, inner, "_value")) primitive.facts.push_back({"set", *set});
    futures = read_elements(inspection_, find_object(inspection_, inner, "_waiters"), kMostWaiters);
    return;
  }
  if (primitive.kind == "Lock") {
    add_flag(primitive, "_locked", "locked");
    if (Address owner = find_object(inspection_, primitive.id, "_owner_task"); !owner.is_null()) {  // anyio 4
      primitive.facts.push_back({"locked", true});
      primitive.holders.push_back({owner, "the lock names it as its owner", true});
    }
  } else if (primitive.kind == "Event") {
    add_flag(primitive, "_value", "set");
  } else {
    add_number(primitive, "_value", "value");
    add_number(primitive, "_bound_value", "bound");
    add_number(primitive, "_max_value", "bound");  // anyio
  }
  add_futures(primitive, "_waiters", futures);
}

// asyncio's (Lib/asyncio/taskgroups.py): `_aborting` once its children are cancelled. anyio's has a cancel scope for that.
void PrimitiveTable::read_group(Primitive& primitive) {
  add_flag(primitive, "_aborting", "cancelling");
  if (Address scope = find_object(inspection_, primitive.id, "cancel_scope"); !scope.is_null()) {
    if (auto called = find_flag(inspection_, scope, "_cancel_called")) primitive.facts.push_back({"cancelling", *called});
  }
  add_count(primitive, "_tasks", "tasks");
  for (std::string_view attribute : {"_errors", "_exceptions"}) {
    Address errors = find_object(inspection_, primitive.id, attribute);
    auto count = count_elements(inspection_, errors);
    if (!count) continue;
    primitive.facts.push_back({"errors", *count});
    const std::vector<Address> first = read_elements(inspection_, errors, 1);
    if (!first.empty()) primitive.facts.push_back({"error", Representer(inspection_.reader, inspection_.types).represent_exception(first.front())});
  }
}

void PrimitiveTable::read_condition(Primitive& primitive) {
  primitive.lock = find_object(inspection_, primitive.id, "_lock");
}

void PrimitiveTable::read_queue(Primitive& primitive, std::vector<Address>& futures) {
  add_count(primitive, "_queue", "size");
  add_number(primitive, "_maxsize", "maxsize");
  add_number(primitive, "_unfinished_tasks", "unfinished_tasks");
  add_count(primitive, "_getters", "getters");
  add_count(primitive, "_putters", "putters");
  add_flag(primitive, "_is_shutdown", "shut_down");  // 3.13+
  add_futures(primitive, "_getters", futures);
  add_futures(primitive, "_putters", futures);
  Address finished = find_object(inspection_, primitive.id, "_finished");  // the Event of join()
  for (Address waiter : read_elements(inspection_, find_object(inspection_, finished, "_waiters"), kMostWaiters)) futures.push_back(waiter);
}

void PrimitiveTable::read_barrier(Primitive& primitive) {
  add_number(primitive, "_parties", "parties");
  add_number(primitive, "_count", "count");
  Address state = find_object(inspection_, primitive.id, "_state");  // a member of locks._BarrierState
  Address value = find_object(inspection_, state, "_value_");
  if (auto text = is_instance(inspection_, value, "str") ? read_text(inspection_.reader, value) : Result<std::string>{}; text && !text->empty()) {
    primitive.facts.push_back({"state", *text});
  }
}

// StreamReader knows its transport; StreamWriter has one, too; the protocol of drain() has both.
void PrimitiveTable::read_stream(Primitive& primitive) {
  add_count(primitive, "_buffer", "buffered");
  add_number(primitive, "_limit", "limit");
  add_flag(primitive, "_eof", "eof");
  add_flag(primitive, "_paused", "paused");
  if (auto transport = transports_.find_from(primitive.id)) {
    primitive.descriptor = transport->descriptor;
    primitive.facts.push_back({"tls", transport->is_tls});
    if (!transport->type.empty()) primitive.facts.push_back({"transport", transport->type});
  }
}

void PrimitiveTable::read_server(Primitive& primitive) {
  add_count(primitive, "_sockets", "sockets");
  add_number(primitive, "_active_count", "connections");  // up to 3.12
  add_count(primitive, "_clients", "connections");        // 3.13+
  add_flag(primitive, "_serving", "serving");
  auto sockets = read_elements(inspection_, find_object(inspection_, primitive.id, "_sockets"), 1);
  if (!sockets.empty()) {
    if (auto transport = transports_.find_from(sockets.front())) primitive.descriptor = transport->descriptor;
  }
}

void PrimitiveTable::read_limiter(Primitive& primitive) {
  Address total = find_object(inspection_, primitive.id, "_total_tokens");
  if (is_instance(inspection_, total, "float")) {
    if (auto number = read_float(inspection_.reader, total)) primitive.facts.push_back({"total_tokens", *number});
  } else {
    add_number(primitive, "_total_tokens", "total_tokens");
  }
  add_count(primitive, "_borrowers", "borrowed_tokens");
  add_count(primitive, "_wait_queue", "waiting");
  for (Address borrower : read_elements(inspection_, find_object(inspection_, primitive.id, "_borrowers"), kMostWaiters)) {
    primitive.holders.push_back({borrower, "the limiter names it as a borrower", true});
  }
}

void PrimitiveTable::resolve_waiters(const std::unordered_map<Address, Address>& task_of) {
  for (std::size_t i = 0; i < primitives_.size(); ++i) {
    for (Address future : futures_[i]) {
      auto task = task_of.find(future);
      if (task != task_of.end()) {
        primitives_[i].waiters.push_back(task->second);
      } else {
        ++primitives_[i].strange_waiters;
      }
    }
    futures_[i].clear();
  }
}

}  // namespace asyncspy
