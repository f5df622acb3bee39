#include "ready_queue.h"

#include <array>

#include "instance.h"
#include "read_uvloop.h"

namespace asyncspy {

Result<ReadyQueue> find_ready_queue(Inspection& inspection, Address loop) {
  ASYNCSPY_TRY(type, inspection.types.of(inspection.reader, loop));
  if (is_uvloop(inspection, *type)) {
    ASYNCSPY_TRY(deque, find_uvloop_ready(inspection, loop));
    ASYNCSPY_TRY(time, find_uvloop_time(inspection, loop));
    return ReadyQueue{deque, false, time};
  }
  ASYNCSPY_TRY(deque, find_attribute(inspection.reader, inspection.types, *type, loop, "_ready"));
  if (!deque) return fail(ErrorKind::kCorrupt, "event loop: has no ready queue", {}, loop);
  return ReadyQueue{*deque, true, {}};
}

Result<QueueCount> read_queue_count(Memory& memory, const PythonLayout& layout, const ReadyQueue& queue) {
  ASYNCSPY_TRY(count, read_queue_count(memory, layout, queue.deque));
  if (!queue.turn.is_null()) {
    ASYNCSPY_TRY(turn, memory.read_value<std::uint64_t>(queue.turn));
    count.turn = turn;
  }
  return count;
}

Result<QueueCount> read_queue_count(Memory& memory, const PythonLayout& layout, Address queue) {
  ObjectReader reader{memory, layout};
  ASYNCSPY_TRY(view, reader.view_of(queue, layout.object.type, layout.sequence.deque_size, layout.sequence.deque_state));
  QueueCount count;
  count.type = view.get(layout.object.type);
  count.moves = static_cast<std::uint64_t>(view.get(layout.sequence.deque_state));
  count.size = view.get(layout.sequence.deque_size);
  return count;
}

std::optional<std::uint64_t> count_taken(const QueueCount& before, const QueueCount& after) {
  if (before.type != after.type || after.moves < before.moves || before.size < 0 || after.size < 0) return std::nullopt;
  const std::uint64_t moves = after.moves - before.moves;
  const std::int64_t growth = after.size - before.size;
  const auto grown = static_cast<std::uint64_t>(growth < 0 ? -growth : growth);
  // moves = added + taken and growth = added - taken.
  if (grown > moves || (moves - grown) % 2 != 0) return std::nullopt;
  const std::uint64_t smaller = (moves - grown) / 2;
  return growth < 0 ? smaller + grown : smaller;
}

}  // namespace asyncspy
