#include "core_target.h"

#include <elf.h>
#include <fmt/format.h>
#include <signal.h>
#include <string.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "loaded_images.h"
#include "restarted_call.h"
#include "start_of_stack.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostWarnings = 20;
constexpr std::string_view kDeleted = " (deleted)";

// Signals that end a process with a core by themselves. gcore stores others, which only stopped the process for it.
constexpr std::array kFatal = std::to_array<int>({SIGQUIT, SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS, SIGXCPU, SIGXFSZ});

class CoreFreeze final : public Freeze {
 public:
  explicit CoreFreeze(std::vector<ThreadFacts> threads) : threads_(std::move(threads)) {}
  [[nodiscard]] const std::vector<ThreadFacts>& threads() const override { return threads_; }
  [[nodiscard]] std::chrono::nanoseconds release() override { return {}; }

 private:
  std::vector<ThreadFacts> threads_;
};

// The path as /proc/PID/maps has it. Files have no number in a core: they are numbered by their paths here.
class FileNumbers {
 public:
  void name(Mapping& mapping, const CoreMappedFile& file) {
    std::string_view path = file.path;
    mapping.deleted = path.ends_with(kDeleted);
    if (mapping.deleted) path.remove_suffix(kDeleted.size());
    mapping.path = path;
    mapping.inode = numbers_.try_emplace(mapping.path, numbers_.size() + 1).first->second;
    mapping.file_offset = file.file_offset + (mapping.start.value() - file.start.value());
  }

 private:
  std::unordered_map<std::string, std::uint64_t> numbers_;
};

const CoreMappedFile* find_file(const std::vector<CoreMappedFile>& ordered, Address address) {
  const auto after = std::ranges::upper_bound(ordered, address, {}, &CoreMappedFile::start);
  if (after == ordered.begin() || address >= std::prev(after)->end) return nullptr;
  return &*std::prev(after);
}

// The top of a stack always holds a return address.
bool is_stack_lost(const CoreFile& core, const Registers& registers) {
  std::array<std::byte, kPageSize> page{};
  const Address start{registers.stack_pointer / kPageSize * kPageSize};
  return core.read_stored(start, page) && std::ranges::all_of(page, [](std::byte byte) { return byte == std::byte{0}; });
}

}  // namespace

Result<std::unique_ptr<CoreTarget>> CoreTarget::open(CoreFile core, const std::string& path, const std::string& root) {
  CoreFacts facts = parse_core_notes(core.notes());
  if (facts.threads.empty()) {
    return fail(ErrorKind::kNotPython, fmt::format("{}: holds no thread", path),
                "a core that was cut short at its beginning can not be read: write it again, without a limit on its size");
  }
  return std::unique_ptr<CoreTarget>(new CoreTarget(std::move(core), std::move(facts), path, root));
}

CoreTarget::CoreTarget(CoreFile core, CoreFacts facts, std::string path, const std::string& root)
    : core_(std::move(core)), facts_(std::move(facts)), path_(std::move(path)), files_(core_, root),
      memory_(core_, mappings_, files_) {
  if (core_.missing_bytes() > 0) {
    warnings_.push_back(fmt::format("{}: is cut short, {} bytes are missing", path_, core_.missing_bytes()));
  }
  build_mappings();
  build_threads();
}

void CoreTarget::build_mappings() {
  std::vector<CoreMappedFile> files = facts_.files;
  std::ranges::stable_sort(files, {}, &CoreMappedFile::start);
  FileNumbers numbers;
  for (const CoreSegment& segment : core_.segments()) {
    Mapping mapping;
    mapping.start = segment.start;
    mapping.end = segment.start + segment.size;
    mapping.readable = segment.readable;
    mapping.writable = segment.writable;
    mapping.executable = segment.executable;
    if (const CoreMappedFile* file = find_file(files, segment.start)) numbers.name(mapping, *file);
    mappings_.push_back(std::move(mapping));
  }
  // Some writers leave mappings without content out of the program headers.
  for (const CoreMappedFile& file : files) {
    if (core_.find_segment(file.start) != nullptr) continue;
    Mapping mapping;
    mapping.start = file.start;
    mapping.end = file.end;
    mapping.readable = true;
    mapping.executable = true;  // or not: nobody says, and what is no code in the file is not taken for it
    numbers.name(mapping, file);
    mappings_.push_back(std::move(mapping));
  }
  std::ranges::stable_sort(mappings_, {}, &Mapping::start);
}

void CoreTarget::build_threads() {
  for (const CoreThread& thread : facts_.threads) {
    ThreadFacts facts = thread.facts;
    if (facts.tid == facts_.pid) facts.name = facts_.name;
    if (facts.system_call && is_restarted(*facts.system_call)) {
      const auto read = [this](std::uint64_t from, std::span<std::byte> into) { return memory_.read(Address{from}, into).has_value(); };
      facts.system_call->number = find_restarted_call(facts.registers->instruction_pointer, facts.registers->stack_pointer, read)
                                      .value_or(facts.system_call->number);
    }
    const bool is_fatal = std::ranges::find(kFatal, thread.signal) != kFatal.end();
    if (is_fatal && &thread == &facts_.threads.front()) {
      warnings_.push_back(fmt::format("the process was ended by signal {} ({}) in thread {}", thread.signal,
                                      ::sigdescr_np(thread.signal), facts.tid));
    }
    // gdb gives up a mapping in which one page can not be read, and leaves zeros; since 2.42 glibc's stacks have such.
    if (warnings_.size() < kMostWarnings && is_stack_lost(core_, *facts.registers)) {
      warnings_.push_back(fmt::format("the stack of thread {} is missing: whoever wrote the core could not read it, "
                                      "asyncspy capture can", facts.tid));
    }
    threads_.push_back(std::move(facts));
  }
  std::ranges::stable_sort(threads_, {}, &ThreadFacts::tid);
}

std::string CoreTarget::find_executable() const {
  const Address entry{find_auxiliary(facts_.auxiliary_vector, AT_ENTRY)};
  for (const Mapping& mapping : mappings_) {
    if (mapping.start <= entry && entry < mapping.end) return mapping.path;
  }
  return {};
}

std::vector<std::string> CoreTarget::find_command_line() {
  const Address last{find_auxiliary(facts_.auxiliary_vector, AT_EXECFN)};
  std::vector<std::string> arguments = read_arguments(memory_, facts_.auxiliary_vector, last);
  if (!arguments.empty() || facts_.arguments.empty()) return arguments;
  // What the note has was joined by spaces and perhaps cut.
  const bool is_cut = facts_.arguments.size() >= kArgumentBytes;
  return {facts_.arguments + (is_cut ? "..." : "")};
}

Result<ProcessFacts> CoreTarget::read_process() {
  ProcessFacts facts;
  facts.pid = facts_.pid;
  facts.namespace_pid = facts_.pid;
  facts.command_line = find_command_line();
  facts.executable = find_executable();
  facts.name = facts_.name;
  facts.user_id = facts_.user_id;
  facts.mappings = mappings_;
  facts.auxiliary_vector = facts_.auxiliary_vector;
  facts.images = find_loaded_images(facts.executable, mappings_, files_, memory_);
  return facts;
}

Result<std::unique_ptr<Freeze>> CoreTarget::freeze(std::chrono::milliseconds) {
  return std::make_unique<CoreFreeze>(threads_);
}

std::vector<Descriptor> CoreTarget::read_descriptors(const std::vector<int>& numbers) {
  std::vector<Descriptor> descriptors;
  for (const int number : numbers) descriptors.emplace_back().number = number;
  return descriptors;
}

Result<std::vector<PageRange>> CoreTarget::find_written_pages(const std::vector<Mapping>&) {
  std::vector<PageRange> ranges;
  for (const CoreSegment& segment : core_.segments()) {
    const std::uint64_t first = (segment.start.value() + kPageSize - 1) / kPageSize;
    const std::uint64_t end = (segment.start.value() + segment.stored) / kPageSize;
    if (segment.writable && first < end) ranges.push_back({Address{first * kPageSize}, end - first});
  }
  return ranges;
}

std::vector<std::string> CoreTarget::warnings() const {
  std::vector<std::string> all = warnings_;
  all.insert(all.end(), files_.warnings().begin(), files_.warnings().end());
  return all;
}

}  // namespace asyncspy
