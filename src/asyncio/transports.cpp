#include "transports.h"

#include <algorithm>

#include "object_attributes.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostObjects = 48;  // looked at from one object
constexpr int kMostSteps = 5;
constexpr int kHighestDescriptor = 1 << 24;

// In the order in which they are tried. Those of asyncio first, then of the libraries.
constexpr std::string_view kSteps[] = {
    "_transport",  "transport",   "_ssl_protocol", "_protocol", "protocol",   "_sock",   "sock",    "_socket",   "socket",
    "_reader",     "reader",      "_stream_reader", "_writer",  "writer",     "_stream", "stream",  "transport_stream",
    "_connection", "connection",  "_conn",          "conn",     "_con",       "_raw_socket"};

struct Place {
  Address object;
  std::string path;
  bool is_tls = false;
  int steps = 0;
};

}  // namespace

// Modules/socketmodule.h, PySocketSockObject: the descriptor is the first member, in all versions.
std::optional<int> Transports::descriptor_of(Address object) {
  constexpr std::uint64_t kSocketDescriptor = 16;
  auto plausible = [](std::int64_t number) { return number >= 0 && number < kHighestDescriptor; };
  if (is_instance(inspection_, object, "_socket.socket")) {
    auto number = inspection_.reader.memory.read_value<std::int32_t>(object + kSocketDescriptor);
    return number && plausible(*number) ? std::optional(static_cast<int>(*number)) : std::nullopt;
  }
  for (std::string_view name : {"_sock_fd", "_fileno"}) {  // socket transports; pipe transports
    auto number = find_integer(inspection_, object, name);
    if (number && plausible(*number)) return static_cast<int>(*number);
  }
  auto watched = index_.transports.find(object);  // what the loop calls when a descriptor is ready, and uvloop's transports
  return watched == index_.transports.end() ? std::nullopt : std::optional(watched->second);
}

std::optional<Transport> Transports::find_from(Address object) {
  if (object.is_null()) return std::nullopt;
  if (auto known = known_.find(object); known != known_.end()) return known->second;
  std::vector<Place> places{{object, {}, false, 0}};
  std::optional<Transport> found;
  for (std::size_t i = 0; i < places.size() && !found; ++i) {
    const Place place = places[i];
    std::string_view type = type_name_of(inspection_, place.object);
    if (auto descriptor = descriptor_of(place.object)) {
      found = Transport{*descriptor, place.is_tls, std::string(type), place.path};
      break;
    }
    if (place.steps == kMostSteps) continue;
    bool is_tls = place.is_tls || type.ends_with("SSLProtocol") || type.ends_with("_SSLProtocolTransport");
    for (std::string_view step : kSteps) {
      if (places.size() >= kMostObjects) break;
      Address next = find_object(inspection_, place.object, step);
      if (next.is_null() || std::ranges::find(places, next, &Place::object) != places.end()) continue;
      places.push_back({next, place.path.empty() ? std::string(step) : place.path + "." + std::string(step), is_tls, place.steps + 1});
    }
  }
  known_.emplace(object, found);
  return found;
}

}  // namespace asyncspy
