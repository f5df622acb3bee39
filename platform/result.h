// What can go wrong, as a value.
//
// Every function that reads the target or the system returns a Result. An Error is written for the person who
// reads it at three in the morning: what it is about, what is wrong, and what to type next.
#pragma once

#include <expected>
#include <string>
#include <utility>

#include "address.h"

namespace asyncspy {

enum class ErrorKind {
  kUsage,        // the command line makes no sense
  kOutput,       // the result can not be written
  kNoProcess,    // there is no such process, or it ended meanwhile
  kPermission,   // the kernel refuses
  kNotPython,    // no interpreter was found in the process, or it is not usable (zombie, exited half way)
  kUnsupported,  // an interpreter was found that this version of asyncspy can not read
  kUnreadable,   // memory at `at` could not be read
  kCorrupt,      // memory was read and does not make sense (torn, freed, or a wrong layout)
  kTimeout,      // a bounded wait was exceeded
  kInternal,     // a defect of asyncspy
};

struct Error {
  ErrorKind kind = ErrorKind::kInternal;
  std::string what;  // "subject: problem", without a final full stop
  std::string hint;  // the next thing to do, or empty
  Address at;        // for kUnreadable and kCorrupt: where
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(ErrorKind kind, std::string what, std::string hint = {}, Address at = {}) {
  return std::unexpected(Error{kind, std::move(what), std::move(hint), at});
}

}  // namespace asyncspy

// `ASYNCSPY_TRY(name, expression);` declares `name` as the value of a Result, or returns its error from the caller.
#define ASYNCSPY_TRY(name, ...)                                                             \
  auto name##_result = (__VA_ARGS__);                                                       \
  if (!name##_result) return std::unexpected(std::move(name##_result.error()));             \
  auto& name = *name##_result
