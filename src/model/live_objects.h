// What lives in the target's heap beside tasks, counted: of interest where it is never awaited, finished or closed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace asyncspy {

enum class LiveKind : std::uint8_t {
  kCoroutine,       // created and never started; those of tasks do not count
  kAsyncGenerator,  // suspended, and no frame of a coroutine or generator refers to it
  kInstance,        // of a class that is to be closed
};

struct LiveObjects {
  LiveKind kind = LiveKind::kInstance;
  std::string name;  // of the function, qualified; or of the class
  std::string file;  // of the function, or empty
  int line = 0;      // where it begins, or where the async generator is suspended
  std::uint64_t count = 0;
  std::optional<std::uint64_t> open;  // instances that say that they are not closed; absent: they do not say
};

}  // namespace asyncspy
