// A Target that plays back a stored process and does, at each step, what a test tells it to: change its memory, refuse to
// stop, end.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <set>

#include "stored_process.h"

namespace asyncspy {

class ScriptedTarget final : public Target {
 public:
  explicit ScriptedTarget(const StoredProcess& stored) : stored_(stored), process_(stored.process), memory_(stored.memory) {}

  // What happens right before stop number 1, 2, ...: the target ran on until then.
  std::vector<std::function<void(StoredMemory&)>> before_stop;
  // Fails stop number N (from 1).
  std::function<std::optional<Error>(int stop)> refuse = [](int) { return std::nullopt; };
  // The pages that it says it has written; all writable ones if this is not set.
  std::optional<std::vector<PageRange>> written;
  // What it says beforehand of how much that is, and how often it was asked for the pages themselves.
  std::uint64_t expected_bytes = 0;
  int asked_for_written = 0;
  // How long a stop may be at the most whose time is over before anything is read.
  std::chrono::milliseconds too_short{0};
  // Whether its threads say that they do not run.
  bool still = false;
  // The process is gone from here on: facts and memory fail.
  bool ended = false;

  // New memory, zeroed and mapped.
  void map(Address start, std::uint64_t pages) {
    for (std::uint64_t i = 0; i < pages; ++i) memory_.store(start.value() / kPageSize + i, PageBytes{});
    Mapping mapping;
    mapping.start = start;
    mapping.end = start + pages * kPageSize;
    mapping.readable = mapping.writable = true;
    auto after = std::find_if(process_.mappings.begin(), process_.mappings.end(), [&](const Mapping& m) { return m.start > start; });
    process_.mappings.insert(after, mapping);
  }

  [[nodiscard]] int stops() const { return stops_; }
  [[nodiscard]] int releases() const { return releases_; }
  [[nodiscard]] int frozen() const { return frozen_; }
  [[nodiscard]] bool was_read_while_stopped(std::uint64_t page) const { return read_while_stopped_.contains(page); }

  [[nodiscard]] Result<ProcessFacts> read_process() override {
    if (ended) return fail(ErrorKind::kNoProcess, "process: it has ended");
    return process_;
  }
  [[nodiscard]] Result<std::vector<ThreadFacts>> read_threads() override {
    if (ended) return fail(ErrorKind::kNoProcess, "process: it has ended");
    std::vector<ThreadFacts> threads = stored_.threads;
    for (ThreadFacts& thread : threads) thread.registers.reset();
    return threads;
  }
  [[nodiscard]] std::optional<ThreadFacts> read_thread(int tid) override {
    const auto found = std::ranges::find(stored_.threads, tid, &ThreadFacts::tid);
    if (!still || found == stored_.threads.end()) return std::nullopt;
    ThreadFacts facts = *found;
    facts.state = 'S';
    return facts;
  }
  [[nodiscard]] BulkMemory& memory() override { return reads_; }
  [[nodiscard]] Result<std::unique_ptr<Freeze>> freeze(std::chrono::milliseconds longest) override {
    ++stops_;
    auto at = static_cast<std::size_t>(stops_ - 1);
    if (at < before_stop.size() && before_stop[at]) before_stop[at](memory_);
    if (ended) return fail(ErrorKind::kNoProcess, "process: it has ended");
    if (auto error = refuse(stops_)) return std::unexpected(*error);
    return std::make_unique<Stop>(*this, longest <= too_short ? Freeze::Clock::time_point::min() : Freeze::Clock::time_point::max());
  }
  [[nodiscard]] std::vector<Descriptor> read_descriptors(const std::vector<int>& numbers) override {
    std::vector<Descriptor> descriptors(numbers.size());
    for (std::size_t i = 0; i < numbers.size(); ++i) descriptors[i].number = numbers[i];
    return descriptors;
  }
  [[nodiscard]] std::uint64_t private_bytes() const override { return expected_bytes; }
  [[nodiscard]] std::int64_t monotonic_now() override { return stored_.monotonic_ns + stops_; }
  [[nodiscard]] Result<std::vector<PageRange>> find_written_pages(const std::vector<Mapping>& mappings) override {
    ++asked_for_written;
    if (written) return *written;
    std::vector<PageRange> ranges;
    for (const Mapping& mapping : mappings) {
      if (mapping.readable && mapping.writable) ranges.push_back({mapping.start, (mapping.end.value() - mapping.start.value()) / kPageSize});
    }
    return ranges;
  }

 private:
  class Stop final : public Freeze {
   public:
    Stop(ScriptedTarget& target, Clock::time_point end) : target_(target), end_(end) { ++target_.frozen_; }
    ~Stop() override { end(); }
    [[nodiscard]] const std::vector<ThreadFacts>& threads() const override { return target_.stored_.threads; }
    [[nodiscard]] Clock::time_point ends_at() const override { return end_; }
    [[nodiscard]] std::chrono::nanoseconds release() override {
      end();
      return std::chrono::milliseconds(1);
    }

   private:
    void end() {
      if (!running_) ++target_.releases_, --target_.frozen_;
      running_ = true;
    }
    ScriptedTarget& target_;
    Clock::time_point end_;
    bool running_ = false;
  };

  class Reads final : public BulkMemory {
   public:
    explicit Reads(ScriptedTarget& target) : target_(target) {}
    [[nodiscard]] Result<void> read(Address from, std::span<std::byte> into) override {
      if (target_.ended) return fail(ErrorKind::kUnreadable, "memory of an ended process", {}, from);
      for (std::uint64_t at = from.value() / kPageSize; target_.frozen_ > 0 && at * kPageSize < from.value() + into.size(); ++at) {
        target_.read_while_stopped_.insert(at);
      }
      return target_.memory_.read(from, into);
    }

   private:
    ScriptedTarget& target_;
  };

  const StoredProcess& stored_;
  ProcessFacts process_;
  StoredMemory memory_;
  Reads reads_{*this};
  std::set<std::uint64_t> read_while_stopped_;
  int stops_ = 0;
  int releases_ = 0;
  int frozen_ = 0;
};

}  // namespace asyncspy
