// Room on the heap for many small objects, made at once.
//
// A heap that grows by what is just needed takes a page fault every four KiB; for a million tasks they would take more time
// than reading them.
#pragma once

#include <cstddef>
#include <thread>

namespace asyncspy {

// Room for what the thread that makes it allocates next. Only makes that quicker: `bytes` is a guess at how much that will be.
// Much room is there when the constructor returns. Little is still being made then by another thread, beside whatever comes next,
// for which the destructor waits.
class HeapRoom {
 public:
  explicit HeapRoom(std::size_t bytes);

 private:
  std::jthread making_;
};

}  // namespace asyncspy
