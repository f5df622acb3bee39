// Memory of which chosen addresses can not be read, and which knows whether anybody tried: a test of what happens
// after a failed read proves nothing when the read was never made.
#pragma once

#include <map>

#include "bulk_memory.h"

namespace asyncspy {

class FailingMemory final : public BulkMemory {
 public:
  explicit FailingMemory(BulkMemory& source) : source_(source) {}

  void fail_at(Address at) { asked_.emplace(at, false); }

  // Whether every chosen address was asked for, and at least one was chosen.
  [[nodiscard]] bool all_were_asked() const {
    bool all = !asked_.empty();
    for (const auto& [at, asked] : asked_) all = all && asked;
    return all;
  }

  [[nodiscard]] Result<void> read(Address from, std::span<std::byte> into) override {
    auto first = asked_.lower_bound(from);
    if (first != asked_.end() && first->first < from + into.size()) {
      first->second = true;
      return fail(ErrorKind::kUnreadable, "failing memory: chosen to fail", {}, first->first);
    }
    return source_.read(from, into);
  }

 private:
  BulkMemory& source_;
  std::map<Address, bool> asked_;
};

}  // namespace asyncspy
