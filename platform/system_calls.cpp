#include "system_calls.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "call_decoder.h"
#include "system_call_names.h"

namespace asyncspy {
namespace {

// clang-format off
// Calls whose first argument is a descriptor and whose other arguments say nothing to a person who looks for a hang.
constexpr std::array kOnDescriptor = std::to_array<int>(
    {SYS_read,      SYS_write,      SYS_pread64,  SYS_pwrite64,  SYS_readv,     SYS_writev,     SYS_preadv,
     SYS_pwritev,   SYS_preadv2,    SYS_pwritev2, SYS_recvfrom,  SYS_recvmsg,   SYS_recvmmsg,   SYS_sendmsg,
     SYS_sendmmsg,  SYS_accept,     SYS_accept4,  SYS_fsync,     SYS_fdatasync, SYS_syncfs,     SYS_sync_file_range,
     SYS_fallocate, SYS_ftruncate,  SYS_close,    SYS_ioctl,     SYS_fstat,     SYS_getdents64, SYS_lseek,
     SYS_shutdown,  SYS_bind,       SYS_listen,   SYS_dup,       SYS_fchmod,    SYS_fchdir,     SYS_getsockopt,
     SYS_setsockopt, SYS_mq_timedreceive, SYS_mq_timedsend, SYS_epoll_ctl, SYS_vmsplice, SYS_readahead});

constexpr std::array kNoArguments = std::to_array<int>(
    {SYS_pause, SYS_sched_yield, SYS_rt_sigsuspend, SYS_vfork, SYS_sync, SYS_getpid, SYS_getppid, SYS_gettid,
     SYS_restart_syscall});

constexpr std::array kOnPath = std::to_array<int>(
    {SYS_open, SYS_creat, SYS_stat, SYS_lstat, SYS_access, SYS_unlink, SYS_rename, SYS_mkdir, SYS_rmdir, SYS_chdir,
     SYS_readlink, SYS_execve, SYS_statfs, SYS_truncate, SYS_chmod, SYS_chown, SYS_getxattr});

constexpr std::array kOnPathAt =
    std::to_array<int>({SYS_openat, SYS_openat2, SYS_newfstatat, SYS_statx, SYS_faccessat, SYS_faccessat2, SYS_unlinkat,
                        SYS_mkdirat, SYS_readlinkat, SYS_renameat, SYS_renameat2, SYS_fchmodat, SYS_fchownat});
// clang-format on

template <std::size_t N>
bool contains(const std::array<int, N>& numbers, int number) {
  return std::ranges::find(numbers, number) != numbers.end();
}

}  // namespace

CallDecoder::Handler CallDecoder::find_handler(int number) {
  static constexpr std::array kRows = std::to_array<Row>({
      {SYS_connect, &CallDecoder::on_connect},
      {SYS_sendto, &CallDecoder::on_send_to},
      {SYS_sendfile, &CallDecoder::on_two_descriptors},
      {SYS_tee, &CallDecoder::on_two_descriptors},
      {SYS_dup2, &CallDecoder::on_two_descriptors},
      {SYS_dup3, &CallDecoder::on_two_descriptors},
      {SYS_splice, &CallDecoder::on_copy_between},
      {SYS_copy_file_range, &CallDecoder::on_copy_between},
      {SYS_flock, &CallDecoder::on_flock},
      {SYS_fcntl, &CallDecoder::on_fcntl},
      {SYS_io_uring_enter, &CallDecoder::on_ring},
      {SYS_poll, &CallDecoder::on_poll},
      {SYS_ppoll, &CallDecoder::on_ppoll},
      {SYS_select, &CallDecoder::on_select},
      {SYS_pselect6, &CallDecoder::on_pselect},
      {SYS_epoll_wait, &CallDecoder::on_epoll},
      {SYS_epoll_pwait, &CallDecoder::on_epoll},
      {SYS_epoll_pwait2, &CallDecoder::on_epoll_timespec},
      {SYS_nanosleep, &CallDecoder::on_nanosleep},
      {SYS_clock_nanosleep, &CallDecoder::on_clock_nanosleep},
      {SYS_futex, &CallDecoder::on_futex},
      {SYS_wait4, &CallDecoder::on_wait4},
      {SYS_waitid, &CallDecoder::on_waitid},
      {SYS_rt_sigtimedwait, &CallDecoder::on_signal_wait},
      {SYS_semop, &CallDecoder::on_semaphores},
      {SYS_semtimedop, &CallDecoder::on_semaphores_timed},
      {SYS_getrandom, &CallDecoder::on_random},
  });
  const auto row = std::ranges::find(kRows, number, &Row::number);
  if (row != kRows.end()) return row->handler;
  if (contains(kOnDescriptor, number)) return &CallDecoder::on_descriptor;
  if (contains(kNoArguments, number)) return &CallDecoder::on_no_arguments;
  if (contains(kOnPath, number)) return &CallDecoder::on_path;
  if (contains(kOnPathAt, number)) return &CallDecoder::on_path_at;
  return &CallDecoder::on_anything;
}

DecodedCall CallDecoder::decode() {
  const std::string_view name = system_call_name(call_.number);
  decoded_.name = name.empty() ? fmt::format("system call {}", call_.number) : std::string(name);
  (this->*find_handler(call_.number))();
  decoded_.text = fmt::format("{}({})", decoded_.name, fmt::join(words_, ", "));
  return std::move(decoded_);
}

void CallDecoder::on_no_arguments() {}

// How many of the registers the call uses is not known here: all are shown but trailing zeros.
void CallDecoder::on_anything() {
  std::size_t count = std::size(call_.arguments);
  while (count > 0 && call_.arguments[count - 1] == 0) --count;
  for (std::size_t i = 0; i < count; ++i) add(fmt::format("{:#x}", argument(i)));
}

DecodedCall decode_system_call(const SystemCall& call, Memory& memory, std::int64_t monotonic_now_ns,
                               CallMoment moment) {
  return CallDecoder(call, memory, monotonic_now_ns, moment).decode();
}

std::string format_seconds(double seconds) {
  const double size = std::abs(seconds);
  if (size >= 0.9995 || size == 0) return fmt::format("{:.1f} s", seconds);
  if (size >= 0.0009995) return fmt::format("{:.0f} ms", seconds * 1e3);
  return fmt::format("{:.0f} us", seconds * 1e6);
}

}  // namespace asyncspy
