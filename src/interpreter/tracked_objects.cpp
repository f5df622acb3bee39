#include "tracked_objects.h"

#include <algorithm>
#include <array>
#include <optional>

namespace asyncspy {
namespace {

constexpr std::size_t kMostObjects = 50'000'000;
constexpr std::uint64_t kStateSpan = 1 << 20;     // bytes from the beginning of the state, in which the heads lie
constexpr std::uint64_t kLinkMask = ~std::uint64_t{3};  // the low bits are flags

struct Links {
  Address next;
  Address previous;
};

Result<Links> read_links(const ObjectReader& reader, Address head) {
  ASYNCSPY_TRY(words, (reader.memory.read_value<std::array<std::uint64_t, 2>>(head)));
  return Links{Address{words[0] & kLinkMask}, Address{words[1] & kLinkMask}};
}

// Both neighbours know it: it is an element or the head of a list.
bool is_linked(const ObjectReader& reader, Address head) {
  auto links = read_links(reader, head);
  if (!links || links->next.is_null() || links->previous.is_null()) return false;
  auto after = read_links(reader, links->next);
  auto before = read_links(reader, links->previous);
  return after && before && after->previous == head && before->next == head;
}

class TrackedLists {
 public:
  TrackedLists(const ObjectReader& reader, const Runtime& runtime, const Interpreter& interpreter)
      : reader_(reader), runtime_(runtime), interpreter_(interpreter) {}

  Result<std::vector<Address>> run() {
    if (!find_header_size()) {
      return fail(ErrorKind::kUnreadable, "the garbage collector's lists can not be found: sys.modules is in none", {}, interpreter_.modules);
    }
    std::optional<Address> first;
    if (auto done = walk(interpreter_.modules - header_, first); !done) return std::unexpected(std::move(done.error()));
    if (!first) return fail(ErrorKind::kCorrupt, "a garbage collection is going on, during which the heap can not be listed", {}, interpreter_.modules);
    for (Address head : find_neighbours(*first)) {
      std::optional<Address> itself;
      if (auto done = walk(head, itself); !done) return std::unexpected(std::move(done.error()));
    }
    return std::move(objects_);
  }

 private:
  // 16 bytes, and 32 in 3.7, where a count and padding follow the links.
  bool find_header_size() {
    for (std::uint64_t size : {16, 32}) {
      header_ = size;
      if (interpreter_.modules.value() > size && is_linked(reader_, interpreter_.modules - size)) return true;
    }
    return false;
  }

  [[nodiscard]] bool is_in_state(Address at) const {
    const auto is_within = [at](Address state) { return at >= state && at.value() - state.value() < kStateSpan; };
    return is_within(interpreter_.address) || is_within(runtime_.address);
  }

  // Large objects may lie near a state that was allocated: what has a type is one of them. Behind a head lie numbers, and then the
  // links of the next one.
  [[nodiscard]] bool is_head(Address at) const { return is_in_state(at) && !has_type(at + header_); }

  // From type to metaclass, up to the one that is its own.
  [[nodiscard]] bool has_type(Address object) const {
    constexpr int kMostSteps = 4;
    auto type = reader_.type_of(object);
    for (int step = 0; step < kMostSteps && type && !type->is_null() && !is_link(*type); ++step) {
      auto metaclass = reader_.type_of(*type);
      if (metaclass && *metaclass == *type) return true;
      type = std::move(metaclass);
    }
    return false;
  }

  // Of an empty list the head leads to itself, as a type of types does.
  [[nodiscard]] bool is_link(Address at) const { return is_in_state(at) && is_linked(reader_, at); }

  // Around the list that `start` is in. The list's head, when one is met.
  Result<void> walk(Address start, std::optional<Address>& head) {
    Address at = start;
    do {
      if (is_head(at)) {
        head = at;
      } else {
        if (objects_.size() >= kMostObjects) return fail(ErrorKind::kCorrupt, "more objects in the heap than are believed");
        objects_.push_back(at + header_);
      }
      ASYNCSPY_TRY(word, reader_.memory.read_value<std::uint64_t>(at));
      at = Address{word & kLinkMask};
    } while (at != start && !at.is_null());
    if (at.is_null()) return fail(ErrorKind::kCorrupt, "a list of the garbage collector ends without a return to its beginning", {}, start);
    return {};
  }

  // struct gc_generation is a header and two ints. After three of them come the pointer to the first one, in most releases, and
  // the permanent generation.
  std::vector<Address> find_neighbours(Address head) {
    constexpr std::int64_t kGenerations = 4;
    const std::int64_t size = header_ == 16 ? 24 : 48;
    std::vector<Address> heads;
    for (std::int64_t i = -kGenerations; i <= kGenerations; ++i) {
      for (std::int64_t gap : {0, 8, 16}) {
        const std::int64_t distance = i * size + (i > 0 ? gap : -gap);
        const Address at{head.value() + static_cast<std::uint64_t>(distance)};
        if (at == head || std::ranges::find(heads, at) != heads.end() || !is_head(at) || !is_linked(reader_, at)) continue;
        heads.push_back(at);
      }
    }
    return heads;
  }

  const ObjectReader& reader_;
  const Runtime& runtime_;
  const Interpreter& interpreter_;
  std::uint64_t header_ = 0;
  std::vector<Address> objects_;
};

}  // namespace

Result<std::vector<Address>> list_tracked_objects(const ObjectReader& reader, const Runtime& runtime, const Interpreter& interpreter) {
  return TrackedLists(reader, runtime, interpreter).run();
}

}  // namespace asyncspy
