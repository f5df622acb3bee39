// Writes contexts with their tries, node by node.
#pragma once

#include <utility>
#include <vector>

#include "fake_heap.h"

namespace asyncspy {

class FakeContext {
 public:
  explicit FakeContext(FakeHeap& heap) : heap_(heap) {}

  Address variable(std::string_view name);

  // Nodes: a pair with a null key has a node as its value.
  using Pairs = std::vector<std::pair<Address, Address>>;
  Address bitmap_node(const Pairs& pairs);
  Address collision_node(const Pairs& pairs);
  Address array_node(const std::vector<std::pair<int, Address>>& nodes);

  Address context(Address root);
  Address table_of(Address context);

 private:
  Address node_of_pairs(std::string_view type, Bytes items, const Pairs& pairs);

  FakeHeap& heap_;
};

}  // namespace asyncspy
