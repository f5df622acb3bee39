#include "handles.h"

#include "containers.h"
#include "number.h"

namespace asyncspy {
namespace {

Result<Address> read_slot(Inspection& inspection, const Type& type, Address object, std::string_view name) {
  ASYNCSPY_TRY(offset, inspection.types.slot_offset(inspection.reader, type, name));
  if (!offset) return Address{};
  return inspection.reader.memory.read_value<Address>(object + static_cast<std::uint64_t>(*offset));
}

}  // namespace

Result<Handle> read_handle(Inspection& inspection, Address object) {
  ASYNCSPY_TRY(type, inspection.types.of(inspection.reader, object));
  Handle handle;
  handle.address = object;
  ASYNCSPY_TRY(cancelled, read_slot(inspection, *type, object, "_cancelled"));
  if (cancelled.is_null()) return fail(ErrorKind::kCorrupt, "not a handle: " + type->name, {}, object);
  ASYNCSPY_TRY(truth, read_integer(inspection.reader, cancelled));
  handle.cancelled = truth != 0;
  ASYNCSPY_TRY(when, read_slot(inspection, *type, object, "_when"));
  if (!when.is_null()) {
    ASYNCSPY_TRY(when_type, inspection.types.of(inspection.reader, when));
    if (inspection.types.inherits(inspection.reader, *when_type, "float")) {
      ASYNCSPY_TRY(seconds, read_float(inspection.reader, when));
      handle.when = seconds;
    } else if (inspection.types.inherits(inspection.reader, *when_type, "int")) {  // call_at(5, ...) keeps what it is given
      ASYNCSPY_TRY(seconds, read_integer(inspection.reader, when));
      handle.when = static_cast<double>(seconds);
    }
  }
  ASYNCSPY_TRY(callback, read_slot(inspection, *type, object, "_callback"));
  handle.callback = callback;
  ASYNCSPY_TRY(arguments, read_slot(inspection, *type, object, "_args"));
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
