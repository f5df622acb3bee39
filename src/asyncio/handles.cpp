#include "handles.h"

#include "containers.h"
#include "number.h"

namespace asyncspy {
namespace {

// Where handles of a class keep their state; read once for a class, as a loop has many handles.
Result<HandleSlots> find_slots(Inspection& inspection, const Type& type) {
  if (const HandleSlots* known = inspection.handle_slots.find(type.address)) return *known;
  HandleSlots slots;
  const auto look_up = [&](std::string_view name, Pointer& slot) -> Result<void> {
    ASYNCSPY_TRY(offset, inspection.types.slot_offset(inspection.reader, type, name));
    if (offset) slot.offset = static_cast<std::int32_t>(*offset);
    return {};
  };
  if (auto found = look_up("_cancelled", slots.cancelled); !found) return std::unexpected(std::move(found.error()));
  if (auto found = look_up("_when", slots.when); !found) return std::unexpected(std::move(found.error()));
  if (auto found = look_up("_callback", slots.callback); !found) return std::unexpected(std::move(found.error()));
  if (auto found = look_up("_args", slots.arguments); !found) return std::unexpected(std::move(found.error()));
  inspection.handle_slots.add(type.address, slots);
  return slots;
}

Result<Address> read_slot(const Inspection& inspection, Address object, Pointer slot) {
  return slot.present() ? inspection.reader.read(object, slot) : Result<Address>{Address{}};
}

// call_at(5, ...) keeps what it is given.
Result<std::optional<double>> read_when(Inspection& inspection, Address when) {
  ASYNCSPY_TRY(type, inspection.types.of(inspection.reader, when));
  if (type->name == "float" || inspection.types.inherits(inspection.reader, *type, "float")) {
    ASYNCSPY_TRY(seconds, read_float(inspection.reader, when));
    return seconds;
  }
  if (!inspection.types.inherits(inspection.reader, *type, "int")) return std::optional<double>{};
  ASYNCSPY_TRY(seconds, read_integer(inspection.reader, when));
  return static_cast<double>(seconds);
}

}  // namespace

Result<Handle> read_handle(Inspection& inspection, Address object) {
  ASYNCSPY_TRY(type, inspection.types.of(inspection.reader, object));
  Handle handle;
  handle.address = object;
  ASYNCSPY_TRY(slots, find_slots(inspection, *type));
  ASYNCSPY_TRY(cancelled, read_slot(inspection, object, slots.cancelled));
  if (cancelled.is_null()) return fail(ErrorKind::kCorrupt, "not a handle: " + type->name, {}, object);
  ASYNCSPY_TRY(truth, read_integer(inspection.reader, cancelled));
  handle.cancelled = truth != 0;
  ASYNCSPY_TRY(when, read_slot(inspection, object, slots.when));
  if (!when.is_null()) {
    ASYNCSPY_TRY(seconds, read_when(inspection, when));
    handle.when = seconds;
  }
  ASYNCSPY_TRY(callback, read_slot(inspection, object, slots.callback));
  handle.callback = callback;
  ASYNCSPY_TRY(arguments, read_slot(inspection, object, slots.arguments));
  if (!arguments.is_null()) {
    ASYNCSPY_TRY(arguments_type, inspection.types.of(inspection.reader, arguments));
    if (arguments_type->name == "tuple") {
      ASYNCSPY_TRY(items, read_tuple(inspection.reader, arguments));
      handle.arguments = std::move(items);
    }
  }
  return handle;
}

}  // namespace asyncspy
