#include "native_report.h"

#include <algorithm>

#include "native_merge.h"
#include "native_stack.h"

namespace asyncspy {
namespace {

constexpr std::uint64_t kMostPagesOfThread = 256;    // 1 MiB of stack
constexpr std::uint64_t kMostPages = 16'384;         // 64 MiB for all
constexpr std::uint64_t kPagesOfUnknownStack = 16;   // of a thread that was not there when the mappings were read
constexpr std::size_t kMostThreads = 2'000;
constexpr std::size_t kMostFrames = 200'000;         // of all threads
constexpr std::chrono::seconds kLongest{5};

const Mapping* find_mapping(const std::vector<Mapping>& mappings, std::uint64_t address) {
  const auto after = std::ranges::upper_bound(mappings, Address{address}, {}, &Mapping::start);
  if (after == mappings.begin() || Address{address} >= std::prev(after)->end) return nullptr;
  return &*std::prev(after);
}

// One past the last page that belongs to the stack.
std::uint64_t find_end(const Registers& registers, const std::vector<Mapping>& mappings) {
  const std::uint64_t first = registers.stack_pointer / kPageSize;
  std::uint64_t most = kPagesOfUnknownStack;
  if (const Mapping* mapping = find_mapping(mappings, registers.stack_pointer)) {
    std::uint64_t end = mapping->end.value() / kPageSize;
    // Stacks that lie side by side can be one mapping. The C library keeps a thread's descriptor where its stack starts.
    const std::uint64_t descriptor = registers.thread_base / kPageSize + 1;
    if (registers.thread_base > registers.stack_pointer && descriptor < end) end = descriptor;
    most = end - first;
  }
  return first + std::min(most, kMostPagesOfThread);
}

}  // namespace

std::vector<PageRange> find_native_pages(const std::vector<ThreadFacts>& threads, const std::vector<Mapping>& mappings,
                                         RecordingMemory& memory) {
  std::vector<std::uint64_t> pages;
  for (const ThreadFacts& thread : threads) {
    if (!thread.registers) continue;
    const std::uint64_t end = find_end(*thread.registers, mappings);
    for (std::uint64_t page = thread.registers->stack_pointer / kPageSize; page < end && pages.size() < kMostPages; ++page) {
      if (!memory.has_page(page)) pages.push_back(page);
    }
  }
  for (const Mapping& mapping : mappings) {
    if (mapping.path != "[vdso]") continue;
    const std::uint64_t end = std::min(mapping.end.value() / kPageSize, mapping.start.value() / kPageSize + kMostPagesOfThread);
    for (std::uint64_t page = mapping.start.value() / kPageSize; page < end; ++page) {
      if (!memory.has_page(page)) pages.push_back(page);
    }
  }
  std::ranges::sort(pages);
  pages.erase(std::unique(pages.begin(), pages.end()), pages.end());
  std::vector<PageRange> ranges;
  for (const std::uint64_t page : pages) {
    if (!ranges.empty() && ranges.back().start.value() / kPageSize + ranges.back().pages == page) {
      ++ranges.back().pages;
    } else {
      ranges.push_back({Address{page * kPageSize}, 1});
    }
  }
  return ranges;
}

void read_native_stacks(Target& target, Snapshot& snapshot) {
  MappedFiles* files = target.mapped_files();
  if (files == nullptr) return;
  NativeUnwinder unwinder(snapshot.process.mappings, *files, *snapshot.memory, NativeUnwinder::Clock::now() + kLongest);
  std::vector<NativeStack> stacks;
  std::size_t frames = 0;
  for (const ThreadFacts& thread : snapshot.threads) {
    if (!thread.registers || stacks.size() >= kMostThreads || frames >= kMostFrames) continue;
    stacks.push_back(unwinder.unwind(thread.tid, *thread.registers));
    frames += stacks.back().frames.size();
  }
  snapshot.native_stacks = std::move(stacks);
}

void place_native_stacks(const Snapshot& snapshot, Report& report) {
  if (!snapshot.native_stacks) return;
  std::size_t lacking = 0;
  for (Thread& thread : report.threads) {
    const auto found = std::ranges::find(*snapshot.native_stacks, thread.tid, &NativeStack::tid);
    if (found == snapshot.native_stacks->end() || thread.tid == 0) {
      ++lacking;
      continue;
    }
    thread.native = merge_native_stack(*found, thread.runs);
  }
  if (lacking == 0) return;
  const bool stopped = std::ranges::any_of(snapshot.threads, [](const ThreadFacts& facts) { return facts.registers.has_value(); });
  report.warnings.push_back(stopped ? "no native stacks of " + std::to_string(lacking) + " of " + std::to_string(report.threads.size()) + " threads"
                                    : "no native stacks: the threads' registers are known only when they are stopped for it");
}

}  // namespace asyncspy
