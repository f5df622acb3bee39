#include "parallel.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <system_error>
#include <thread>
#include <vector>

namespace asyncspy {
namespace {

constexpr std::size_t kMostThreads = 4;

constexpr std::size_t kPage = 4096;
constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::chrono::microseconds kSlow{400};  // for one huge page
constexpr std::size_t kWorthHuge = std::size_t{16} << 20;  // less takes about as long in small pages as one slow huge page
constexpr std::size_t kBytesPerThread = std::size_t{2} << 20;

}  // namespace

void work_together(std::size_t threads, const std::function<void()>& work) {
  const std::size_t most = std::min<std::size_t>(kMostThreads, std::max(1U, std::thread::hardware_concurrency()));
  std::vector<std::jthread> helpers;
  try {
    for (std::size_t i = 1; i < std::min(most, threads); ++i) helpers.emplace_back(work);
  } catch (const std::system_error&) {
    // No more threads are allowed: those that there are do it.
  }
  work();
}

namespace {

using Clock = std::chrono::steady_clock;

// Many pages in one call where the kernel (5.14) can do that; some may be there already.
void touch_small_pages(std::byte* memory, std::size_t bytes) {
#ifdef MADV_POPULATE_WRITE
  const auto start = (reinterpret_cast<std::uintptr_t>(memory) + kPage - 1) / kPage * kPage;
  const auto end = reinterpret_cast<std::uintptr_t>(memory + bytes) / kPage * kPage;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): rounded to whole pages
  if (end > start && ::madvise(reinterpret_cast<void*>(start), end - start, MADV_POPULATE_WRITE) == 0) return;
#endif
  for (std::size_t at = 0; at < bytes; at += kPage) memory[at] = std::byte{0};
}

// Says how long it took.
Clock::duration touch_huge_page(std::byte* memory) {
  const auto begin = Clock::now();
  ::madvise(memory, kHugePage, MADV_HUGEPAGE);
  for (std::size_t at = 0; at < kHugePage; at += kPage) memory[at] = std::byte{0};
  return Clock::now() - begin;
}

}  // namespace

// A huge page costs a tenth of its small ones, unless the kernel has to move others about to make room for it, or a hypervisor
// has to find the memory first: then it costs ten times as much. So one thread tries it, and only then the others do it, too; when
// it takes long, there is no other one in this process. For little memory the risk is not worth it.
void touch_pages(std::byte* memory, std::size_t bytes) {
  enum class HugePages : std::uint8_t { kUntried, kBeingTried, kQuick, kSlow };
  static std::atomic<HugePages> huge_pages = HugePages::kUntried;
  const auto address = reinterpret_cast<std::uintptr_t>(memory);
  const std::size_t before = std::min(bytes, (kHugePage - address % kHugePage) % kHugePage);
  touch_small_pages(memory, before);
  std::atomic<std::size_t> next = before;
  work_together(bytes / kBytesPerThread, [&] {
    for (std::size_t from = next.fetch_add(kHugePage); from < bytes; from = next.fetch_add(kHugePage)) {
      const std::size_t share = std::min(kHugePage, bytes - from);
      HugePages known = HugePages::kUntried;
      const bool may_be_huge = share == kHugePage && bytes >= kWorthHuge;
      if (may_be_huge && (huge_pages.compare_exchange_strong(known, HugePages::kBeingTried) || known == HugePages::kQuick)) {
        const bool is_slow = touch_huge_page(memory + from) > kSlow;
        if (is_slow || known == HugePages::kUntried) huge_pages = is_slow ? HugePages::kSlow : HugePages::kQuick;
      } else {
        touch_small_pages(memory + from, share);
      }
    }
  });
}

}  // namespace asyncspy
