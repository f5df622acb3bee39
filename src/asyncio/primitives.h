// The state of what tasks wait at: asyncio's locks, queues, events, streams, and anyio's of the same kind.
//
// Names of members are those of Lib/asyncio/{locks,queues,streams,base_events}.py, 3.7 to 3.15, and of anyio 3 and 4
// (src/anyio/_backends/_asyncio.py, src/anyio/_core/_synchronization.py, src/anyio/streams/memory.py).
#pragma once

#include <unordered_map>

#include "inspection.h"
#include "primitive.h"
#include "transports.h"

namespace asyncspy {

class PrimitiveTable {
 public:
  PrimitiveTable(Inspection& inspection, Transports& transports) : inspection_(inspection), transports_(transports) {}

  // Reads the primitive at `object` unless it is known. `kind` is the class that defines what the task waits in.
  void add(Address object, std::string_view kind);

  // Puts tasks in place of the futures in the queues of the primitives. `task_of` maps a future to the task that awaits it.
  void resolve_waiters(const std::unordered_map<Address, Address>& task_of);

  [[nodiscard]] std::vector<Primitive>& primitives() { return primitives_; }
  [[nodiscard]] Primitive* find(Address object);

 private:
  void read(Primitive& primitive, std::vector<Address>& futures);
  void read_lock_like(Primitive& primitive, std::vector<Address>& futures);
  void read_queue(Primitive& primitive, std::vector<Address>& futures);
  void read_condition(Primitive& primitive);
  void read_barrier(Primitive& primitive);
  void read_stream(Primitive& primitive);
  void read_server(Primitive& primitive);
  void read_limiter(Primitive& primitive);
  void read_group(Primitive& primitive);
  void add_number(Primitive& primitive, std::string_view attribute, std::string_view fact);
  void add_flag(Primitive& primitive, std::string_view attribute, std::string_view fact);
  void add_count(Primitive& primitive, std::string_view attribute, std::string_view fact);
  void add_futures(Primitive& primitive, std::string_view attribute, std::vector<Address>& futures);

  Inspection& inspection_;
  Transports& transports_;
  std::vector<Primitive> primitives_;
  std::vector<std::vector<Address>> futures_;  // beside each: what lies in its queue of waiters
  std::unordered_map<Address, std::size_t> indices_;
};

}  // namespace asyncspy
