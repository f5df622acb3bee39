#include "python_processes.h"

#include <dirent.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>
#include <optional>
#include <string_view>

#include "procfs.h"
#include "system_files.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostMapsBytes = std::size_t{16} << 20;
constexpr std::size_t kMostArgumentBytes = std::size_t{1} << 16;

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

bool mentions_python(std::string_view text) { return text.find("python") != std::string_view::npos; }

// A shared or static interpreter maps files whose paths say python: the library, the executable or the modules of
// the standard library.
enum class Verdict { kPython, kOther, kHidden, kGone };

Verdict look_at_mappings(int pid) {
  const FileText maps = read_system_file(fmt::format("/proc/{}/maps", pid), kMostMapsBytes);
  if (maps.ok) return mentions_python(maps.text) ? Verdict::kPython : Verdict::kOther;
  return maps.error == EACCES || maps.error == EPERM ? Verdict::kHidden : Verdict::kGone;
}

}  // namespace

std::vector<int> list_processes() {
  std::vector<int> pids;
  const std::unique_ptr<DIR, CloseDirectory> directory(::opendir("/proc"));
  if (!directory) return pids;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    int pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc() && end == name.data() + name.size() && pid > 0) pids.push_back(pid);
  }
  std::ranges::sort(pids);
  return pids;
}

namespace {

struct Look {
  Verdict verdict = Verdict::kGone;
  Candidate candidate;
};

Look look_at_process(int pid) {
  Look look;
  if (pid == ::getpid()) return look;
  const auto stat = read_process_stat(std::to_string(pid));
  if (!stat || stat->kernel_thread || stat->state == 'Z') return look;
  look.verdict = look_at_mappings(pid);
  if (look.verdict == Verdict::kOther || look.verdict == Verdict::kGone) return look;
  const FileText arguments = read_system_file(fmt::format("/proc/{}/cmdline", pid), kMostArgumentBytes);
  look.candidate = {pid, stat->name, parse_command_line(arguments.text)};
  const bool named = mentions_python(look.candidate.name) ||
                     (!look.candidate.command_line.empty() && mentions_python(look.candidate.command_line.front()));
  if (named) look.verdict = Verdict::kPython;
  return look;
}

}  // namespace

std::optional<Candidate> examine_process(int pid) {
  Look look = look_at_process(pid);
  if (look.verdict != Verdict::kPython) return std::nullopt;
  return std::move(look.candidate);
}

Candidates find_python_processes() {
  Candidates found;
  for (const int pid : list_processes()) {
    Look look = look_at_process(pid);
    if (look.verdict == Verdict::kPython) found.processes.push_back(std::move(look.candidate));
    if (look.verdict == Verdict::kHidden) ++found.hidden;
  }
  return found;
}

}  // namespace asyncspy
