#include "page_block.h"

#include <sys/mman.h>

#include <new>
#include <utility>

namespace asyncspy {
namespace {

constexpr std::uintptr_t kHugePage = 2U << 20;

}  // namespace

PageBlock::PageBlock(std::uint64_t bytes) : mapped_(bytes + kHugePage) {
  mapping_ = ::mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping_ == MAP_FAILED) {
    mapping_ = nullptr;
    throw std::bad_alloc();
  }
  auto start = (reinterpret_cast<std::uintptr_t>(mapping_) + kHugePage - 1) / kHugePage * kHugePage;
  bytes_ = reinterpret_cast<std::byte*>(start);
  // Only a hint, and only for what fills huge pages: the rest of one would cost memory for nothing.
  if (std::uint64_t whole = bytes / kHugePage * kHugePage; whole > 0) ::madvise(bytes_, whole, MADV_HUGEPAGE);
}

PageBlock::PageBlock(PageBlock&& other) noexcept
    : mapping_(std::exchange(other.mapping_, nullptr)), mapped_(other.mapped_), bytes_(other.bytes_) {}

PageBlock::~PageBlock() {
  if (mapping_ != nullptr) ::munmap(mapping_, mapped_);
}

}  // namespace asyncspy
