#include "live_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "child.h"
#include "file_descriptor.h"
#include "page_map.h"
#include "recording_memory.h"

namespace asyncspy {
namespace {

constexpr std::size_t kPages = 5;
constexpr std::size_t kHole = 2;

// A child with kPages pages, each filled with its number, of which one is not mapped.
class ChildWithHole {
 public:
  ChildWithHole()
      : child_([](SharedPage& shared) {
          auto* pages = static_cast<char*>(
              ::mmap(nullptr, kPages * kPageSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
          for (std::size_t i = 0; i < kPages; ++i) std::memset(pages + i * kPageSize, static_cast<int>(i), kPageSize);
          ::munmap(pages + kHole * kPageSize, kPageSize);
          shared.address = pages;
          shared.ready = 1;
          ::pause();
        }) {
    child_.wait_ready();
  }

  [[nodiscard]] Address page(std::size_t number) const {
    return Address{reinterpret_cast<std::uint64_t>(child_.shared().address.load())} + number * kPageSize;
  }
  [[nodiscard]] Child& child() { return child_; }

 private:
  Child child_;
};

bool all_are(std::span<const std::byte> bytes, std::size_t value) {
  return std::ranges::all_of(bytes, [&](std::byte one) { return one == static_cast<std::byte>(value); });
}

}  // namespace

TEST_CASE("bytes of another process are read by either way") {
  const auto source = GENERATE(MemorySource::kAutomatic, MemorySource::kFile);
  ChildWithHole target;
  LiveMemory memory(target.child().pid(), source);
  std::vector<std::byte> bytes(2 * kPageSize);
  REQUIRE(memory.read(target.page(3), bytes));
  CHECK(all_are(std::span(bytes).first(kPageSize), 3));
  CHECK(all_are(std::span(bytes).last(kPageSize), 4));
  CHECK(memory.read(target.page(0), {}));
}

TEST_CASE("a read that touches an unmapped page fails as a whole and says where") {
  const auto source = GENERATE(MemorySource::kAutomatic, MemorySource::kFile);
  ChildWithHole target;
  LiveMemory memory(target.child().pid(), source);
  std::vector<std::byte> bytes(2 * kPageSize);
  const auto done = memory.read(target.page(kHole - 1), bytes);
  REQUIRE_FALSE(done);
  CHECK(done.error().kind == ErrorKind::kUnreadable);
  CHECK(done.error().at == target.page(kHole - 1));
  for (const std::uint64_t garbage : {0ULL, 0x7ULL, 0xFFFFFFFFFFFFF000ULL, 0xDEADBEEFDEADBEEFULL, ~0ULL}) {
    CHECK_FALSE(memory.read(Address{garbage}, bytes));
  }
}

TEST_CASE("a batch loses only the ranges that can not be read") {
  const auto source = GENERATE(MemorySource::kAutomatic, MemorySource::kFile);
  ChildWithHole target;
  LiveMemory memory(target.child().pid(), source);
  // More ranges than one call takes, bad ones of each kind among them: unmapped, half unmapped, of the kernel, empty.
  constexpr std::size_t kCount = 3000;
  std::vector<std::array<std::byte, 64>> buffers(kCount);
  std::vector<RangeRead> ranges;
  const auto is_bad = [](std::size_t i) { return i % 7 == 3 || i == 1023 || i == 1024 || i == kCount - 1; };
  for (std::size_t i = 0; i < kCount; ++i) {
    Address from = target.page(i % 2) + i % 1000;
    if (is_bad(i) && i % 3 == 0) from = target.page(kHole);
    if (is_bad(i) && i % 3 == 1) from = target.page(kHole) - 32;
    if (is_bad(i) && i % 3 == 2) from = Address{0xFFFF800000000000};
    ranges.push_back({from, buffers[i], !is_bad(i)});
  }
  ranges.push_back({Address{1}, {}, false});
  for (RangeRead& range : ranges) range.ok = !range.ok;
  memory.read_ranges(ranges);
  for (std::size_t i = 0; i < kCount; ++i) {
    if (ranges[i].ok == is_bad(i)) FAIL("range " << i << " has ok = " << ranges[i].ok);
    if (ranges[i].ok && !all_are(buffers[i], i % 2)) FAIL("range " << i << " holds other bytes");
  }
  CHECK(ranges.back().ok);
  memory.read_ranges({});
}

TEST_CASE("a process that has ended is named as such") {
  ChildWithHole target;
  const int pid = target.child().pid();
  const Address page = target.page(0);
  LiveMemory memory(pid);
  target.child().kill_and_reap();
  const auto value = memory.read_value<std::uint64_t>(page);
  REQUIRE_FALSE(value);
  CHECK(value.error().kind == ErrorKind::kNoProcess);
  CHECK(value.error().what == fmt::format("process {}: ended while it was being read", pid));
  std::array<std::byte, 8> bytes{};
  std::array<RangeRead, 1> ranges{RangeRead{page, bytes, true}};
  memory.read_ranges(ranges);
  CHECK_FALSE(ranges[0].ok);
}

TEST_CASE("a range that ends at a hole says how much of it was read") {
  ChildWithHole target;
  LiveMemory memory(target.child().pid());
  std::vector<std::byte> bytes(kPages * kPageSize);
  std::vector<std::byte> other(kPageSize);
  std::array<RangeRead, 2> ranges{RangeRead{target.page(0), bytes, true, 1}, RangeRead{target.page(4), other}};
  memory.read_ranges(ranges);
  CHECK_FALSE(ranges[0].ok);
  CHECK(ranges[0].good == kHole * kPageSize);
  CHECK(all_are(std::span(bytes).subspan(kPageSize, kPageSize), 1));
  CHECK(ranges[1].ok);
  CHECK(all_are(other, 4));
}

// Threads' stacks have one at their end, since glibc 2.42 inside of a mapping that can otherwise be read.
TEST_CASE("a guard page is no page that was written, and its neighbours are copied without it") {
  constexpr int kGuardInstall = 102;  // MADV_GUARD_INSTALL, since Linux 6.13
  Child child([](SharedPage& shared) {
    auto* pages = static_cast<char*>(::mmap(nullptr, kPages * kPageSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    for (std::size_t i = 0; i < kPages; ++i) std::memset(pages + i * kPageSize, static_cast<int>(i), kPageSize);
    shared.other = ::madvise(pages + kHole * kPageSize, kPageSize, kGuardInstall) == 0 ? 1 : 0;
    shared.address = pages;
    shared.ready = 1;
    ::pause();
  });
  child.wait_ready();
  if (child.shared().other == 0) {
    WARN("this kernel has no guard pages: nothing was tested");
    return;
  }
  const Address first{reinterpret_cast<std::uint64_t>(child.shared().address.load())};
  std::vector<Mapping> mappings(1);
  mappings[0].start = first;
  mappings[0].end = first + kPages * kPageSize;
  mappings[0].readable = mappings[0].writable = true;
  const auto written = find_written_pages(child.pid(), mappings);
  REQUIRE(written);
  std::uint64_t pages = 0;
  for (const PageRange& range : *written) pages += range.pages;
  const FileDescriptor map(::open(fmt::format("/proc/{}/pagemap", child.pid()).c_str(), O_RDONLY | O_CLOEXEC));
  std::uint64_t entry = 0;
  REQUIRE(::pread(map.get(), &entry, sizeof entry, static_cast<off_t>((first.value() / kPageSize + kHole) * sizeof entry)) == sizeof entry);
  CHECK(pages == ((entry >> 58 & 1) != 0 ? kPages - 1 : kPages));  // Linux 6.13 and 6.14 do not tell
  LiveMemory memory(child.pid());
  RecordingMemory recording(nullptr);
  recording.prepare({{first, kPages}});
  recording.fill(memory);
  for (std::size_t i = 0; i < kPages; ++i) {
    const auto value = recording.read_value<std::uint8_t>(first + i * kPageSize + 7);
    CHECK(value.has_value() == (i != kHole));
    if (value) CHECK(*value == i);
  }
}

}  // namespace asyncspy
