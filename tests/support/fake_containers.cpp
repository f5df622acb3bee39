// Containers and instances of fake_heap.h.
#include <bit>

#include "fake_heap.h"
#include "type.h"

namespace asyncspy {
namespace {

constexpr std::size_t kDequeBlock = 64;

Address none_if_empty(Address first, std::size_t count) { return count == 0 ? Address{} : first; }

}  // namespace

Address FakeHeap::tuple(const std::vector<Address>& items) {
  const SequenceLayout& layout = layout_.sequence;
  Address place = object(static_type("tuple"), layout.tuple_items.offset + 8 * static_cast<std::int64_t>(items.size()));
  set(place, layout.tuple_size, items.size());
  for (std::size_t i = 0; i < items.size(); ++i) memory.write(at(place, layout.tuple_items) + i * 8, items[i]);
  return place;
}

Address FakeHeap::list(const std::vector<Address>& items) {
  const SequenceLayout& layout = layout_.sequence;
  Address place = object(static_type("list"), layout.list_items.offset + 8);
  Address first = memory.allocate(items.size() * 8);
  for (std::size_t i = 0; i < items.size(); ++i) memory.write(first + i * 8, items[i]);
  set(place, layout.list_size, items.size());
  set(place, layout.list_items, none_if_empty(first, items.size()));
  return place;
}

// Modules/_collectionsmodule.c: blocks of a left link, 64 pointers and a right link.
Address FakeHeap::deque(const std::vector<Address>& items, std::int64_t left_index) {
  const SequenceLayout& layout = layout_.sequence;
  Address place = object(static_type("collections.deque"), layout.deque_right_index.offset + 16);
  Address block = memory.allocate(static_cast<std::size_t>(layout.deque_block_right.offset) + 8);
  set(place, layout.deque_size, items.size());
  set(place, layout.deque_left_block, block);
  set(place, layout.deque_left_index, left_index);
  auto index = static_cast<std::size_t>(left_index);
  for (Address item : items) {
    if (index == kDequeBlock) {
      Address right = memory.allocate(static_cast<std::size_t>(layout.deque_block_right.offset) + 8);
      set(block, layout.deque_block_right, right);
      block = right;
      index = 0;
    }
    memory.write(at(block, layout.deque_block_items) + index * 8, item);
    ++index;
  }
  set(place, layout.deque_right_block, block);
  set(place, layout.deque_right_index, static_cast<std::int64_t>(index) - 1);
  return place;
}

// Objects/setobject.c: entries (key, hash); a deleted entry keeps the address of `dummy` with the hash -1.
Address FakeHeap::set_of(const std::vector<Address>& items, const std::vector<Address>& deleted) {
  std::size_t slots = std::bit_ceil(2 * (items.size() + deleted.size()) + 8);
  Address place = object(static_type("set"), layout_.dict.set_table.offset + 8);
  Address table = memory.allocate(slots * 16);
  for (std::size_t i = 0; i < items.size(); ++i) {
    memory.write(table + i * 32, items[i]);
    memory.write(table + i * 32 + 8, std::int64_t{12345});
  }
  for (std::size_t i = 0; i < deleted.size(); ++i) {
    memory.write(table + i * 32 + 16, deleted[i]);
    memory.write(table + i * 32 + 24, std::int64_t{-1});
  }
  set(place, layout_.dict.set_used, items.size());
  set(place, layout_.dict.set_mask, slots - 1);
  set(place, layout_.dict.set_table, table);
  return place;
}

// Objects/dictobject.c: header, index table, then entries of (hash, key, value) or, from 3.11 on for str keys,
// of (key, value).
Address FakeHeap::dict_keys(const std::vector<std::pair<Address, Address>>& entries, DictForm form) {
  const DictLayout& layout = layout_.dict;
  bool kinds = layout_.dict_keys == DictKeys::kKinds;
  std::size_t slots = std::bit_ceil(entries.size() * 3 / 2 + 8);
  std::size_t width = slots <= 0xFF ? 1 : slots <= 0xFFFF ? 2 : 4;
  std::size_t words = !kinds || form == DictForm::kGeneral ? 3 : 2;
  auto header = static_cast<std::size_t>(layout.keys_indices.offset);
  Address keys = memory.allocate(header + slots * width + entries.size() * words * 8);
  set(keys, layout.keys_size, slots);
  set(keys, layout.keys_log2_size, std::countr_zero(slots));
  set(keys, layout.keys_log2_index_bytes, std::countr_zero(slots * width));
  set(keys, layout.keys_kind, form == DictForm::kGeneral ? 0 : form == DictForm::kText ? 1 : 2);
  set(keys, layout.keys_used_entries, entries.size());
  Address at = keys + header + slots * width;
  for (const auto& [key, value] : entries) {
    if (words == 3) memory.write(at, std::uint64_t{0x5EED});
    memory.write(at + (words - 2) * 8, key);
    memory.write(at + (words - 1) * 8, value);
    at = at + words * 8;
  }
  return keys;
}

Address FakeHeap::dict(const std::vector<std::pair<Address, Address>>& entries, DictForm form) {
  Address place = object(static_type("dict"), layout_.dict.values.offset + 8);
  std::vector<std::pair<Address, Address>> stored = entries;
  if (form == DictForm::kSplit) {
    auto first = static_cast<std::size_t>(layout_.dict.values_first.offset);
    Address values = memory.allocate(first + entries.size() * 8);
    for (std::size_t i = 0; i < stored.size(); ++i) {
      memory.write(values + first + i * 8, stored[i].second);
      stored[i].second = Address{};
    }
    set(place, layout_.dict.values, values);
  }
  set(place, layout_.dict.used, entries.size());
  set(place, layout_.dict.keys, dict_keys(stored, form));
  return place;
}

Address FakeHeap::dict(const std::vector<FakeEntry>& entries, DictForm form) {
  std::vector<std::pair<Address, Address>> with_keys;
  for (const auto& [key, value] : entries) with_keys.emplace_back(ascii(key), value);
  return dict(with_keys, form);
}

Address FakeHeap::instance_type(std::string_view module, std::string_view name,
                                const std::vector<std::string_view>& attributes, const std::vector<Address>& bases) {
  FakeType more{.basic_size = kInstanceSize, .bases = bases, .cached_keys = attributes};
  if (layout_.instance_dict == InstanceDict::kDictOffset) {
    more.dict_offset = kInstanceSize - 8;
  } else {
    more.flags = kManagedDictFlag | (layout_.instance_dict == InstanceDict::kInlineValues ? kInlineValuesFlag : 0);
  }
  return heap_type(module, name, more);
}

Address FakeHeap::instance(Address type, const std::vector<Address>& values) {
  Address keys = *memory.read_value<Address>(at(type, layout_.type.cached_keys));
  auto first = static_cast<std::size_t>(layout_.dict.values_first.offset);
  Address made = object(type, kInstanceSize + (layout_.instance_dict == InstanceDict::kInlineValues
                                                   ? static_cast<std::int64_t>(first + values.size() * 8) : 0));
  auto write_values = [&](Address place) {
    for (std::size_t i = 0; i < values.size(); ++i) memory.write(place + i * 8, values[i]);
  };
  switch (layout_.instance_dict) {
    case InstanceDict::kDictOffset: {  // a split dictionary that shares the class's keys
      Address shared = object(static_type("dict"), layout_.dict.values.offset + 8);
      Address array = memory.allocate(values.size() * 8);
      write_values(array);
      set(shared, layout_.dict.keys, keys);
      set(shared, layout_.dict.values, array);
      memory.write(made + static_cast<std::uint64_t>(kInstanceSize - 8), shared);
      break;
    }
    case InstanceDict::kTwoWords: {
      Address array = memory.allocate(values.size() * 8);
      write_values(array);
      memory.write(made - 32, array);
      break;
    }
    case InstanceDict::kTaggedWord: {
      Address array = memory.allocate(values.size() * 8);
      write_values(array);
      memory.write(made - 24, array - 1);
      break;
    }
    case InstanceDict::kInlineValues: {
      Address inside = made + static_cast<std::uint64_t>(kInstanceSize);
      set(inside, layout_.dict.values_valid, 1);
      write_values(inside + first);
      break;
    }
  }
  return made;
}

Address FakeHeap::instance_with_dict(Address type, Address dict) {
  Address made = object(type, kInstanceSize + layout_.dict.values_first.offset);
  bool by_offset = layout_.instance_dict == InstanceDict::kDictOffset;
  memory.write(by_offset ? made + static_cast<std::uint64_t>(kInstanceSize - 8) : made - 24, dict);
  return made;
}

}  // namespace asyncspy
