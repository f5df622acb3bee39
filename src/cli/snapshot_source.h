// What a command is to look at: a process by its id, or a file that holds what is left of one. Takes the snapshot.
#pragma once

#include <string>

#include "capture.h"
#include "snapshot.h"

namespace asyncspy {

struct SnapshotSource {
  std::string name;  // a process id, or the path of a core file or a recording
  std::string core;  // the path of a core file or a recording, instead of `name`
  std::string root;  // where a core's files are, or empty
};

// "12" but not "0", "-3", "abc", "12x" or what no int holds.
[[nodiscard]] bool is_process_id(const std::string& word);

// An explanation, or empty when `word` is a process id.
[[nodiscard]] std::string check_process_id(const std::string& word);

// The process to look at; `word` is a process id. Fails when it is that of asyncspy itself.
[[nodiscard]] Result<int> parse_process_id(const std::string& word);

// An explanation, or empty when `word` is a process id or names a file.
[[nodiscard]] std::string check_source(const std::string& word);

[[nodiscard]] Result<Snapshot> take_snapshot(const SnapshotSource& source, const CaptureOptions& options);

}  // namespace asyncspy
