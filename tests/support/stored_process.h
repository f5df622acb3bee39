// A real Python process, copied into the test: its facts, its threads and every page that can be read. What is tested
// then runs on the copy, which a test may change as it likes.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "bulk_memory.h"
#include "target.h"

namespace asyncspy {

using PageBytes = std::array<std::byte, kPageSize>;

// Pages by number. Copies share them until they are changed.
class StoredMemory final : public BulkMemory {
 public:
  StoredMemory() = default;
  StoredMemory(const StoredMemory& other) : pages_(other.pages_), is_partial_(other.is_partial_) {}

  [[nodiscard]] Result<void> read(Address from, std::span<std::byte> into) override;

  void store(std::uint64_t number, const PageBytes& bytes) { pages_[number] = std::make_shared<PageBytes>(bytes); }
  void remove(std::uint64_t number) { pages_.erase(number); }
  void swap(std::uint64_t one, std::uint64_t other) { std::swap(pages_[one], pages_[other]); }
  // The page's own copy, to be changed; null when there is none.
  [[nodiscard]] PageBytes* change(std::uint64_t number);
  void write(Address at, std::span<const std::byte> bytes);
  // As of a recording, which holds what its maker needed.
  [[nodiscard]] bool is_partial() const override { return is_partial_; }
  void set_partial() { is_partial_ = true; }
  [[nodiscard]] std::size_t page_count() const { return pages_.size(); }

 private:
  std::unordered_map<std::uint64_t, std::shared_ptr<PageBytes>> pages_;
  bool is_partial_ = false;
};

struct StoredProcess {
  ProcessFacts process;
  std::vector<ThreadFacts> threads;  // as stopped
  StoredMemory memory;
  std::int64_t monotonic_ns = 0;
};

// The interpreters on this machine that the test may use: the system's, and those that pyenv installed.
[[nodiscard]] std::vector<std::string> find_supported_pythons();

// Runs a program of several tasks in each of the usual situations (sleeping, at a lock, gathering, awaiting each other,
// in an async generator, done) until its loop is idle, and copies it. The tasks are named "sleeper-0" and so on.
[[nodiscard]] StoredProcess store_python(const std::string& interpreter);
inline constexpr std::size_t kStoredTasks = 12;  // eleven pending, main among them, and one done

// What a recording (src/session/recording.h) holds.
[[nodiscard]] StoredProcess store_recording(const std::string& path);

// store_python of the system's interpreter, made once.
[[nodiscard]] const StoredProcess& system_python();

}  // namespace asyncspy
