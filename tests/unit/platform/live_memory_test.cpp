#include "live_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "child.h"

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

}  // namespace asyncspy
