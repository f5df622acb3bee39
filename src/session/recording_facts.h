// The facts of a recording, those that an ELF core has no place for, as JSON text.
#pragma once

#include <string>
#include <string_view>

#include "snapshot.h"

namespace asyncspy {

// Raised when the meaning of what is there changes, or something that a reader must not overlook is added.
inline constexpr int kRecordingVersion = 1;

[[nodiscard]] std::string render_recording_facts(const Snapshot& snapshot, std::string_view tool_version);

// Everything of a snapshot but its memory.
[[nodiscard]] Result<Snapshot> parse_recording_facts(std::string_view text);

}  // namespace asyncspy
