// The files that were mapped into a process of which only a core is left: found at their path, or below a directory that
// holds the process's root, and used only when they are the build that was mapped.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core_file.h"
#include "mapped_files.h"

namespace asyncspy {

class CoreMappedFiles final : public MappedFiles {
 public:
  // `root`: a directory to look in first, or empty.
  CoreMappedFiles(const CoreFile& core, std::string root) : core_(core), root_(std::move(root)) {}

  [[nodiscard]] FileDescriptor open(const MappedFile& file) override;
  [[nodiscard]] std::string root() const override { return root_; }

  // Why files were refused, one sentence for each.
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  [[nodiscard]] FileDescriptor find(const MappedFile& file);

  const CoreFile& core_;
  std::string root_;
  std::map<std::string, FileDescriptor> known_;  // by path; empty: refused
  std::vector<std::string> warnings_;
};

}  // namespace asyncspy
