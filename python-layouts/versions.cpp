#include "versions.h"

namespace asyncspy {

std::span<const PythonLayout> find_layouts(unsigned minor) {
  switch (minor) {
    case 7: return cpython_3_7_layouts();
    case 8: return cpython_3_8_layouts();
    case 9: return cpython_3_9_layouts();
    case 10: return cpython_3_10_layouts();
    case 11: return cpython_3_11_layouts();
    case 12: return cpython_3_12_layouts();
    case 13: return cpython_3_13_layouts();
    case 14: return cpython_3_14_layouts();
    case 15: return cpython_3_15_layouts();
    default: return {};
  }
}

}  // namespace asyncspy
