#include "future_error.h"

#include <algorithm>

#include "object_attributes.h"

namespace asyncspy {

Address find_future_error(Inspection& inspection, const Asyncio& asyncio, Address future) {
  auto type = inspection.types.of(inspection.reader, future);
  if (!type) return {};
  const auto descends = [&](Address base) { return !base.is_null() && std::ranges::find((*type)->mro, base) != (*type)->mro.end(); };
  if (!descends(asyncio.c_future) && !descends(asyncio.c_task)) return find_object(inspection, future, "_exception");
  auto error = inspection.reader.read(future, inspection.layout().future.exception);
  return error && type_name_of(inspection, *error) != "NoneType" ? *error : Address{};
}

}  // namespace asyncspy
