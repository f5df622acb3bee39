#include "heap_census.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <unordered_map>

#include "frame_values.h"
#include "generators.h"
#include "object_attributes.h"

namespace asyncspy {
namespace {

// Classes whose instances are to be closed, and the attributes that tell whether they are. One of `closed` is true, or the
// object under `needs` is gone: closed. (aiohttp client.py, connector.py; httpx _client.py; asyncpg pool.py, connection.py;
// redis asyncio/connection.py; sqlalchemy ext/asyncio/engine.py; psycopg_pool base.py; asyncio streams.py, selector_events.py.)
struct Closable {
  std::string_view name;
  std::string_view closed[2];
  std::string_view needs;
};
constexpr Closable kClosable[] = {
    {"aiohttp.client.ClientSession", {}, "_connector"},
    {"aiohttp.connector.BaseConnector", {"_closed"}, {}},
    {"httpx._client.AsyncClient", {}, {}},
    {"asyncpg.pool.Pool", {"_closed"}, {}},
    {"asyncpg.connection.Connection", {"_aborted"}, "_protocol"},
    {"redis.asyncio.connection.ConnectionPool", {}, {}},
    {"sqlalchemy.ext.asyncio.engine.AsyncEngine", {}, {}},
    {"psycopg_pool.base.BasePool", {"_closed"}, {}},
    {"asyncio.streams.StreamWriter", {}, "_transport"},
    {"asyncio.selector_events._SelectorTransport", {"_closing"}, {}},
};

enum class Role : std::uint8_t { kNone, kTask, kCoroutine, kGenerator, kAsyncGenerator, kClosable };

struct TypeRole {
  Role role = Role::kNone;
  const Closable* closable = nullptr;
  std::size_t place = 0;  // of its class among the counts
};

class CensusTaker {
 public:
  CensusTaker(Inspection& inspection, const Asyncio& asyncio) : inspection_(inspection), asyncio_(asyncio) {}

  HeapCensus run(const std::vector<Address>& objects) {
    census_.objects = objects.size();
    for (Address object : objects) look_at(object);
    std::erase_if(async_generators_, [this](Address each) { return referred_.contains(each); });
    census_.suspended = std::move(async_generators_);
    std::erase_if(census_.instances, [](const LiveObjects& each) { return each.count == 0; });
    std::ranges::stable_sort(census_.instances, std::ranges::greater(), &LiveObjects::count);
    return std::move(census_);
  }

 private:
  void look_at(Address object) {
    auto type = inspection_.reader.type_of(object);
    if (!type || type->is_null()) return;
    const TypeRole& role = role_of(*type);
    switch (role.role) {
      case Role::kNone: return;
      case Role::kTask: census_.tasks.push_back(object); return;
      case Role::kCoroutine: return look_at_frame(object, FrameKind::kCoroutine);
      case Role::kGenerator: return look_at_frame(object, FrameKind::kGenerator);
      case Role::kAsyncGenerator: return look_at_frame(object, FrameKind::kAsyncGenerator);
      case Role::kClosable: return count(object, role);
    }
  }

  const TypeRole& role_of(Address type) {
    if (const TypeRole* known = roles_.find(type)) return *known;
    roles_.add(type, decide(type));
    return *roles_.find(type);
  }

  TypeRole decide(Address address) {
    auto found = inspection_.types.find(inspection_.reader, address);
    if (!found) return {};
    const Type& type = **found;
    if (is_task_type(asyncio_, type)) return {.role = Role::kTask};
    switch (type.kind) {
      case TypeKind::kCoroutine: return {.role = Role::kCoroutine};
      case TypeKind::kGenerator: return {.role = Role::kGenerator};
      case TypeKind::kAsyncGenerator: return {.role = Role::kAsyncGenerator};
      default: break;
    }
    for (const Closable& closable : kClosable) {
      if (!inspection_.types.inherits(inspection_.reader, type, closable.name)) continue;
      census_.instances.push_back({.kind = LiveKind::kInstance, .name = type.name, .file = {}, .open = {}});
      return {.role = Role::kClosable, .closable = &closable, .place = census_.instances.size() - 1};
    }
    return {};
  }

  // What frames hold is in use by them.
  void look_at_frame(Address object, FrameKind kind) {
    auto generator = read_generator(inspection_, object, kind);
    if (!generator || generator->frame.is_null()) return;
    if (generator->phase == GeneratorPhase::kCreated && kind == FrameKind::kCoroutine) census_.unstarted.push_back(object);
    if (generator->phase == GeneratorPhase::kSuspended && kind == FrameKind::kAsyncGenerator && generator->delegate.is_null()) {
      async_generators_.push_back(object);
    }
    auto values = read_frame_values(inspection_, generator->frame);
    if (!values) return;
    for (Address value : values->locals) referred_.add(value);
    for (Address value : values->stack) referred_.add(value);
  }

  void count(Address object, const TypeRole& role) {
    LiveObjects& counted = census_.instances[role.place];
    ++counted.count;
    if (const auto open = is_open(object, *role.closable)) counted.open = counted.open.value_or(0) + (*open ? 1 : 0);
  }

  std::optional<bool> is_open(Address object, const Closable& closable) {
    if (!closable.needs.empty()) {
      Address needed = find_object(inspection_, object, closable.needs);
      if (needed.is_null()) return false;
      for (std::string_view attribute : {"_closed", "_closing"}) {
        if (auto flag = find_flag(inspection_, needed, attribute)) return !*flag;
      }
    }
    for (std::string_view attribute : closable.closed) {
      if (attribute.empty()) continue;
      if (auto flag = find_flag(inspection_, object, attribute)) return !*flag;
    }
    return std::nullopt;
  }

  Inspection& inspection_;
  const Asyncio& asyncio_;
  HeapCensus census_;
  AddressMap<TypeRole> roles_;
  std::vector<Address> async_generators_;
  AddressSet referred_;
};

}  // namespace

HeapCensus take_heap_census(Inspection& inspection, const Asyncio& asyncio, const std::vector<Address>& objects) {
  return CensusTaker(inspection, asyncio).run(objects);
}

std::vector<LiveObjects> count_by_place(Inspection& inspection, const std::vector<Address>& generators, LiveKind kind) {
  std::map<std::tuple<FunctionIndex, int>, LiveObjects> places;
  for (Address object : generators) {
    auto generator = read_generator(inspection, object, kind == LiveKind::kCoroutine ? FrameKind::kCoroutine : FrameKind::kAsyncGenerator);
    if (!generator || generator->shown.function == kNoFunction) continue;
    const Function& function = inspection.codes.functions()[generator->shown.function];
    LiveObjects& counted = places[{generator->shown.function, generator->shown.line}];
    counted.kind = kind;
    counted.name = generator->shown.name != kNoFunction ? std::string(inspection.names.name(generator->shown.name)) : function.qualified_name;
    counted.file = function.file;
    counted.line = generator->shown.line;
    ++counted.count;
  }
  std::vector<LiveObjects> counts;
  for (auto& [place, counted] : places) counts.push_back(std::move(counted));
  std::ranges::stable_sort(counts, std::ranges::greater(), &LiveObjects::count);
  return counts;
}

}  // namespace asyncspy
