#include "frame_values.h"

namespace asyncspy {
namespace {

constexpr std::int64_t kMostValues = 1 << 16;  // of one frame: beyond, it is garbage
constexpr std::size_t kLowest = 4;             // of an unknown stack: what `with` blocks keep lies at its bottom

std::uint64_t unsigned_offset(std::int32_t offset) { return static_cast<std::uint64_t>(offset); }

// Where the values of a frame lie: locals first, the stack right behind.
struct Extent {
  Address first;
  std::int64_t locals = 0;
  std::int64_t stack = -1;  // negative: not known
};

std::int64_t words_between(Address from, Address to) { return static_cast<std::int64_t>(to.value() - from.value()) / 8; }

// Include/frameobject.h (3.7-3.9: f_stacktop is null while it executes), Include/cpython/frameobject.h (3.10: f_stackdepth is -1).
Result<Extent> find_extent_of_object(Inspection& inspection, Address frame) {
  const FrameObjectLayout& layout = inspection.layout().frame_object;
  Extent extent;
  extent.first = frame + unsigned_offset(layout.localsplus.offset);
  ASYNCSPY_TRY(bottom, inspection.reader.read(frame, layout.value_stack));
  extent.locals = words_between(extent.first, bottom);
  if (layout.stack_top.present()) {
    ASYNCSPY_TRY(top, inspection.reader.read(frame, layout.stack_top));
    if (!top.is_null()) extent.stack = words_between(bottom, top);
  } else {
    ASYNCSPY_TRY(depth, inspection.reader.read(frame, layout.stack_depth));
    extent.stack = depth;
  }
  return extent;
}

// Include/internal/pycore_frame.h: the height of the stack is stored whenever the frame is left, and only then: while it
// executes stacktop is -1 (3.11-3.13) or stackpointer null (3.14+).
Result<Extent> find_extent(Inspection& inspection, Address frame) {
  const InterpreterFrameLayout& layout = inspection.layout().frame;
  Extent extent;
  extent.first = frame + unsigned_offset(layout.localsplus.offset);
  ASYNCSPY_TRY(executable, inspection.reader.read(frame, layout.executable));
  ASYNCSPY_TRY(names, inspection.reader.read(inspection.reader.untag(executable), inspection.layout().code.localsplus_names));
  ASYNCSPY_TRY(count, inspection.reader.read(names, inspection.layout().sequence.tuple_size));
  extent.locals = count;
  std::int64_t height = -1;
  if (layout.stack_pointer.present()) {
    ASYNCSPY_TRY(top, inspection.reader.read(frame, layout.stack_pointer));
    if (!top.is_null()) height = words_between(extent.first, top);
  } else {
    ASYNCSPY_TRY(top, inspection.reader.read(frame, layout.stack_top));
    height = top;
  }
  if (height >= count) extent.stack = height - count;
  return extent;
}

}  // namespace

Result<FrameValues> read_frame_values(Inspection& inspection, Address frame) {
  bool is_object = inspection.layout().thread_frame == ThreadFrame::kFrameObject;
  ASYNCSPY_TRY(extent, is_object ? find_extent_of_object(inspection, frame) : find_extent(inspection, frame));
  if (extent.locals < 0 || extent.locals > kMostValues || extent.stack > kMostValues) {
    return fail(ErrorKind::kCorrupt, "the extent of a frame is not plausible", {}, frame);
  }
  FrameValues values;
  values.stack_is_known = extent.stack >= 0;
  auto locals = static_cast<std::size_t>(extent.locals);
  if (!values.stack_is_known) {
    std::vector<Address> lowest(kLowest);
    const Address bottom = extent.first + locals * 8;
    if (inspection.reader.memory.read(bottom, std::as_writable_bytes(std::span(lowest)))) {
      for (Address& word : lowest) word = inspection.reader.untag(word);
      values.lowest = std::move(lowest);
    }
  }
  std::vector<Address> words(locals + static_cast<std::size_t>(values.stack_is_known ? extent.stack : 0));
  if (words.empty()) return values;
  if (auto done = inspection.reader.memory.read(extent.first, std::as_writable_bytes(std::span(words))); !done) {
    return std::unexpected(std::move(done.error()));
  }
  for (Address& word : words) word = inspection.reader.untag(word);
  values.stack.assign(words.begin() + static_cast<std::ptrdiff_t>(locals), words.end());
  words.resize(locals);
  values.locals = std::move(words);
  return values;
}

}  // namespace asyncspy
