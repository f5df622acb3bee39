#include "find_runtime_fallbacks.h"

#include <fmt/format.h>

#include "debug_offsets.h"
#include "instructions.h"
#include "versions.h"

namespace asyncspy {
namespace {

// What the place begins with: nothing known, the mark of _PyRuntime with a release, or the mark by chance (it is also in
// programs that look for it).
struct Mark {
  bool is_there = false;
  unsigned minor = 0;
};

Mark read_mark(Memory& memory, Address runtime) {
  std::vector<std::byte> bytes(kDebugHeaderSize);
  if (!memory.read(runtime, bytes)) return {};
  auto header = parse_debug_header(bytes);
  if (!header) return {};
  auto minor = static_cast<unsigned>(header->hex_version >> 16 & 0xFF);
  auto level = header->hex_version >> 4 & 0xF;  // alpha, beta, candidate, final
  bool is_level = level == 0xA || level == 0xB || level == 0xC || level == 0xF;
  bool is_release = header->hex_version >> 24 == 3 && minor > kLastUnmarkedMinor && is_level;
  return {true, is_release ? minor : 0};
}

// Images without any symbol of Python but with a place: nothing but its content says so.
bool is_known_by_content(const LoadedImage& image) { return image.version.is_null() && image.interpreter_head.is_null() && image.build_id.empty(); }

Result<Address> find_head(Memory& memory, Address function) {
  ASYNCSPY_TRY(load, find_global_load(memory, function));
  Address structure = load.address;
  if (load.through_table) {
    ASYNCSPY_TRY(slot, memory.read_value<Address>(load.address));
    structure = slot;
  }
  return structure + static_cast<std::uint64_t>(std::int64_t{load.displacement});
}

// One place for each distance of the member from the start of _PyRuntime that a release has.
void add_places_by_head(Memory& memory, const LoadedImage& image, std::vector<RuntimePlace>& places) {
  auto head = find_head(memory, image.interpreter_head);
  if (!head) return;
  unsigned stated = 0;
  if (!image.version.is_null()) {
    if (auto version = memory.read_value<std::uint32_t>(image.version)) stated = *version >> 16 & 0xFF;
  }
  for (unsigned minor = kOldestMinor; minor <= kNewestMinor; ++minor) {
    if (stated != 0 && minor != stated) continue;
    for (const PythonLayout& layout : find_layouts(minor)) {
      Address runtime = *head - static_cast<std::uint64_t>(layout.runtime.interpreters_head.offset);
      bool is_known = !places.empty() && places.back().image == &image && places.back().runtime == runtime;
      if (is_known) places.back().last_minor = minor;
      if (is_known || (minor > kLastUnmarkedMinor && read_mark(memory, runtime).minor != minor)) continue;
      places.push_back({runtime, &image, minor, minor,
                        fmt::format("{} has no symbol _PyRuntime; it was found by the code of PyInterpreterState_Head", image.path)});
    }
  }
}

}  // namespace

std::vector<RuntimePlace> find_runtime_places(Memory& memory, const std::vector<LoadedImage>& images) {
  std::vector<RuntimePlace> places;
  std::vector<RuntimePlace> by_content;
  for (const LoadedImage& image : images) {
    if (image.runtime.is_null()) continue;
    Mark mark = is_known_by_content(image) ? read_mark(memory, image.runtime) : Mark{};
    if (!mark.is_there) {
      places.push_back({.runtime = image.runtime, .image = &image, .guess = {}});
    } else if (mark.minor != 0) {
      by_content.push_back({image.runtime, &image, mark.minor, mark.minor,
                            fmt::format("no symbol leads to it; it was found in {} by what _PyRuntime begins with", image.path)});
    }
  }
  for (const LoadedImage& image : images) {
    if (image.runtime.is_null() && !image.interpreter_head.is_null()) add_places_by_head(memory, image, places);
  }
  places.insert(places.end(), by_content.begin(), by_content.end());
  return places;
}

}  // namespace asyncspy
