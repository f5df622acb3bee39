#include "fake_context.h"

namespace asyncspy {

Address FakeContext::variable(std::string_view name) {
  const ContextLayout& layout = heap_.layout().context;
  Address made = heap_.object(heap_.static_type("_contextvars.ContextVar"), layout.variable_name.offset + 8);
  heap_.set(made, layout.variable_name, heap_.ascii(name));
  return made;
}

Address FakeContext::node_of_pairs(std::string_view type, Bytes items, const Pairs& pairs) {
  Address made = heap_.object(heap_.static_type(type, {.basic_size = items.offset}), items.offset + 16 * static_cast<std::int64_t>(pairs.size()));
  heap_.set(made, heap_.layout().object.var_size, 2 * pairs.size());
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    heap_.memory.write(FakeHeap::at(made, items) + i * 16, pairs[i].first);
    heap_.memory.write(FakeHeap::at(made, items) + i * 16 + 8, pairs[i].second);
  }
  return made;
}

Address FakeContext::bitmap_node(const Pairs& pairs) { return node_of_pairs("hamt_bitmap_node", heap_.layout().context.bitmap_items, pairs); }

Address FakeContext::collision_node(const Pairs& pairs) {
  return node_of_pairs("hamt_collision_node", heap_.layout().context.collision_items, pairs);
}

Address FakeContext::array_node(const std::vector<std::pair<int, Address>>& nodes) {
  const Bytes items = heap_.layout().context.array_items;
  std::int64_t size = items.offset + 32 * 8 + 8;
  Address made = heap_.object(heap_.static_type("hamt_array_node", {.basic_size = size}), size);
  for (const auto& [place, node] : nodes) heap_.memory.write(FakeHeap::at(made, items) + static_cast<std::uint64_t>(place * 8), node);
  return made;
}

Address FakeContext::context(Address root) {
  const ContextLayout& layout = heap_.layout().context;
  Address table = heap_.object(heap_.static_type("hamt"), layout.hamt_root.offset + 24);
  heap_.set(table, layout.hamt_root, root);
  Address made = heap_.object(heap_.static_type("_contextvars.Context"), layout.variables.offset + 24);
  heap_.set(made, layout.variables, table);
  return made;
}

Address FakeContext::table_of(Address context) {
  return *heap_.memory.read_value<Address>(FakeHeap::at(context, heap_.layout().context.variables));
}

}  // namespace asyncspy
