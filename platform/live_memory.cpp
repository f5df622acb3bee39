#include "live_memory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace asyncspy {
namespace {

constexpr std::size_t kMostRanges = 1024;                 // IOV_MAX
constexpr std::size_t kMostBytes = std::size_t{1} << 30;  // below MAX_RW_COUNT of the kernel, which cuts off silently
constexpr std::uint64_t kUserSpaceEnd = std::uint64_t{1} << 56;  // with five page table levels; above is the kernel

bool is_in_user_space(Address from, std::size_t size) {
  return from.value() < kUserSpaceEnd && size <= kUserSpaceEnd - from.value();
}

bool is_refusal(int error) { return error == EPERM || error == ENOSYS || error == EACCES; }

void* remote_pointer(Address address) {
  return reinterpret_cast<void*>(address.value());  // NOLINT(performance-no-int-to-ptr): the kernel's interface
}

// Takes ranges from `ranges` into the two vectors until one of the kernel's limits is met; says how many.
struct Batch {
  std::array<iovec, kMostRanges> local;
  std::array<iovec, kMostRanges> remote;
  std::size_t count = 0;

  void fill(std::span<const RangeRead> ranges) {
    count = 0;
    std::size_t bytes = 0;
    for (const RangeRead& range : ranges) {
      if (count == kMostRanges || (count > 0 && bytes + range.into.size() > kMostBytes)) return;
      local[count] = {range.into.data(), range.into.size()};
      remote[count] = {remote_pointer(range.from), range.into.size()};
      bytes += range.into.size();
      ++count;
    }
  }
};

// Marks what `bytes` filled bytes cover and returns how many ranges they cover entirely.
std::size_t mark_complete(std::span<RangeRead> ranges, std::size_t bytes) {
  std::size_t done = 0;
  for (RangeRead& range : ranges) {
    if (range.into.size() > bytes) break;
    bytes -= range.into.size();
    range.ok = true;
    ++done;
  }
  if (done < ranges.size()) ranges[done].good = bytes;
  return done;
}

}  // namespace

Result<void> LiveMemory::read(Address from, std::span<std::byte> into) {
  if (into.empty()) return {};
  if (!is_in_user_space(from, into.size())) return failure(from, into.size(), EFAULT);
  std::size_t done = 0;
  while (done < into.size()) {
    const auto rest = into.subspan(done, std::min(into.size() - done, kMostBytes));
    ssize_t got = 0;
    if (!use_file_) {
      const iovec local{rest.data(), rest.size()};
      const iovec remote{remote_pointer(from + done), rest.size()};
      got = ::process_vm_readv(pid_, &local, 1, &remote, 1, 0);
      if (got < 0) got = -errno;
      if (got < 0 && is_refusal(static_cast<int>(-got))) use_file_ = true;
    }
    if (use_file_) got = read_from_file(from + done, rest);
    if (got <= 0) return failure(from, into.size(), got == 0 ? EFAULT : static_cast<int>(-got));
    done += static_cast<std::size_t>(got);
  }
  return {};
}

void LiveMemory::read_ranges(std::span<RangeRead> ranges) {
  for (RangeRead& range : ranges) {
    range.ok = false;
    range.good = 0;
  }
  Batch batch;
  while (!ranges.empty() && !use_file_) {
    // A range that the kernel can not even be asked for would fail the whole call.
    if (const RangeRead& first = ranges.front(); !is_in_user_space(first.from, first.into.size())) {
      ranges = ranges.subspan(1);
      continue;
    }
    const auto good_end = std::ranges::find_if_not(
        ranges, [](const RangeRead& range) { return is_in_user_space(range.from, range.into.size()); });
    batch.fill({ranges.begin(), good_end});
    const ssize_t got = ::process_vm_readv(pid_, batch.local.data(), batch.count, batch.remote.data(), batch.count, 0);
    if (got < 0 && is_refusal(errno)) {
      use_file_ = true;
      break;
    }
    if (got < 0 && errno == ESRCH) return;
    const auto asked = ranges.first(batch.count);
    const std::size_t done = mark_complete(asked, got < 0 ? 0 : static_cast<std::size_t>(got));
    // The range after the complete ones holds the page that could not be read: leave it out and go on behind it.
    ranges = ranges.subspan(std::min(done + 1, asked.size()));
  }
  if (use_file_) read_ranges_from_file(ranges);
}

void LiveMemory::read_ranges_from_file(std::span<RangeRead> ranges) {
  for (RangeRead& range : ranges) range.ok = read(range.from, range.into).has_value();
}

ssize_t LiveMemory::read_from_file(Address from, std::span<std::byte> into) {
  std::call_once(file_is_opened_, [this] {
    file_ = FileDescriptor(::open(fmt::format("/proc/{}/mem", pid_).c_str(), O_RDONLY | O_CLOEXEC));
    open_error_ = file_ ? 0 : errno;
  });
  if (!file_) return open_error_ == ENOENT ? -ESRCH : -open_error_;
  const ssize_t got = ::pread(file_.get(), into.data(), into.size(), static_cast<off_t>(from.value()));
  return got < 0 ? -errno : got;
}

Result<void> LiveMemory::failure(Address from, std::size_t size, int error) const {
  const bool ended = error == ESRCH || (::kill(pid_, 0) != 0 && errno == ESRCH);
  if (ended) return fail(ErrorKind::kNoProcess, fmt::format("process {}: ended while it was being read", pid_));
  if (is_refusal(error)) {
    return fail(ErrorKind::kPermission, fmt::format("process {}: the kernel refuses to read its memory", pid_),
                "run as root, or give asyncspy the capability CAP_SYS_PTRACE", from);
  }
  return fail(ErrorKind::kUnreadable, fmt::format("memory at {:#x}: {} bytes can not be read", from.value(), size), {},
              from);
}

}  // namespace asyncspy
