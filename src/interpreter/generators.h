// Coroutines, generators and async generators: where they stand, and what they delegate to while suspended.
#pragma once

#include <optional>

#include "inspection.h"

namespace asyncspy {

enum class GeneratorPhase : std::uint8_t { kCreated, kSuspended, kRunning, kFinished };

struct Generator {
  Address address;
  GeneratorPhase phase = GeneratorPhase::kFinished;
  Address frame;     // its _PyInterpreterFrame or PyFrameObject; null when finished
  Frame shown;       // function, line and names
  Address handled;   // the exception whose handler a suspended one is in; null or None: in none
  Address delegate;  // what a suspended one awaits or yields from; null: it suspended at a plain yield
};

// `object` is one of CPython's three kinds (see TypeKind); `kind` says what the frame is shown as.
[[nodiscard]] Result<Generator> read_generator(Inspection& inspection, Address object, FrameKind kind);

// The frame kind of code with these co_flags (Include/code.h: CO_GENERATOR 0x20, CO_COROUTINE 0x80,
// CO_ITERABLE_COROUTINE 0x100, CO_ASYNC_GENERATOR 0x200).
[[nodiscard]] FrameKind frame_kind_of(std::int32_t code_flags);

}  // namespace asyncspy
