#include "page_block_ahead.h"

#include <system_error>
#include <utility>

namespace asyncspy {

PageBlockAhead::PageBlockAhead(std::uint64_t bytes) : block_(bytes), touching_(block_.bytes(), bytes) {
  if (std::thread::hardware_concurrency() < 2) return;
  try {
    thread_ = std::jthread([this] { touching_.work(); });
  } catch (const std::system_error&) {
    // No thread is to be had: finish() does it all.
  }
}

PageBlock PageBlockAhead::finish() {
  touching_.work();
  if (thread_.joinable()) thread_.join();
  return std::move(block_);
}

}  // namespace asyncspy
