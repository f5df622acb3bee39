#include "control_groups.h"

#include <fmt/format.h>

#include "field_reader.h"
#include "procfs.h"
#include "system_files.h"

namespace asyncspy {
namespace {

bool has_item(std::string_view list, std::string_view item) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    if (list.substr(0, comma) == item) return true;
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
  return false;
}

// Where a group is in the file system; nothing when the mount does not show it.
std::optional<std::string> find_folder(const FreezerMount& mount, const std::string& group) {
  if (mount.root == "/") return mount.path + group;
  if (!group.starts_with(mount.root)) return std::nullopt;
  const std::string below = group.substr(mount.root.size());
  if (!below.empty() && below.front() != '/') return std::nullopt;
  return mount.path + below;
}

// Both files also tell of a freeze of a group further up.
bool is_frozen(const FreezerMount& mount, const std::string& folder) {
  const FileText file = read_system_file(folder + (mount.unified ? "/cgroup.events" : "/freezer.state"));
  if (!file.ok) return false;
  bool frozen = false;
  for_each_line(file.text, [&](std::string_view line) { frozen = frozen || line == (mount.unified ? "frozen 1" : "FROZEN"); });
  return frozen;
}

// The kernel function that a frozen thread sleeps in: for those who can not see the mounts. v1, and v2.
bool sleeps_in_freezer(int pid, int tid) {
  const FileText place = read_system_file(fmt::format("/proc/{}/task/{}/wchan", pid, tid));
  return place.ok && (place.text == "__refrigerator" || place.text == "do_freezer_trap");
}

bool is_hexadecimal(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

// "pod" and a uid in Kubernetes' names of groups, with '-' or, as systemd's slices have it, with '_'.
std::string find_pod_uid(std::string_view line) {
  constexpr std::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  for (std::size_t at = line.find("pod"); at != std::string_view::npos; at = line.find("pod", at + 1)) {
    std::string uid(line.substr(at + 3, kForm.size()));
    if (uid.size() != kForm.size()) continue;
    bool fits = true;
    for (std::size_t i = 0; i < kForm.size(); ++i) {
      if (uid[i] == '_') uid[i] = '-';
      fits = fits && (kForm[i] == '-' ? uid[i] == '-' : is_hexadecimal(uid[i]));
    }
    if (fits) return uid;
  }
  return "";
}

// All runs of exactly 64 hexadecimal digits.
std::vector<std::string> find_long_ids(std::string_view line) {
  constexpr std::size_t kDigits = 64;
  std::vector<std::string> ids;
  std::size_t length = 0;
  for (std::size_t i = 0; i <= line.size(); ++i) {
    if (i < line.size() && is_hexadecimal(line[i])) {
      ++length;
      continue;
    }
    if (length == kDigits) ids.emplace_back(line.substr(i - kDigits, kDigits));
    length = 0;
  }
  return ids;
}

}  // namespace

ContainerNames parse_container_names(std::string_view cgroup) {
  ContainerNames names;
  for_each_line(cgroup, [&](std::string_view line) {
    const std::vector<std::string> ids = find_long_ids(line);
    if (names.pod.empty()) names.pod = find_pod_uid(line);
    if (names.container.empty() && !ids.empty()) names.container = ids.back();
    if (names.pod.empty() && ids.size() > 1 && ids.front() != ids.back()) names.pod = ids.front();
  });
  return names;
}

ContainerNames read_container_names(int pid) {
  constexpr std::size_t kMostBytes = 1 << 16;
  const FileText file = read_system_file(fmt::format("/proc/{}/cgroup", pid), kMostBytes);
  return file.ok ? parse_container_names(file.text) : ContainerNames{};
}

std::vector<FreezerMount> parse_freezer_mounts(std::string_view mountinfo) {
  std::vector<FreezerMount> mounts;
  for_each_line(mountinfo, [&](std::string_view line) {
    // 30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw
    FieldReader fields(line);
    fields.skip_words(3);
    FreezerMount mount;
    mount.root = fields.word();
    mount.path = fields.word();
    for (std::string_view word = fields.word(); fields.ok() && word != "-";) word = fields.word();
    const std::string_view type = fields.word();
    fields.skip_words(1);
    const std::string_view options = fields.word();
    mount.unified = type == "cgroup2";
    if (fields.ok() && (mount.unified || (type == "cgroup" && has_item(options, "freezer")))) mounts.push_back(std::move(mount));
  });
  return mounts;
}

std::optional<std::string> parse_freezer_group(std::string_view cgroup, bool unified) {
  std::optional<std::string> group;
  for_each_line(cgroup, [&](std::string_view line) {
    // 6:freezer:/docker/1f2e or 0::/system.slice/x.service
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first == std::string_view::npos ? first : first + 1);
    if (second == std::string_view::npos) return;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const bool is_meant = unified ? line.substr(0, first) == "0" && controllers.empty() : has_item(controllers, "freezer");
    if (is_meant) group = line.substr(second + 1);
  });
  return group;
}

std::optional<std::string> find_frozen_group(int pid) {
  const FileText mountinfo = read_system_file("/proc/self/mountinfo");
  const std::vector<FreezerMount> mounts = parse_freezer_mounts(mountinfo.text);
  std::optional<std::string> found;
  for (const int tid : read_thread_ids(pid)) {  // with v1 each thread has a group of its own
    const FileText cgroup = read_system_file(fmt::format("/proc/{}/task/{}/cgroup", pid, tid));
    std::optional<std::string> frozen;
    for (const FreezerMount& mount : mounts) {
      const auto group = parse_freezer_group(cgroup.text, mount.unified);
      const auto folder = group ? find_folder(mount, *group) : std::nullopt;
      if (folder && is_frozen(mount, *folder)) frozen = *group;
    }
    if (!frozen && sleeps_in_freezer(pid, tid)) {
      const auto unified = parse_freezer_group(cgroup.text, true);
      frozen = parse_freezer_group(cgroup.text, false).value_or(unified.value_or("?"));
    }
    if (!frozen) return std::nullopt;
    if (!found) found = std::move(frozen);
  }
  return found;
}

}  // namespace asyncspy
