// What asyncspy itself uses, and the clock by which it does: for commands that run for long and say what they cost.
#pragma once

#include <cstdint>

namespace asyncspy {

// Seconds of CLOCK_MONOTONIC.
[[nodiscard]] double monotonic_seconds();

// Processor seconds of all threads of this process; of the calling thread.
[[nodiscard]] double processor_seconds();
[[nodiscard]] double thread_processor_seconds();

// 0: could not be read.
[[nodiscard]] std::uint64_t resident_bytes();

}  // namespace asyncspy
