#include "page_block.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>
#include <utility>

#include "touch_pages.h"

namespace asyncspy {
namespace {

constexpr std::uintptr_t kHugePage = std::uintptr_t{2} << 20;

}  // namespace

PageBlock::PageBlock(std::uint64_t bytes) : size_(bytes), mapped_(bytes + kHugePage) {
  mapping_ = ::mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping_ == MAP_FAILED) {
    mapping_ = nullptr;
    throw std::bad_alloc();
  }
  const auto start = (reinterpret_cast<std::uintptr_t>(mapping_) + kHugePage - 1) / kHugePage * kHugePage;
  bytes_ = reinterpret_cast<std::byte*>(start);  // NOLINT(performance-no-int-to-ptr): where a huge page can begin
}

void PageBlock::touch() { touch_pages(bytes_, size_); }

PageBlock::PageBlock(PageBlock&& other) noexcept
    : size_(other.size_), mapping_(std::exchange(other.mapping_, nullptr)), mapped_(other.mapped_), bytes_(other.bytes_) {}

PageBlock::~PageBlock() {
  if (mapping_ != nullptr) ::munmap(mapping_, mapped_);
}

}  // namespace asyncspy
