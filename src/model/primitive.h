// Something of asyncio (or of anyio) that tasks wait at: a lock, a queue, an event, a stream, a limiter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "address.h"
#include "gap.h"

namespace asyncspy {

// One member of its state, under asyncio's own word for it: "locked", "size", "maxsize", "unfinished_tasks".
struct Fact {
  std::string name;
  std::variant<bool, std::int64_t, double, std::string> value;
};

// A task that keeps a primitive from others.
struct Holder {
  Address task;
  std::string how;  // on what this rests: "inside `async with` of transfer", "in a local variable of transfer"
  bool certain = false;  // the frame is between __aenter__ and __aexit__, or the object itself names the task
};

struct Primitive {
  Address id;
  std::string kind;  // "Lock", "Queue", "StreamReader", ...: the class of asyncio that it is or derives from
  std::string type;  // its own class
  std::vector<Fact> facts;
  std::vector<Address> waiters;       // tasks, in the order in which they will be served
  std::uint64_t strange_waiters = 0;  // futures in its queue that no known task awaits
  std::vector<Holder> holders;        // of locks, semaphores, limiters
  Address lock;                       // of a Condition: its lock
  std::int32_t descriptor = -1;       // of a stream: its transport's descriptor, -1: none or not known
  std::vector<Gap> gaps;

  [[nodiscard]] std::optional<std::int64_t> number(std::string_view name) const {
    for (const Fact& fact : facts) {
      if (fact.name != name) continue;
      if (const auto* number = std::get_if<std::int64_t>(&fact.value)) return *number;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::optional<bool> flag(std::string_view name) const {
    for (const Fact& fact : facts) {
      if (fact.name != name) continue;
      if (const auto* flag = std::get_if<bool>(&fact.value)) return *flag;
    }
    return std::nullopt;
  }
};

}  // namespace asyncspy
