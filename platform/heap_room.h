// Room on the heap for many small objects, made at once.
//
// A heap that grows by what is just needed takes a page fault every four KiB; for a million tasks they would take more time
// than reading them.
#pragma once

#include <cstddef>

namespace asyncspy {

// For what this thread allocates next. Only makes that quicker: `bytes` is a guess at how much it will be.
void make_heap_room(std::size_t bytes);

}  // namespace asyncspy
