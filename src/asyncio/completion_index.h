// Who will complete a future: the inverse of what the callbacks of tasks hold. Built when it is first asked for, because most
// waits are understood without it.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "find_asyncio.h"

namespace asyncspy {

inline constexpr std::size_t kMostCallbacks = 100'000;  // of one future

// The functions (not their contexts) that are called when the future is done, of any future or task in C or Python, in the
// order in which they were added: the first `most` of them or a few more.
[[nodiscard]] Result<std::vector<Address>> read_callbacks(Inspection& inspection, const Asyncio& asyncio, Address future,
                                                          std::size_t most = kMostCallbacks);

// A task whose end calls something that holds the object in question.
struct Completion {
  Address task;
  std::string_view callback;  // qualified name of what is called
};

class CompletionIndex {
 public:
  // `tasks` with callbacks. The vector must outlive the index.
  CompletionIndex(Inspection& inspection, const Asyncio& asyncio, const std::vector<Address>& tasks)
      : inspection_(inspection), asyncio_(asyncio), tasks_(tasks) {}

  // Tasks whose callbacks hold `object` as bound self, argument of a partial or in a closure, in the order of the tasks.
  [[nodiscard]] const std::vector<Completion>& find(Address object);

 private:
  void build();

  Inspection& inspection_;
  const Asyncio& asyncio_;
  const std::vector<Address>& tasks_;
  bool is_built_ = false;
  std::unordered_map<Address, std::vector<Completion>> completions_;
  std::vector<Completion> none_;
};

}  // namespace asyncspy
