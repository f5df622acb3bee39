// Which descriptor an object of the target reads from or writes to: transports, protocols, streams, sockets and what keeps
// one of these as an attribute.
//
// Names of members: Lib/asyncio/{selector_events,unix_events,sslproto,streams}.py; the attributes by which aiohttp, asyncpg,
// redis, websockets and anyio reach their transports.
#pragma once

#include <optional>
#include <string>

#include "inspection.h"
#include "read_loop.h"

namespace asyncspy {

struct Transport {
  int descriptor = -1;
  bool is_tls = false;
  std::string type;  // of the transport or socket
  std::string path;  // the attributes that lead to it: "_protocol.transport"; empty: the object itself
};

class Transports {
 public:
  Transports(Inspection& inspection, const LoopIndex& index) : inspection_(inspection), index_(index) {}

  // The nearest transport or socket that can be reached from `object` over attributes with telling names, within few steps.
  [[nodiscard]] std::optional<Transport> find_from(Address object);

 private:
  [[nodiscard]] std::optional<int> descriptor_of(Address object);

  Inspection& inspection_;
  const LoopIndex& index_;
  std::unordered_map<Address, std::optional<Transport>> known_;
};

}  // namespace asyncspy
