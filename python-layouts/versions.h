// The version files: each yields the layouts that its release is known to have, the most recent one first.
#pragma once

#include <span>

#include "layout.h"

namespace asyncspy {

std::span<const PythonLayout> cpython_3_7_layouts();
std::span<const PythonLayout> cpython_3_8_layouts();
std::span<const PythonLayout> cpython_3_9_layouts();
std::span<const PythonLayout> cpython_3_10_layouts();
std::span<const PythonLayout> cpython_3_11_layouts();
std::span<const PythonLayout> cpython_3_12_layouts();
std::span<const PythonLayout> cpython_3_13_layouts();
std::span<const PythonLayout> cpython_3_14_layouts();
std::span<const PythonLayout> cpython_3_15_layouts();

// Layouts of CPython 3.`minor`, or nothing when that release is not known.
std::span<const PythonLayout> find_layouts(unsigned minor);

}  // namespace asyncspy
