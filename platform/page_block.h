// Room for many pages at once: in huge pages where the kernel gives them, so that touching it takes few page faults.
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

  [[nodiscard]] std::byte* bytes() { return bytes_; }

 private:
  void* mapping_ = nullptr;
  std::size_t mapped_ = 0;
  std::byte* bytes_ = nullptr;
};

}  // namespace asyncspy
