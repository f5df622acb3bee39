// A system call that a thread sleeps in, in words: on which descriptors, for how long, on which word of memory.
//
// What a descriptor is (its path, its peer) the caller adds, who has the Descriptor.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "memory.h"
#include "process_facts.h"

namespace asyncspy {

struct DecodedCall {
  std::string name;                         // "recvfrom"; "system call 999" for an unknown number
  std::string text;                         // "recvfrom(fd 12)"; safe to print
  std::optional<int> descriptor;            // the first descriptor argument
  std::vector<int> further_descriptors;     // those of poll and select behind it, bounded
  std::optional<double> remaining_seconds;  // until a sleep or a timeout ends; negative: overdue; absent: not known
  Address object;                           // futex word, or null
};

// When the arguments' memory was read. A stop interrupts the call, and with that makes the kernel write down how much
// of a select, ppoll or nanosleep is left; on a thread that sleeps on, the same memory holds the whole time.
enum class CallMoment { kStopped, kAsleep };

// `monotonic_now_ns` is 0 where it is not known.
[[nodiscard]] DecodedCall decode_system_call(const SystemCall& call, Memory& memory, std::int64_t monotonic_now_ns,
                                             CallMoment moment = CallMoment::kStopped);

// "27.3 s", "20 ms".
[[nodiscard]] std::string format_seconds(double seconds);

}  // namespace asyncspy
