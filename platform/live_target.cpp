#include "live_target.h"

#include "child_processes.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>

#include "descriptors.h"
#include "fork.h"
#include "escaped_text.h"
#include "loaded_images.h"
#include "mapped_files.h"
#include "page_map.h"
#include "pause.h"
#include "permission.h"
#include "process_maps.h"
#include "procfs.h"
#include "restarted_call.h"
#include "standstill.h"
#include "system_files.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostAuxiliaryBytes = 4096;

std::int64_t clock_ns(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

Error no_process(int pid) {
  // procfs can be mounted so that it hides the processes of others (hidepid).
  if (pid > 0 && (::kill(pid, 0) == 0 || errno == EPERM)) return explain_refusal(pid, "see");
  return {ErrorKind::kNoProcess,
          fmt::format("process {}: no such process", pid),
          "see which there are: pgrep -af python",
          {}};
}

Error zombie(int pid, const ProcessStat& stat) {
  const auto parent = read_process_stat(std::to_string(stat.parent));
  const std::string name = parent ? fmt::format(" ({})", escape_text(parent->name)) : "";
  return {ErrorKind::kNotPython,
          fmt::format("process {}: is a zombie: it has ended and its memory is gone", pid),
          fmt::format("its parent, process {}{}, has not reaped it: look there", stat.parent, name),
          {}};
}

// Whether the kernel lets this process read the other one's memory. To open /proc/PID/mem asks for that right, but the file also
// has an owner: without CAP_DAC_OVERRIDE (a container with CAP_SYS_PTRACE alone) root can not open that of another user's
// process, and may read its memory nevertheless. Nothing is ever mapped at address 0: EFAULT is the answer of one who may.
bool may_read_memory(int pid) {
  const FileDescriptor file(::open(fmt::format("/proc/{}/mem", pid).c_str(), O_RDONLY | O_CLOEXEC));
  if (file) return true;
  if (errno != EACCES) return false;
  std::byte byte{};
  const iovec local{&byte, 1};
  const iovec remote{nullptr, 1};
  const bool allowed = ::process_vm_readv(pid, &local, 1, &remote, 1, 0) >= 0 || errno == EFAULT;
  if (!allowed) errno = EACCES;
  return allowed;
}

// Refuses what can not be read, before anything is.
Result<void> check_readable(int pid, const ProcessStat& stat, const ProcessStatus& status) {
  if (status.process != pid) {
    return fail(ErrorKind::kNoProcess, fmt::format("process {}: is a thread of process {}", pid, status.process),
                fmt::format("ask for process {}", status.process));
  }
  if (stat.kernel_thread) {
    return fail(ErrorKind::kNotPython,
                fmt::format("process {}: is a thread of the kernel ({})", pid, escape_text(stat.name)),
                "`asyncspy ps` lists the Python processes of this machine");
  }
  if (stat.state == 'Z' || stat.state == 'X') return std::unexpected(zombie(pid, stat));
  if (may_read_memory(pid)) return {};
  if (errno == EACCES || errno == EPERM) return std::unexpected(explain_refusal(pid, "read"));
  return std::unexpected(process_ended(pid));
}

bool has_other_root(int pid) {
  struct stat theirs {};
  struct stat ours {};
  if (::stat(fmt::format("/proc/{}/root/.", pid).c_str(), &theirs) != 0 || ::stat("/", &ours) != 0) return true;
  if (theirs.st_dev != ours.st_dev || theirs.st_ino != ours.st_ino) return true;
  return read_system_link(fmt::format("/proc/{}/ns/mnt", pid)) != read_system_link("/proc/self/ns/mnt");
}

std::pair<std::string, bool> read_executable(int pid) {
  constexpr std::string_view kDeleted = " (deleted)";
  std::string path = read_system_link(fmt::format("/proc/{}/exe", pid));
  bool deleted = path.ends_with(kDeleted);
  struct stat facts {};
  if (deleted && ::stat(fmt::format("/proc/{}/exe", pid).c_str(), &facts) == 0) {
    deleted = !is_path_of(pid, path, facts.st_ino);  // else the file itself is called so
  }
  if (deleted) path.resize(path.size() - kDeleted.size());
  return {std::move(path), deleted};
}

// The function of the kernel that a thread sleeps in: ep_poll, do_epoll_wait, or another one, as the kernel was compiled.
bool sleeps_in_epoll(int pid, int tid) {
  const FileText place = read_system_file(fmt::format("/proc/{}/task/{}/wchan", pid, tid));
  return place.ok && (place.text.starts_with("ep_poll") || place.text.starts_with("do_epoll_wait") || place.text.starts_with("do_epoll_pwait"));
}

// What procfs tells of the call that a thread sleeps in. Without CAP_DAC_READ_SEARCH (in a container with CAP_SYS_PTRACE alone) it
// tells that only of the user's own processes, and of others where in the kernel they sleep. Loops written in C (uvloop) are
// known to idle by nothing else.
void read_system_call(int pid, Memory& memory, ThreadFacts& facts) {
  const auto file = read_system_file(fmt::format("/proc/{}/task/{}/syscall", pid, facts.tid));
  if (!file.ok && file.error == EACCES && facts.state == 'S') facts.sleeps_in_epoll = sleeps_in_epoll(pid, facts.tid);
  const auto line = parse_system_call_line(file.text);
  if (!file.ok || !line) return;
  facts.in_user_mode = !line->call;
  facts.system_call = line->call;
  if (!facts.system_call || !is_restarted(*facts.system_call)) return;
  const auto read = [&](std::uint64_t from, std::span<std::byte> into) { return memory.read(Address{from}, into).has_value(); };
  facts.system_call->number = find_restarted_call(line->instruction_pointer, line->stack_pointer, read).value_or(facts.system_call->number);
}

class LiveFreeze final : public Freeze {
 public:
  LiveFreeze(std::unique_ptr<Pause> pause, std::vector<ThreadFacts> threads)
      : pause_(std::move(pause)), threads_(std::move(threads)) {}

  [[nodiscard]] const std::vector<ThreadFacts>& threads() const override { return threads_; }
  [[nodiscard]] Clock::time_point ends_at() const override { return pause_->ends_at(); }
  [[nodiscard]] std::vector<std::string> warnings() const override;
  [[nodiscard]] std::chrono::nanoseconds release() override { return pause_->release(); }

 private:
  std::unique_ptr<Pause> pause_;
  std::vector<ThreadFacts> threads_;
};

std::vector<std::string> LiveFreeze::warnings() const {
  std::vector<std::string> sentences;
  for (const StoppedThread& thread : pause_->threads()) {
    if (!thread.uninterruptible) continue;
    sentences.push_back(fmt::format("thread {} was not stopped: it was in uninterruptible sleep (state D), where it runs "
                                    "nothing of the program",
                                    thread.tid));
  }
  return sentences;
}

}  // namespace

Result<std::unique_ptr<LiveTarget>> LiveTarget::attach(int pid) {
  const std::string path = std::to_string(pid);
  const auto stat = pid > 0 ? read_process_stat(path) : std::nullopt;
  const auto status = pid > 0 ? read_process_status(path) : std::nullopt;
  if (!stat || !status) return std::unexpected(no_process(pid));
  if (auto readable = check_readable(pid, *stat, *status); !readable) {
    return std::unexpected(std::move(readable.error()));
  }
  std::unique_ptr<LiveTarget> target(new LiveTarget(pid));
  target->start_ns_ = stat->start_ns;
  target->own_pid_namespace_ = status->namespace_pids.size() > 1;
  target->monotonic_lead_ = read_monotonic_lead(pid);
  return target;
}

Result<void> LiveTarget::check_still_there() const {
  const auto stat = read_process_stat(std::to_string(pid_));
  if (!stat || stat->start_ns != start_ns_ || stat->state == 'Z' || stat->state == 'X') {
    return std::unexpected(process_ended(pid_));
  }
  return {};
}

Result<ProcessFacts> LiveTarget::read_process() {
  const std::string path = std::to_string(pid_);
  const auto stat = read_process_stat(path);
  const auto status = read_process_status(path);
  const auto command_line = read_system_file(fmt::format("/proc/{}/cmdline", pid_));
  if (!stat || !status || stat->start_ns != start_ns_) return std::unexpected(process_ended(pid_));
  ProcessFacts facts;
  facts.pid = pid_;
  facts.namespace_pid = status->namespace_pids.empty() ? pid_ : status->namespace_pids.back();
  facts.command_line = parse_command_line(command_line.text);
  std::tie(facts.executable, facts.executable_deleted) = read_executable(pid_);
  facts.name = stat->name;
  facts.state = stat->state;
  facts.tracer_pid = status->tracer;
  facts.user_id = status->user_id;
  private_bytes_ = status->private_bytes;
  const auto age_ns = clock_ns(CLOCK_BOOTTIME) - static_cast<std::int64_t>(stat->start_ns);
  facts.uptime_seconds = static_cast<double>(std::max<std::int64_t>(age_ns, 0)) / 1e9;
  facts.resident_bytes = stat->resident_bytes;
  facts.other_root = has_other_root(pid_);
  facts.auxiliary_vector = read_system_file(fmt::format("/proc/{}/auxv", pid_), kMostAuxiliaryBytes).text;
  auto mappings = read_process_maps(pid_);
  if (!mappings) return std::unexpected(std::move(mappings.error()));
  facts.mappings = std::move(*mappings);
  facts.images = find_loaded_images(facts.executable, facts.mappings, files_, memory_);
  if (auto there = check_still_there(); !there) return std::unexpected(std::move(there.error()));
  return facts;
}

std::vector<ThreadFacts> LiveTarget::read_thread_list() const {
  std::vector<ThreadFacts> threads;
  for (const int tid : read_thread_ids(pid_)) {
    if (auto facts = read_thread_facts(pid_, tid, own_pid_namespace_)) threads.push_back(std::move(*facts));
  }
  return threads;
}

Result<std::vector<ThreadFacts>> LiveTarget::read_threads() {
  auto threads = read_thread_list();
  for (ThreadFacts& facts : threads) read_system_call(pid_, memory_, facts);
  if (auto there = check_still_there(); !there) return std::unexpected(std::move(there.error()));
  return threads;
}

std::optional<ThreadFacts> LiveTarget::read_thread(int tid) { return read_thread_facts(pid_, tid, own_pid_namespace_); }

Result<std::unique_ptr<Freeze>> LiveTarget::freeze(std::chrono::milliseconds longest) {
  if (auto there = check_still_there(); !there) return std::unexpected(std::move(there.error()));
  // Before the stop: a stopped thread's state tells nothing but the stop.
  std::unordered_map<int, ThreadFacts> before;
  for (ThreadFacts& facts : read_thread_list()) before.emplace(facts.tid, std::move(facts));
  auto pause = Pause::stop(pid_, longest);
  if (!pause) return std::unexpected(std::move(pause.error()));
  std::vector<ThreadFacts> threads;
  for (const StoppedThread& stopped : (*pause)->threads()) {
    ThreadFacts facts;
    if (const auto known = before.find(stopped.tid); known != before.end()) {
      facts = std::move(known->second);
    } else if (auto created_since = read_thread_facts(pid_, stopped.tid, own_pid_namespace_)) {
      facts = std::move(*created_since);
      facts.state = '?';
    } else {
      facts.namespace_tid = stopped.tid;
    }
    facts.tid = stopped.tid;
    if (stopped.uninterruptible) {
      read_system_call(pid_, memory_, facts);
    } else {
      facts.registers = stopped.registers;
      facts.system_call = stopped.system_call;
      facts.in_user_mode = stopped.in_user_mode;
    }
    threads.push_back(std::move(facts));
  }
  return std::make_unique<LiveFreeze>(std::move(*pause), std::move(threads));
}

std::unique_ptr<Standstill> LiveTarget::find_standstill() { return asyncspy::find_standstill(pid_); }

std::vector<Descriptor> LiveTarget::read_descriptors(const std::vector<int>& numbers) {
  return asyncspy::read_descriptors(pid_, numbers);
}

std::vector<ChildProcess> LiveTarget::read_children() { return read_child_processes(pid_); }

int LiveTarget::find_fork_parent(const ProcessFacts& process) { return asyncspy::find_fork_parent(pid_, process.auxiliary_vector); }

Result<std::vector<PageRange>> LiveTarget::find_written_pages(const std::vector<Mapping>& mappings) {
  return asyncspy::find_written_pages(pid_, mappings);
}

std::int64_t LiveTarget::monotonic_now() { return clock_ns(CLOCK_MONOTONIC) + monotonic_lead_; }

}  // namespace asyncspy
