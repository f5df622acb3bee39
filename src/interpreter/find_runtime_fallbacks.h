// Where _PyRuntime may lie: at its symbol, and where there is none, by two other ways.
//
// PyInterpreterState_Head, part of the stable interface, returns _PyRuntime.interpreters.head in every release: its code
// tells the address of that member. And from 3.13 on _PyRuntime begins with a mark, by which platform/loaded_images.h finds it
// among the data. Both are guesses until a layout passes its self-checks there.
#pragma once

#include <string>
#include <vector>

#include "memory.h"
#include "process_facts.h"

namespace asyncspy {

inline constexpr unsigned kOldestMinor = 7;
inline constexpr unsigned kNewestMinor = 15;
inline constexpr unsigned kLastUnstatedMinor = 10;  // later releases state their version (Py_Version, _Py_DebugOffsets)
inline constexpr unsigned kLastUnmarkedMinor = 12;  // later ones do so where _PyRuntime begins

struct RuntimePlace {
  Address runtime;
  const LoadedImage* image = nullptr;
  // The releases that are tried where nothing states one.
  unsigned first_minor = kOldestMinor;
  unsigned last_minor = kLastUnstatedMinor;
  std::string guess;  // by which way it was found, or empty: by its symbol

  // Whether it says something that nothing can be read there: of guesses about releases that state no version most are wrong.
  [[nodiscard]] bool is_certain() const { return guess.empty() || !image->version.is_null() || first_minor > kLastUnmarkedMinor; }
};

// All places, in the order in which they are to be tried. They point into `images`.
[[nodiscard]] std::vector<RuntimePlace> find_runtime_places(Memory& memory, const std::vector<LoadedImage>& images);

}  // namespace asyncspy
