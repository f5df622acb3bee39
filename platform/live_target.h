// A running process as a Target. Reads procfs and memory; the only thing that it does to the process is to stop it for
// a moment, and only in freeze().
#pragma once

#include <memory>

#include "live_memory.h"
#include "target.h"

namespace asyncspy {

class LiveTarget final : public Target {
 public:
  // Checks that the process exists and may be read. Does not disturb it.
  [[nodiscard]] static Result<std::unique_ptr<LiveTarget>> attach(int pid);

  [[nodiscard]] Result<ProcessFacts> read_process() override;
  [[nodiscard]] Result<std::vector<ThreadFacts>> read_threads() override;
  [[nodiscard]] std::optional<ThreadFacts> read_thread(int tid) override;
  [[nodiscard]] BulkMemory& memory() override { return memory_; }
  [[nodiscard]] Result<std::unique_ptr<Freeze>> freeze(std::chrono::milliseconds longest) override;
  [[nodiscard]] std::unique_ptr<Standstill> find_standstill() override;
  [[nodiscard]] std::vector<Descriptor> read_descriptors(const std::vector<int>& numbers) override;
  [[nodiscard]] std::vector<ChildProcess> read_children() override;
  [[nodiscard]] int find_fork_parent(const ProcessFacts& process) override;
  [[nodiscard]] MappedFiles* mapped_files() override { return &files_; }
  [[nodiscard]] std::int64_t monotonic_now() override;
  [[nodiscard]] Result<std::vector<PageRange>> find_written_pages(const std::vector<Mapping>& mappings) override;
  [[nodiscard]] std::uint64_t private_bytes() const override { return private_bytes_; }

 private:
  explicit LiveTarget(int pid) : pid_(pid), memory_(pid), files_(pid, memory_) {}

  // Facts of each thread, without system calls.
  [[nodiscard]] std::vector<ThreadFacts> read_thread_list() const;
  [[nodiscard]] Result<void> check_still_there() const;

  int pid_;
  LiveMemory memory_;
  LiveMappedFiles files_;
  std::uint64_t start_ns_ = 0;  // tells the process from a later one with its number
  bool own_pid_namespace_ = false;
  std::uint64_t private_bytes_ = 0;
  std::int64_t monotonic_lead_ = 0;
};

}  // namespace asyncspy
