#include "completion_index.h"

#include <algorithm>

#include "callables.h"
#include "containers.h"
#include "instance.h"

namespace asyncspy {
namespace {

// Elements are (callback, context); in 3.7 and later always tuples (Lib/asyncio/futures.py, Modules/_asynciomodule.c).
Result<void> append_pairs(Inspection& inspection, Address list, std::size_t most, std::vector<Address>& callbacks) {
  ASYNCSPY_TRY(type, inspection.types.of(inspection.reader, list));
  if (type->name != "list") return {};
  ASYNCSPY_TRY(items, read_list(inspection.reader, list, most));
  for (std::size_t i = 0; i < items.size() && i < most; ++i) {
    ASYNCSPY_TRY(item_type, inspection.types.of(inspection.reader, items[i]));
    if (item_type->name != "tuple") {
      callbacks.push_back(items[i]);  // of a concurrent.futures.Future: the functions themselves
      continue;
    }
    ASYNCSPY_TRY(pair, read_tuple(inspection.reader, items[i]));
    if (!pair.empty()) callbacks.push_back(pair.front());
  }
  return {};
}

}  // namespace

Result<std::vector<Address>> read_callbacks(Inspection& inspection, const Asyncio& asyncio, Address future,
                                            std::size_t most) {
  std::vector<Address> callbacks;
  ASYNCSPY_TRY(type, inspection.types.of(inspection.reader, future));
  if (is_c_future(asyncio, *type)) {
    const FutureLayout& layout = inspection.layout().future;
    ASYNCSPY_TRY(view, inspection.reader.view_of(future, layout.callback0, layout.callbacks));
    if (Address first = view.get(layout.callback0); !first.is_null()) callbacks.push_back(first);
    Address list = view.get(layout.callbacks);
    if (list.is_null()) return callbacks;
    if (auto done = append_pairs(inspection, list, most, callbacks); !done) return std::unexpected(std::move(done.error()));
    return callbacks;
  }
  for (std::string_view name : {"_callbacks", "_done_callbacks"}) {  // asyncio's in Python; concurrent.futures'
    ASYNCSPY_TRY(list, find_attribute(inspection.reader, inspection.types, *type, future, name));
    if (!list) continue;
    if (auto done = append_pairs(inspection, *list, most, callbacks); !done) return std::unexpected(std::move(done.error()));
  }
  return callbacks;
}

void CompletionIndex::build() {
  is_built_ = true;
  for (Address task : tasks_) {
    auto callbacks = read_callbacks(inspection_, asyncio_, task);
    if (!callbacks) continue;  // a task that can not be read has a gap already
    for (Address callback : *callbacks) {
      Callable callable = describe_callable(inspection_, callback);
      for (Address held : callable.holds) completions_[held].push_back({task, callable.name});
    }
  }
}

const std::vector<Completion>& CompletionIndex::find(Address object) {
  if (!is_built_) build();
  auto found = completions_.find(object);
  return found == completions_.end() ? none_ : found->second;
}

}  // namespace asyncspy
