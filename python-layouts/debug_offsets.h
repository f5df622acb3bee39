// The offset tables that CPython exports of itself: _Py_DebugOffsets at the start of _PyRuntime (3.13+,
// Include/internal/pycore_debug_offsets.h) and Py_AsyncioModuleDebugOffsets in section .AsyncioDebug (3.14+,
// Modules/_asynciomodule.c). They come from the target: each value is checked before it replaces one of the
// version file, and a table that makes no sense is refused as a whole.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "layout.h"
#include "result.h"

namespace asyncspy {

inline constexpr std::string_view kDebugCookie = "xdebugpy";
inline constexpr std::size_t kDebugHeaderSize = 24;     // cookie, hexversion, free_threaded
inline constexpr std::size_t kDebugOffsetsMaxSize = 1024;
inline constexpr std::size_t kAsyncioDebugSize = 104;   // 13 words, 3.14 and 3.15

struct DebugHeader {
  std::uint64_t hex_version = 0;
  bool free_threaded = false;
};

// The first kDebugHeaderSize bytes of _PyRuntime; fails with kCorrupt when the cookie is not there.
[[nodiscard]] Result<DebugHeader> parse_debug_header(std::span<const std::byte> bytes);

// How many bytes of table the release exports: 0 when none is known for this minor version.
[[nodiscard]] std::size_t debug_offsets_size(unsigned minor);

// What a table said that the version file said otherwise.
struct LayoutChange {
  std::string_view field;
  std::int32_t file_offset = 0;
  std::int32_t exported_offset = 0;
};

// Replaces the fields of `layout` by the exported ones; `table` begins at the cookie.
[[nodiscard]] Result<std::vector<LayoutChange>> apply_debug_offsets(PythonLayout& layout, std::span<const std::byte> table);
[[nodiscard]] Result<std::vector<LayoutChange>> apply_asyncio_debug(PythonLayout& layout, std::span<const std::byte> table);

// Whether _Py_DebugOffsets of 3.`minor`, or .AsyncioDebug, gives the field ("thread.frame").
[[nodiscard]] bool is_exported_by_runtime(unsigned minor, std::string_view field);
[[nodiscard]] bool is_exported_by_asyncio(std::string_view field);

}  // namespace asyncspy
