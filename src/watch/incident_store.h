// The directory of incident files: each appears whole or not at all, and the oldest go when there are too many.
//
// Nothing outside the directory is read or written: it is opened once, and files are named relative to it. Files that have other
// names than ours are left alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "file_descriptor.h"
#include "report.h"
#include "result.h"
#include "watch_settings.h"

namespace asyncspy {

struct IncidentFile {
  std::string name;
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;  // Unix time
};

struct RemovedFile {
  std::string name;
  std::string_view why;  // "count", "bytes", "age", "full"
};

class IncidentStore {
 public:
  // Creates the directory when it is missing, and removes what an earlier run left half-written.
  [[nodiscard]] static Result<IncidentStore> open(const std::string& path, const RetentionLimits& limits, std::string tool_version);

  // A report with an incident: the name of its file. A full disk loses the oldest files first; `removed` gets what had to go, even if
  // that was not enough.
  [[nodiscard]] Result<std::string> write(const Report& report, std::vector<RemovedFile>& removed);

  // What is there, oldest first.
  [[nodiscard]] std::vector<IncidentFile> list() const;

  // Fails for every name that is none of ours.
  [[nodiscard]] Result<FileDescriptor> open_file(std::string_view name) const;

  // The files that are too many, too old or too large together.
  [[nodiscard]] std::vector<RemovedFile> enforce_limits();

 private:
  IncidentStore(FileDescriptor directory, std::string path, const RetentionLimits& limits, std::string tool_version)
      : directory_(std::move(directory)), path_(std::move(path)), limits_(limits), tool_version_(std::move(tool_version)) {}

  [[nodiscard]] int write_partial(const std::string& partial, const Report& report) const;  // errno, or 0
  [[nodiscard]] bool remove(const std::string& name) const;
  [[nodiscard]] std::string choose_name(const Report& report) const;

  FileDescriptor directory_;
  std::string path_;
  RetentionLimits limits_;
  std::string tool_version_;
};

// "asyncspy-20261120T190000.123Z-4711-stall.json"
[[nodiscard]] std::string name_incident(const Incident& incident, int pid);
[[nodiscard]] bool is_incident_name(std::string_view name);

}  // namespace asyncspy
