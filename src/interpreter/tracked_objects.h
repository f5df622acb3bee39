// All objects that the cyclic garbage collector tracks: tasks, coroutines, instances of classes, containers.
//
// The collector keeps them in circular lists, one for each generation, through a header before each object
// (Include/internal/pycore_gc.h, Modules/gcmodule.c; since 3.13 Python/gc.c). The lists are found by what they are, not by
// offsets: one object that is surely tracked leads around its list and so to the list's head, which lies within the
// interpreter's state, or within _PyRuntime up to 3.8; the heads of the other generations are its neighbours.
#pragma once

#include <vector>

#include "object_reader.h"
#include "runtime.h"

namespace asyncspy {

// Fails where memory that is needed was not copied, and while a collection is going on, when the lists are taken apart.
// Objects that were frozen (gc.freeze) are among them.
[[nodiscard]] Result<std::vector<Address>> list_tracked_objects(const ObjectReader& reader, const Runtime& runtime,
                                                                const Interpreter& interpreter);

}  // namespace asyncspy
