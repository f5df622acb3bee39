#include "native_stack.h"

#include <fmt/format.h>

#include <algorithm>

namespace asyncspy {
namespace {

constexpr std::size_t kMostFrames = 20'000;  // ten calls in C for each of Python's usual limit of recursion
constexpr std::uint64_t kMostImageBytes = 1 << 20;  // of an image that is nowhere but in memory

bool is_kernels_own(const Mapping& mapping) { return mapping.path == "[vdso]"; }

}  // namespace

const Mapping* NativeUnwinder::find_mapping(std::uint64_t address) const {
  const auto after = std::ranges::upper_bound(mappings_, Address{address}, {}, &Mapping::start);
  if (after == mappings_.begin() || Address{address} >= std::prev(after)->end) return nullptr;
  return &*std::prev(after);
}

// The same file can be mapped several times: the nearest start below belongs to this mapping.
const Mapping* NativeUnwinder::find_first(const Mapping& mapping) const {
  for (const Mapping* at = &mapping;; --at) {
    if (at->path == mapping.path && at->inode == mapping.inode && at->file_offset == 0) return at;
    if (at == mappings_.data()) return nullptr;
  }
}

std::unique_ptr<NativeImage> NativeUnwinder::open_image(const Mapping& mapping) {
  if (is_kernels_own(mapping)) {
    const std::uint64_t size = mapping.end.value() - mapping.start.value();
    if (size > kMostImageBytes) return nullptr;
    std::vector<char> bytes(size);
    if (!memory_.read(mapping.start, std::as_writable_bytes(std::span(bytes)))) return nullptr;
    auto elf = ElfImage::open_bytes(std::move(bytes), mapping.path);
    auto image = elf ? NativeImage::open(std::move(*elf), mapping, {}) : std::unexpected(std::move(elf.error()));
    return image ? std::move(*image) : nullptr;
  }
  FileDescriptor file = files_.open({&mapping, find_first(mapping)});
  if (!file) return nullptr;
  auto elf = ElfImage::open(std::move(file), mapping.path);
  auto image = elf ? NativeImage::open(std::move(*elf), mapping, files_.root()) : std::unexpected(std::move(elf.error()));
  return image ? std::move(*image) : nullptr;
}

NativeImage* NativeUnwinder::find_image(const Mapping& mapping) {
  if (!is_kernels_own(mapping) && (mapping.inode == 0 || !mapping.path.starts_with('/'))) return nullptr;
  const Mapping* first = find_first(mapping);
  const auto [entry, is_new] = images_.try_emplace({mapping.path, (first != nullptr ? first : &mapping)->start.value()});
  if (is_new) entry->second = open_image(mapping);
  return entry->second.get();
}

NativeStack NativeUnwinder::unwind(int tid, const Registers& start) {
  NativeStack stack;
  stack.tid = tid;
  UnwindRegisters registers = begin_unwinding(start);
  bool was_interrupted = true;  // rather than calling: its address is that of the next instruction all the same
  for (;;) {
    const std::uint64_t at = registers.instruction_pointer();
    if (stack.frames.size() >= kMostFrames) {
      stack.problem = fmt::format("more than {} frames", kMostFrames);
      return stack;
    }
    if (Clock::now() > until_) {
      stack.problem = "it took too long";
      return stack;
    }
    NativeFrame& frame = stack.frames.emplace_back();
    frame.instruction = Address{at};
    frame.stack_start = Address{registers.stack_pointer()};
    const std::uint64_t within = was_interrupted ? at : at - 1;  // a call can be the last instruction of a function
    const Mapping* mapping = find_mapping(within);
    if (mapping == nullptr || !mapping->executable) {
      stack.problem = fmt::format("0x{:x} is no code", at);
      return stack;
    }
    frame.module = mapping->path;
    NativeImage* image = find_image(*mapping);
    if (image == nullptr) {
      frame.offset = mapping->inode != 0 ? at - mapping->start.value() + mapping->file_offset : 0;
      stack.problem = mapping->inode != 0 ? fmt::format("{}: the file is not here", mapping->path)
                                          : fmt::format("0x{:x} is code that was made at run time", at);
      return stack;
    }
    frame.offset = image->place_of(at);
    frame.function = image->find_function(image->place_of(within));
    auto step = unwind_step(image->rules(), image->place_of(within), registers, memory_);
    if (!step) {
      stack.problem = fmt::format("{}+0x{:x}: {}", mapping->path, frame.offset, step.error().what);
      return stack;
    }
    frame.is_signal_frame = step->is_signal_frame;
    if (step->frame_end > registers.stack_pointer()) frame.stack_end = Address{step->frame_end};
    if (step->is_outermost) return stack;
    // Only a signal handler can have a stack of its own: any other caller is further up.
    if (!step->is_signal_frame && step->caller.stack_pointer() <= registers.stack_pointer()) {
      stack.problem = fmt::format("{}+0x{:x}: its caller would lie below it", mapping->path, frame.offset);
      return stack;
    }
    was_interrupted = step->is_signal_frame;
    registers = step->caller;
  }
}

}  // namespace asyncspy
