// A snapshot as a file: an ELF core with the pages that were copied, and one note with all that a core lacks.
//
// The file holds everything that an analysis of the snapshot needs, so that it says the same on any machine, years later.
#pragma once

#include <string>
#include <string_view>

#include "core_file.h"
#include "snapshot.h"
#include "zstd_stream.h"

namespace asyncspy {

inline constexpr std::string_view kRecordingOwner = "ASYNCSPY";  // of the note
inline constexpr std::uint32_t kRecordingType = 1;

// False when `out` takes no more; why is for the owner of `out` to say.
[[nodiscard]] Result<bool> write_recording(Snapshot& snapshot, std::string_view tool_version, const WriteBytes& out);

[[nodiscard]] bool is_recording(const CoreFile& core);

// `path` names the file in errors.
[[nodiscard]] Result<Snapshot> read_recording(CoreFile core, const std::string& path);

}  // namespace asyncspy
