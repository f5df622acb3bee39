// Room for many pages at once.
#pragma once

#include <cstddef>
#include <cstdint>

namespace asyncspy {

class PageBlock {
 public:
  // Throws std::bad_alloc when the address space or the memory does not suffice.
  explicit PageBlock(std::uint64_t bytes);
  PageBlock(PageBlock&& other) noexcept;
  PageBlock& operator=(PageBlock&&) = delete;
  ~PageBlock();

  // Makes the kernel give the memory now: writing into it takes no page faults afterwards.
  void touch();

  [[nodiscard]] std::byte* bytes() { return bytes_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  std::uint64_t size_ = 0;
  void* mapping_ = nullptr;
  std::size_t mapped_ = 0;
  std::byte* bytes_ = nullptr;
};

}  // namespace asyncspy
