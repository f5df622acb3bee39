// Every layout of every release: what a reader test runs over.
#pragma once

#include <string>
#include <vector>

#include "versions.h"

namespace asyncspy {

inline std::vector<const PythonLayout*> all_layouts() {
  std::vector<const PythonLayout*> layouts;
  for (unsigned minor = 7; minor <= 15; ++minor) {
    for (const PythonLayout& layout : find_layouts(minor)) layouts.push_back(&layout);
  }
  return layouts;
}

inline std::string name_of(const PythonLayout& layout) {
  return "layout of " + std::string(layout.measured_from) + " (3." + std::to_string(layout.minor) + ")";
}

}  // namespace asyncspy

// Runs the block that follows for each layout, as `layout`, and names it when a check fails.
#define FOR_EACH_LAYOUT(layout)                                            \
  for (const PythonLayout* layout##_at : all_layouts())                    \
    if (const PythonLayout& layout = *layout##_at; true)                   \
      if (Catch::ScopedMessage layout##_message(Catch::MessageBuilder("", \
          CATCH_INTERNAL_LINEINFO, Catch::ResultWas::Info) << name_of(layout)); true)
