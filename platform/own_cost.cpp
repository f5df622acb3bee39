#include "own_cost.h"

#include <unistd.h>

#include <cstdlib>
#include <ctime>

#include "system_files.h"

namespace asyncspy {
namespace {

double read_clock(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

}  // namespace

double monotonic_seconds() { return read_clock(CLOCK_MONOTONIC); }
double processor_seconds() { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }
double thread_processor_seconds() { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

// The second number of statm, in pages.
std::uint64_t resident_bytes() {
  constexpr std::size_t kMostBytes = 4096;
  const FileText text = read_system_file("/proc/self/statm", kMostBytes);
  const std::size_t space = text.ok ? text.text.find(' ') : std::string::npos;
  if (space == std::string::npos) return 0;
  return std::strtoull(text.text.c_str() + space, nullptr, 10) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace asyncspy
