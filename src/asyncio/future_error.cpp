#include "future_error.h"

#include "object_attributes.h"

namespace asyncspy {

Address find_future_error(Inspection& inspection, const Asyncio& asyncio, Address future) {
  auto type = inspection.types.of(inspection.reader, future);
  if (!type) return {};
  if (!is_c_future(asyncio, **type)) return find_object(inspection, future, "_exception");
  auto error = inspection.reader.read(future, inspection.layout().future.exception);
  return error && type_name_of(inspection, *error) != "NoneType" ? *error : Address{};
}

}  // namespace asyncspy
