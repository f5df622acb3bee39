// A context keeps its variables in a hash array mapped trie (Python/hamt.c), which contexts share parts of: a tree of nodes
// of three kinds. Every node is checked to be one before its items are believed.
#include "context.h"

#include "containers.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostNodes = 100'000;
constexpr std::int64_t kMostPairs = 10'000;   // of a collision node
constexpr std::int64_t kArrayItems = 32;      // HAMT_ARRAY_NODE_SIZE (Include/internal/pycore_hamt.h)

class HamtWalk {
 public:
  explicit HamtWalk(Inspection& inspection) : inspection_(inspection), layout_(inspection.layout().context) {}

  Result<std::vector<ContextEntry>> run(Address root) {
    nodes_.push_back(root);
    for (std::size_t seen = 0; !nodes_.empty(); ++seen) {
      if (seen >= kMostNodes) return fail(ErrorKind::kCorrupt, "the table of context variables does not end", {}, root);
      Address node = nodes_.back();
      nodes_.pop_back();
      if (auto done = visit(node); !done) return std::unexpected(std::move(done.error()));
    }
    return std::move(entries_);
  }

 private:
  Result<void> visit(Address node) {
    ASYNCSPY_TRY(type, inspection_.types.of(inspection_.reader, node));
    // The size that a type states ends where its items begin, or, of an array node, in their number.
    if (type->name == "hamt_bitmap_node" && type->basic_size == layout_.bitmap_items.offset) return visit_pairs(node, layout_.bitmap_items, 2 * kArrayItems);
    if (type->name == "hamt_collision_node" && type->basic_size == layout_.collision_items.offset) return visit_pairs(node, layout_.collision_items, kMostPairs);
    if (type->name == "hamt_array_node" && type->basic_size == layout_.array_items.offset + kArrayItems * 8 + 8) return visit_array(node);
    return fail(ErrorKind::kCorrupt, "a table of context variables has a part that is none", {}, node);
  }

  // Pairs of key and value; where the key is null the value is another node.
  Result<void> visit_pairs(Address node, Bytes items_at, std::int64_t most) {
    ASYNCSPY_TRY(size, inspection_.reader.read(node, inspection_.layout().object.var_size));
    if (size < 0 || size > most || size % 2 != 0) return fail(ErrorKind::kCorrupt, "length of a container is not plausible", {}, node);
    std::vector<Address> items(static_cast<std::size_t>(size));
    if (auto done = read_items(node, items_at, items); !done) return done;
    for (std::size_t i = 0; i < items.size(); i += 2) {
      if (items[i].is_null()) {
        if (!items[i + 1].is_null()) nodes_.push_back(items[i + 1]);
      } else {
        entries_.push_back({items[i], items[i + 1]});
      }
    }
    return {};
  }

  Result<void> visit_array(Address node) {
    std::vector<Address> items(kArrayItems);
    if (auto done = read_items(node, layout_.array_items, items); !done) return done;
    for (Address item : items) {
      if (!item.is_null()) nodes_.push_back(item);
    }
    return {};
  }

  Result<void> read_items(Address node, Bytes items_at, std::vector<Address>& items) {
    if (items.empty()) return {};
    return inspection_.reader.memory.read(node + static_cast<std::uint64_t>(items_at.offset), std::as_writable_bytes(std::span(items)));
  }

  Inspection& inspection_;
  const ContextLayout& layout_;
  std::vector<Address> nodes_;  // still to be visited
  std::vector<ContextEntry> entries_;
};

}  // namespace

Result<std::vector<ContextEntry>> read_context(Inspection& inspection, Address context) {
  const ContextLayout& layout = inspection.layout().context;
  ASYNCSPY_TRY(type, inspection.types.of(inspection.reader, context));
  if (type->short_name() != "Context") return fail(ErrorKind::kCorrupt, "not a context", {}, context);
  ASYNCSPY_TRY(variables, inspection.reader.read(context, layout.variables));
  ASYNCSPY_TRY(table_type, inspection.types.of(inspection.reader, variables));
  if (table_type->name != "hamt") return fail(ErrorKind::kCorrupt, "not a table of context variables", {}, variables);
  ASYNCSPY_TRY(root, inspection.reader.read(variables, layout.hamt_root));
  return HamtWalk(inspection).run(root);
}

}  // namespace asyncspy
