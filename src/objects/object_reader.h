// What every reader of Python objects needs: memory to read from and the layout to read by.
#pragma once

#include <algorithm>
#include <cstring>

#include "layout.h"
#include "memory.h"
#include "object_view.h"
#include "string_hash.h"

namespace asyncspy {

struct ObjectReader {
  Memory& memory;
  const PythonLayout& layout;
  std::optional<StringHash> string_hash{};  // where it is known, a key is found by it; else by reading all keys

  // The first `size` bytes of the object.
  [[nodiscard]] Result<ObjectView> view(Address object, std::int64_t size) const {
    if (object.is_null()) return fail_at_null();
    std::size_t wanted = std::min<std::size_t>(static_cast<std::size_t>(std::max<std::int64_t>(size, 0)), ObjectView::kCapacity);
    const std::byte* here = memory.look(object, wanted);
    Result<ObjectView> view(std::in_place, object, wanted, here);  // not built elsewhere and moved: it is large
    if (here == nullptr) copy_into(view);
    return view;
  }

  // A copy that covers all of these members; absent ones do not count.
  template <class... Members>
  [[nodiscard]] Result<ObjectView> view_of(Address object, const Members&... members) const {
    std::int64_t end = 0;
    ((end = std::max(end, end_of(members))), ...);
    return view(object, end);
  }

  // One member, read alone.
  template <class T>
  [[nodiscard]] Result<T> read(Address base, Field<T> field) const {
    if (!field.present()) return fail_at_absent();
    if (base.is_null()) return fail_at_null();
    return memory.read_value<T>(base + static_cast<std::uint64_t>(field.offset));
  }

  // It is about to be read: the processor is told, so that it waits less for memory. Changes nothing else, wherever `object` leads.
  void expect(Address object, std::size_t size) const {
    constexpr std::size_t kCacheLine = 64;
    const std::byte* here = memory.look(object, 1);
    for (std::size_t at = 0; here != nullptr && at < size; at += kCacheLine) __builtin_prefetch(here + at);
  }

  // The same of what a member of an object points to that was told of before.
  void expect_behind(Address object, Field<Address> field, std::size_t size) const {
    Address target;
    if (!field.present() || object.is_null()) return;
    const std::byte* here = memory.look(object + static_cast<std::uint64_t>(field.offset), sizeof target);
    if (here == nullptr) return;
    std::memcpy(&target, here, sizeof target);
    expect(target, size);
  }

  [[nodiscard]] Result<Address> type_of(Address object) const { return read(object, layout.object.type); }

  template <class T>
  [[nodiscard]] static std::int64_t end_of(const Field<T>& field) {
    return field.present() ? field.offset + static_cast<std::int64_t>(sizeof(T)) : 0;
  }
  [[nodiscard]] static std::int64_t end_of(const Flag& flag) { return std::int64_t{flag.offset} + 4; }

  // Removes the tag bits of a stack reference (3.14+): 01 borrowed or immortal, 11 a small integer. Null stays null.
  [[nodiscard]] Address untag(Address reference) const {
    if (layout.stack_references == StackReferences::kPlain) return reference;
    if ((reference.value() & 3) == 3) return Address{};  // a tagged integer is no object
    return Address{reference.value() & ~std::uint64_t{3}};
  }

 private:
  // What is rare is kept out of what is copied everywhere.
  [[gnu::cold, gnu::noinline]] static std::unexpected<Error> fail_at_absent() {
    return fail(ErrorKind::kInternal, "a member was asked for that this release does not have");
  }
  [[gnu::cold, gnu::noinline]] static std::unexpected<Error> fail_at_null() {
    return fail(ErrorKind::kCorrupt, "null pointer where an object belongs");
  }
  [[gnu::noinline]] void copy_into(Result<ObjectView>& view) const {
    if (auto done = memory.read(view->address(), view->copy()); !done) view = std::unexpected(std::move(done.error()));
  }
};

// Bounds on what is believed of the target. Beyond them data is taken for garbage, or is cut and said to be cut.
inline constexpr std::int64_t kMaxContainerItems = 16'000'000;
inline constexpr std::int64_t kMaxTextLength = 1 << 16;  // characters that are copied
inline constexpr std::size_t kMaxTypeName = 256;

}  // namespace asyncspy
