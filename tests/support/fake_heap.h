// Writes Python objects into fake memory as a given release would lay them out.
//
// Written from CPython's headers by way of the layout's members, not from the readers: a misread member shows as a wrong
// value. Objects are as small as their layout says, so that reading beyond them fails.
#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fake_memory.h"
#include "layout.h"

namespace asyncspy {

using FakeEntry = std::pair<std::string_view, Address>;

struct FakeType {
  std::int64_t basic_size = 64;
  std::int64_t item_size = 0;
  std::uint64_t flags = 0;
  std::int64_t dict_offset = 0;
  std::vector<Address> bases = {};      // the rest of the mro; `object` is not added
  std::vector<FakeEntry> dict = {};     // heap types: class attributes; __module__ is added
  std::vector<std::string_view> cached_keys = {};
  std::vector<std::pair<std::string_view, std::int64_t>> members = {};  // tp_members: name and offset
};

enum class DictForm { kGeneral, kText, kSplit };

class FakeHeap {
 public:
  explicit FakeHeap(const PythonLayout& layout) : layout_(layout) {}
  FakeHeap(const FakeHeap&) = delete;
  FakeHeap& operator=(const FakeHeap&) = delete;

  FakeMemory memory;
  [[nodiscard]] const PythonLayout& layout() const { return layout_; }

  // Writes a member; one that the release lacks is left out.
  template <class T, class V>
  void set(Address object, Field<T> field, V value) {
    if (field.present()) memory.write(object + static_cast<std::uint64_t>(field.offset), static_cast<T>(value));
  }
  void set(Address object, Flag flag, bool value);
  template <class T>
  [[nodiscard]] static Address at(Address object, Field<T> field) {
    return object + static_cast<std::uint64_t>(field.offset);
  }

  // Types. A built-in or static type is made on first use; a heap type is "module.name".
  Address static_type(std::string_view name, const FakeType& more = {});
  Address heap_type(std::string_view module, std::string_view name, FakeType more = {});
  // A heap type with a descriptor for each slot, from offset 16 on.
  Address slotted_type(std::string_view module, std::string_view name, const std::vector<std::string_view>& slots,
                       const std::vector<Address>& bases = {});

  // An object of `size` zero bytes with its type, and 32 bytes before it.
  Address object(Address type, std::int64_t size);

  Address none();
  Address boolean(bool value);
  Address ascii(std::string_view text);
  Address text(std::u32string_view text, std::uint32_t kind, bool compact = true);
  Address integer(std::int64_t value);
  Address real(double value);
  Address bytes(std::span<const std::uint8_t> values);
  Address tuple(const std::vector<Address>& items);
  Address list(const std::vector<Address>& items);
  Address deque(const std::vector<Address>& items, std::int64_t left_index = 0);
  Address set_of(const std::vector<Address>& items, const std::vector<Address>& deleted = {});
  Address dict(const std::vector<std::pair<Address, Address>>& entries, DictForm form = DictForm::kText);
  Address dict(const std::vector<FakeEntry>& entries, DictForm form = DictForm::kText);
  // PyDictKeysObject alone.
  Address dict_keys(const std::vector<std::pair<Address, Address>>& entries, DictForm form);
  Address weak_reference(Address object);
  Address module(std::string_view name, Address dict, Address state = {});
  Address cell(Address value);
  Address function(std::string_view qualified_name, const std::vector<Address>& closure = {});
  Address method(Address function, Address self);
  Address builtin(std::string_view name, Address self);
  // `type`: static_type or heap_type with BaseException among its bases.
  Address exception(Address type, const std::vector<Address>& arguments);
  Address partial(Address function, const std::vector<Address>& arguments);

  // An instance of a heap type whose attributes lie where the release keeps them: in the class's cached keys' order.
  // `type` was made by instance_type with the same names.
  Address instance_type(std::string_view module, std::string_view name, const std::vector<std::string_view>& attributes,
                        const std::vector<Address>& bases = {});
  Address instance(Address type, const std::vector<Address>& values);
  // The same with a dictionary of its own, as after `obj.__dict__` or a key that the class does not share.
  Address instance_with_dict(Address type, Address dict);

  static constexpr std::int64_t kInstanceSize = 64;

 private:
  Address make_type(std::string_view name, const FakeType& more, bool heap);

  const PythonLayout& layout_;
  std::map<std::string, Address, std::less<>> types_;
  std::map<std::int64_t, Address> singletons_;  // None -1, False 0, True 1
};

}  // namespace asyncspy
