#include "containers.h"

#include <bit>

#include "text.h"

namespace asyncspy {
namespace {

// Unused places of a hash table that are passed over for the first few items; more are not worth it.
constexpr std::size_t kPlacesPerPiece = 256;
constexpr std::size_t kMostPlaces = 1 << 16;

Result<std::vector<Address>> read_pointers(const ObjectReader& reader, Address from, std::int64_t count, Address owner,
                                           std::size_t most = kAllItems) {
  if (count < 0 || count > kMaxContainerItems) return fail(ErrorKind::kCorrupt, "length of a container is not plausible", {}, owner);
  std::vector<Address> items(std::min(static_cast<std::size_t>(count), most));
  if (items.empty()) return items;
  if (auto done = reader.memory.read(from, std::as_writable_bytes(std::span(items))); !done) {
    return std::unexpected(std::move(done.error()));
  }
  return items;
}

// The parts of PyDictKeysObject that differ between codings.
struct KeyTable {
  Address indices;
  std::uint64_t places = 0;       // of the index table
  std::uint64_t index_width = 1;  // bytes
  Address entries;
  std::int64_t used_entries = 0;
  bool has_hash = true;  // entries of (hash, key, value) instead of (key, value)
};

// Objects/dictobject.c: an index table of 1, 2, 4 or 8 bytes per slot, then the entries.
Result<KeyTable> read_key_table(const ObjectReader& reader, Address keys) {
  const DictLayout& layout = reader.layout.dict;
  ASYNCSPY_TRY(view, reader.view_of(keys, layout.keys_used_entries, layout.keys_size,
                                    layout.keys_log2_index_bytes, layout.keys_kind));
  KeyTable table;
  std::uint64_t index_bytes = 0;
  table.used_entries = view.get(layout.keys_used_entries);
  if (reader.layout.dict_keys == DictKeys::kKinds) {
    std::uint8_t log2_bytes = view.get(layout.keys_log2_index_bytes);
    if (log2_bytes > 40) return fail(ErrorKind::kCorrupt, "size of a dictionary is not plausible", {}, keys);
    index_bytes = std::uint64_t{1} << log2_bytes;
    // The width follows from the number of places: 2^8 and more take two bytes each, 2^16 and more four, 2^32 and more eight.
    table.index_width = log2_bytes < 9 ? 1 : log2_bytes < 18 ? 2 : log2_bytes < 35 ? 4 : 8;
    table.places = index_bytes / table.index_width;
    table.has_hash = view.get(layout.keys_kind) == 0;
  } else {
    std::int64_t slots = view.get(layout.keys_size);
    if (slots < 0 || slots > 4 * kMaxContainerItems) return fail(ErrorKind::kCorrupt, "size of a dictionary is not plausible", {}, keys);
    table.index_width = slots <= 0xFF ? 1 : slots <= 0xFFFF ? 2 : slots <= 0xFFFFFFFFLL ? 4 : 8;
    table.places = static_cast<std::uint64_t>(slots);
    index_bytes = table.places * table.index_width;
  }
  table.indices = keys + static_cast<std::uint64_t>(layout.keys_indices.offset);
  table.entries = table.indices + index_bytes;
  return table;
}

// Before it is calculated with.
Result<void> check_used_entries(const KeyTable& table, Address owner) {
  if (table.used_entries >= 0 && table.used_entries <= kMaxContainerItems) return {};
  return fail(ErrorKind::kCorrupt, "length of a container is not plausible", {}, owner);
}

// The keys of the table, at most `most` places of it.
Result<std::vector<DictEntry>> read_entries(const ObjectReader& reader, const KeyTable& table, Address owner, std::size_t from = 0,
                                            std::size_t most = kAllItems) {
  std::size_t words = table.has_hash ? 3 : 2;
  if (auto done = check_used_entries(table, owner); !done) return std::unexpected(std::move(done.error()));
  std::size_t places = std::min(static_cast<std::size_t>(table.used_entries) - from, most);
  ASYNCSPY_TRY(raw, read_pointers(reader, table.entries + from * words * 8, static_cast<std::int64_t>(places * words), owner));
  std::vector<DictEntry> entries;
  entries.reserve(places);
  for (std::size_t i = 0; i < raw.size(); i += words) {
    DictEntry entry{raw[i + words - 2], raw[i + words - 1]};
    if (!entry.key.is_null()) entries.push_back(entry);
  }
  return entries;
}

// The first entries that have a value.
Result<std::vector<DictEntry>> read_first_entries(const ObjectReader& reader, const KeyTable& table, Address owner, std::size_t most) {
  if (auto done = check_used_entries(table, owner); !done) return std::unexpected(std::move(done.error()));
  std::vector<DictEntry> first;
  std::size_t places = std::min(static_cast<std::size_t>(table.used_entries), kMostPlaces);
  for (std::size_t from = 0; first.size() < most && from < places; from += kPlacesPerPiece) {
    ASYNCSPY_TRY(piece, read_entries(reader, table, owner, from, kPlacesPerPiece));
    for (const DictEntry& entry : piece) {
      if (!entry.value.is_null() && first.size() < most) first.push_back(entry);
    }
  }
  return first;
}

bool is_text(const ObjectReader& reader, Address object, std::string_view wanted) {
  // A length that differs settles most keys without copying them; other types have no such length and are no match.
  const auto length = reader.read(object, reader.layout.text.length);
  if (!length || *length != static_cast<std::int64_t>(wanted.size())) return false;
  const auto text = read_text(reader, object);
  return text && *text == wanted;
}

// One look at a table by the hash of a key.
class HashSearch {
 public:
  HashSearch(const ObjectReader& reader, const KeyTable& table) : reader_(reader), table_(table) {}

  // Nothing: the table is not one that can be searched so, or not at this moment. Else the value, or null for none.
  std::optional<Address> find(std::string_view key, std::int64_t hash) {
    if (!std::has_single_bit(table_.places)) return std::nullopt;
    const std::uint64_t mask = table_.places - 1;
    auto perturbation = static_cast<std::uint64_t>(hash);
    std::uint64_t place = perturbation & mask;
    for (int probe = 0; probe < kMostProbes; ++probe) {
      const auto index = read_index(place);
      if (!index || *index < kDeleted || *index >= table_.used_entries) return std::nullopt;
      if (*index == kFree) return Address{};
      if (*index >= 0) {
        const auto entry = read_entry(*index);
        if (!entry) return std::nullopt;
        const bool can_be = !table_.has_hash || entry->hash == hash;
        if (can_be && is_text(reader_, entry->key, key)) return entry->value;
      }
      perturbation >>= 5;
      place = (place * 5 + perturbation + 1) & mask;
    }
    return std::nullopt;
  }

 private:
  // A table is at most two thirds full, so that more than a few are very rare.
  static constexpr int kMostProbes = 256;
  static constexpr std::int64_t kFree = -1;
  static constexpr std::int64_t kDeleted = -2;

  struct Entry {
    std::int64_t hash = 0;
    Address key;
    Address value;
  };

  template <class T>
  std::optional<std::int64_t> read_index_as(std::uint64_t place) {
    const auto index = reader_.memory.read_value<T>(table_.indices + place * sizeof(T));
    return index ? std::optional<std::int64_t>(*index) : std::nullopt;
  }
  std::optional<std::int64_t> read_index(std::uint64_t place) {
    switch (table_.index_width) {
      case 1: return read_index_as<std::int8_t>(place);
      case 2: return read_index_as<std::int16_t>(place);
      case 4: return read_index_as<std::int32_t>(place);
      default: return read_index_as<std::int64_t>(place);
    }
  }

  std::optional<Entry> read_entry(std::int64_t index) {
    struct Short {
      Address key;
      Address value;
    };
    const auto number = static_cast<std::uint64_t>(index);
    if (table_.has_hash) {
      const auto entry = reader_.memory.read_value<Entry>(table_.entries + number * sizeof(Entry));
      return entry ? std::optional(*entry) : std::nullopt;
    }
    const auto entry = reader_.memory.read_value<Short>(table_.entries + number * sizeof(Short));
    return entry ? std::optional(Entry{0, entry->key, entry->value}) : std::nullopt;
  }

  const ObjectReader& reader_;
  const KeyTable& table_;
};

// Nothing: it has to be searched for among all keys.
Result<std::optional<Address>> find_by_hash(const ObjectReader& reader, Address object, std::string_view key) {
  if (!reader.string_hash) return std::optional<Address>{};
  const DictLayout& layout = reader.layout.dict;
  ASYNCSPY_TRY(view, reader.view_of(object, layout.keys, layout.values));
  if (!view.get(layout.values).is_null()) return std::optional<Address>{};  // small, and its values lie elsewhere
  ASYNCSPY_TRY(table, read_key_table(reader, view.get(layout.keys)));
  if (auto done = check_used_entries(table, object); !done) return std::unexpected(std::move(done.error()));
  return HashSearch(reader, table).find(key, reader.string_hash->of(key));
}

// Objects/setobject.c: a table of (key, hash), unused slots have a null key, deleted ones the hash -1.
void add_members(const std::vector<Address>& slots, std::vector<Address>& items, std::size_t most) {
  for (std::size_t i = 0; i + 1 < slots.size() && items.size() < most; i += 2) {
    bool deleted = slots[i + 1].value() == ~std::uint64_t{0};
    if (!slots[i].is_null() && !deleted) items.push_back(slots[i]);
  }
}

// Modules/_collectionsmodule.c: blocks of 64 pointers, linked to the right. Items lie from leftindex of the left block to
// rightindex of the right block.
class DequeRead {
 public:
  DequeRead(const ObjectReader& reader, Address object, std::size_t most)
      : reader_(reader), layout_(reader.layout.sequence), object_(object), most_(most) {}

  Result<std::vector<Address>> run() {
    ASYNCSPY_TRY(view, reader_.view_of(object_, layout_.deque_size, layout_.deque_left_index, layout_.deque_left_block,
                                       layout_.deque_right_index, layout_.deque_right_block));
    size_ = view.get(layout_.deque_size);
    right_ = view.get(layout_.deque_right_block);
    right_index_ = view.get(layout_.deque_right_index);
    Address block = view.get(layout_.deque_left_block);
    std::int64_t index = view.get(layout_.deque_left_index);
    if (size_ == 0) return std::vector<Address>{};
    if (size_ < 0 || size_ > kMaxContainerItems || index < 0 || index > kBlockLength) return implausible();
    if (index == kBlockLength) {
      ASYNCSPY_TRY(first, find_first_block(block));
      return read_items(first, 0);
    }
    return read_items(block, index);
  }

 private:
  static constexpr std::int64_t kBlockLength = 64;

  std::unexpected<Error> implausible() {
    return fail(ErrorKind::kCorrupt, "length of a deque is not plausible", {}, object_);
  }

  // The thread was stopped within popleft(), between two blocks: leftindex is past the end of a block, and leftblock is that
  // block or already its right neighbour. The distance to the right end tells which.
  Result<Address> find_first_block(Address block) {
    std::int64_t items = right_index_ + 1;  // from the beginning of `block` to the right end
    Address at = block;
    Address neighbour;
    for (; at != right_; items += kBlockLength) {
      if (items > size_ + kBlockLength) return implausible();
      ASYNCSPY_TRY(right, reader_.read(at, layout_.deque_block_right));
      if (at == block) neighbour = right;
      at = right;
    }
    auto fits = [&](std::int64_t count) { return count == size_ || count == size_ - 1; };  // the size is lowered before or after
    if (fits(items)) return block;
    if (!neighbour.is_null() && fits(items - kBlockLength)) return neighbour;
    return implausible();
  }

  Result<std::vector<Address>> read_items(Address block, std::int64_t index) {
    std::vector<Address> items;
    for (std::int64_t left = size_; left > 0 && items.size() < most_; index = 0) {
      bool is_last = block == right_ && right_index_ >= index && right_index_ - index < left;
      std::int64_t end = is_last ? right_index_ + 1 : kBlockLength;
      std::int64_t here = std::min(left, end - index);
      Address from = block + static_cast<std::uint64_t>(layout_.deque_block_items.offset + index * 8);
      ASYNCSPY_TRY(part, read_pointers(reader_, from, here, object_, most_ - items.size()));
      items.insert(items.end(), part.begin(), part.end());
      left -= here;
      if (left == 0 || is_last) break;
      ASYNCSPY_TRY(right, reader_.read(block, layout_.deque_block_right));
      block = right;
    }
    return items;
  }

  const ObjectReader& reader_;
  const SequenceLayout& layout_;
  Address object_;
  std::size_t most_;
  std::int64_t size_ = 0;
  Address right_;
  std::int64_t right_index_ = 0;
};

}  // namespace

Result<std::vector<Address>> read_tuple(const ObjectReader& reader, Address object, std::size_t most) {
  const SequenceLayout& layout = reader.layout.sequence;
  ASYNCSPY_TRY(size, reader.read(object, layout.tuple_size));
  return read_pointers(reader, object + static_cast<std::uint64_t>(layout.tuple_items.offset), size, object, most);
}

Result<std::vector<Address>> read_list(const ObjectReader& reader, Address object, std::size_t most) {
  const SequenceLayout& layout = reader.layout.sequence;
  ASYNCSPY_TRY(view, reader.view_of(object, layout.list_items, layout.list_size));
  return read_pointers(reader, view.get(layout.list_items), view.get(layout.list_size), object, most);
}

Result<std::vector<Address>> read_deque(const ObjectReader& reader, Address object, std::size_t most) {
  return DequeRead(reader, object, most).run();
}

Result<std::vector<Address>> read_set(const ObjectReader& reader, Address object, std::size_t most) {
  const DictLayout& layout = reader.layout.dict;
  ASYNCSPY_TRY(view, reader.view_of(object, layout.set_mask, layout.set_table));
  std::int64_t mask = view.get(layout.set_mask);
  if (mask < 0 || mask > 8 * kMaxContainerItems) return fail(ErrorKind::kCorrupt, "size of a set is not plausible", {}, object);
  Address table = view.get(layout.set_table);
  std::vector<Address> items;
  if (most == kAllItems) {
    ASYNCSPY_TRY(slots, read_pointers(reader, table, 2 * (mask + 1), object));
    add_members(slots, items, most);
    return items;
  }
  auto places = std::min(static_cast<std::size_t>(mask) + 1, kMostPlaces);
  for (std::size_t from = 0; items.size() < most && from < places; from += kPlacesPerPiece) {
    auto piece = static_cast<std::int64_t>(std::min(kPlacesPerPiece, places - from));
    ASYNCSPY_TRY(slots, read_pointers(reader, table + from * 16, 2 * piece, object));
    add_members(slots, items, most);
  }
  return items;
}

Result<std::vector<DictEntry>> read_split_entries(const ObjectReader& reader, Address keys, Address values, std::size_t most) {
  ASYNCSPY_TRY(table, read_key_table(reader, keys));
  ASYNCSPY_TRY(entries, read_entries(reader, table, keys));
  ASYNCSPY_TRY(pointers, read_pointers(reader, values, static_cast<std::int64_t>(entries.size()), keys));
  std::vector<DictEntry> present;
  for (std::size_t i = 0; i < entries.size() && present.size() < most; ++i) {
    if (!pointers[i].is_null()) present.push_back({entries[i].key, pointers[i]});
  }
  return present;
}

Result<std::vector<DictEntry>> read_dict(const ObjectReader& reader, Address object, std::size_t most) {
  const DictLayout& layout = reader.layout.dict;
  ASYNCSPY_TRY(view, reader.view_of(object, layout.keys, layout.values));
  Address keys = view.get(layout.keys);
  Address values = view.get(layout.values);
  if (!values.is_null()) {
    return read_split_entries(reader, keys, values + static_cast<std::uint64_t>(layout.values_first.offset), most);
  }
  ASYNCSPY_TRY(table, read_key_table(reader, keys));
  if (most != kAllItems) return read_first_entries(reader, table, object, most);
  ASYNCSPY_TRY(entries, read_entries(reader, table, object));
  std::erase_if(entries, [](const DictEntry& entry) { return entry.value.is_null(); });
  return entries;
}

Result<std::optional<Address>> find_in_entries(const ObjectReader& reader, const std::vector<DictEntry>& entries,
                                               std::string_view key) {
  for (const DictEntry& entry : entries) {
    if (is_text(reader, entry.key, key)) return entry.value;
  }
  return std::optional<Address>{};
}

Result<std::optional<Address>> find_in_dict(const ObjectReader& reader, Address object, std::string_view key) {
  ASYNCSPY_TRY(found, find_by_hash(reader, object, key));
  if (found) return found->is_null() ? std::optional<Address>{} : found;
  ASYNCSPY_TRY(entries, read_dict(reader, object));
  return find_in_entries(reader, entries, key);
}

}  // namespace asyncspy
