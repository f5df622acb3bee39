// A core file as a Target: from the kernel, from gdb's gcore, or unpacked from what a crash collector stored.
#pragma once

#include <memory>
#include <string>

#include "core_file.h"
#include "core_mapped_files.h"
#include "core_notes.h"
#include "spliced_memory.h"
#include "target.h"

namespace asyncspy {

class CoreTarget final : public Target {
 public:
  // `root`: a directory that holds the files of the process, or empty to look for them at their own paths only.
  [[nodiscard]] static Result<std::unique_ptr<CoreTarget>> open(CoreFile core, const std::string& path,
                                                                const std::string& root);

  [[nodiscard]] Result<ProcessFacts> read_process() override;
  [[nodiscard]] Result<std::vector<ThreadFacts>> read_threads() override { return threads_; }
  [[nodiscard]] BulkMemory& memory() override { return memory_; }

  // Nothing moves in a core: no thread is stopped, and none is let go.
  [[nodiscard]] Result<std::unique_ptr<Freeze>> freeze(std::chrono::milliseconds deadline) override;

  // A core does not say what its descriptors were.
  [[nodiscard]] std::vector<Descriptor> read_descriptors(const std::vector<int>& numbers) override;

  [[nodiscard]] MappedFiles* mapped_files() override { return &files_; }

  // Nor does it hold any clock.
  [[nodiscard]] std::int64_t monotonic_now() override { return 0; }

  [[nodiscard]] bool is_live() const override { return false; }
  [[nodiscard]] Result<std::vector<PageRange>> find_written_pages(const std::vector<Mapping>& mappings) override;
  [[nodiscard]] std::vector<std::string> warnings() const override;

 private:
  CoreTarget(CoreFile core, CoreFacts facts, std::string path, const std::string& root);
  void build_mappings();
  void build_threads();
  [[nodiscard]] std::string find_executable() const;
  [[nodiscard]] std::vector<std::string> find_command_line();

  CoreFile core_;
  CoreFacts facts_;
  std::string path_;
  std::vector<Mapping> mappings_;
  std::vector<ThreadFacts> threads_;
  std::vector<std::string> warnings_;
  CoreMappedFiles files_;
  SplicedMemory memory_;
};

}  // namespace asyncspy
