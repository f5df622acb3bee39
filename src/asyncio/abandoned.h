// Tasks that go on although what awaited them is over: siblings in a gather() that failed, the inside of a shield() that was
// cancelled. Their done callbacks still refer to it.
#pragma once

#include <optional>

#include "find_asyncio.h"
#include "read_task.h"
#include "represent.h"
#include "task_facts.h"

namespace asyncspy {

class AbandonmentSearch {
 public:
  AbandonmentSearch(Inspection& inspection, const Asyncio& asyncio)
      : inspection_(inspection), asyncio_(asyncio), representer_(inspection.reader, inspection.types) {}

  [[nodiscard]] std::optional<Abandonment> find(const RawTask& raw);

 private:
  [[nodiscard]] std::optional<Abandonment> judge(Address callback);
  [[nodiscard]] std::optional<Abandonment> describe_end(Address future, std::string_view construct);

  Inspection& inspection_;
  const Asyncio& asyncio_;
  Representer representer_;
  // All children of a gather() have the same callback: it is looked at once.
  AddressMap<std::optional<Abandonment>> known_;
};

}  // namespace asyncspy
