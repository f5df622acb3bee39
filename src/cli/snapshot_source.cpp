#include "snapshot_source.h"

#include <unistd.h>

#include <charconv>

#include "core_target.h"
#include "live_target.h"
#include "recording.h"

namespace asyncspy {
namespace {

Result<Snapshot> take_from_process(int pid, const CaptureOptions& options) {
  auto target = LiveTarget::attach(pid);
  if (!target) return std::unexpected(std::move(target.error()));
  return capture(**target, options);
}

Result<Snapshot> take_from_file(const std::string& path, const std::string& root, const CaptureOptions& options) {
  auto core = CoreFile::open(path);
  if (!core) return std::unexpected(std::move(core.error()));
  if (is_recording(*core)) {
    auto snapshot = read_recording(std::move(*core), path);
    if (!snapshot) return snapshot;
    snapshot->wanted = options.wanted;
    snapshot->has_values = snapshot->has_values && options.wanted.wants_values();
    return snapshot;
  }
  auto target = CoreTarget::open(std::move(*core), path, root);
  if (!target) return std::unexpected(std::move(target.error()));
  auto snapshot = capture(**target, options);
  if (!snapshot) snapshot.error().what = path + ": " + snapshot.error().what;
  return snapshot;
}

}  // namespace

bool is_process_id(const std::string& word) {
  int pid = 0;
  const char* end = word.data() + word.size();
  const auto [stop, error] = std::from_chars(word.data(), end, pid);
  return error == std::errc() && stop == end && pid > 0;
}

std::string check_process_id(const std::string& word) { return is_process_id(word) ? "" : "'" + word + "' is no process id"; }

Result<int> parse_process_id(const std::string& word) {
  int pid = 0;
  std::from_chars(word.data(), word.data() + word.size(), pid);
  if (pid == ::getpid()) {
    return fail(ErrorKind::kUsage, "process " + word + ": is asyncspy itself", "asyncspy ps lists the Python processes that can be read");
  }
  return pid;
}

std::string check_source(const std::string& word) {
  if (is_process_id(word) || (!word.empty() && ::access(word.c_str(), F_OK) == 0)) return "";
  return "'" + word + "' is neither a process id nor a file";
}

Result<Snapshot> take_snapshot(const SnapshotSource& source, const CaptureOptions& options) {
  if (!source.core.empty()) return take_from_file(source.core, source.root, options);
  if (!is_process_id(source.name)) return take_from_file(source.name, source.root, options);
  ASYNCSPY_TRY(pid, parse_process_id(source.name));
  return take_from_process(pid, options);
}

}  // namespace asyncspy
