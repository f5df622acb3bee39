// The control group of a process, as far as it can freeze it (`docker pause`, systemd's freeze): cgroups v1 and v2.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace asyncspy {

// A mounted hierarchy in which groups can be frozen, from a line of /proc/self/mountinfo.
struct FreezerMount {
  bool unified = false;  // v2
  std::string root;      // which group is the top of the mount
  std::string path;
};
[[nodiscard]] std::vector<FreezerMount> parse_freezer_mounts(std::string_view mountinfo);

// The group that /proc/PID/cgroup names in the freezer's hierarchy (v1) or the unified one (v2).
[[nodiscard]] std::optional<std::string> parse_freezer_group(std::string_view cgroup, bool unified);

// Which container a process is in, as far as the names of its groups tell: Kubernetes' pods by their uid, podman's by their id.
struct ContainerNames {
  std::string pod;        // empty: not known
  std::string container;  // the whole id of 64 digits; empty: none
};
[[nodiscard]] ContainerNames parse_container_names(std::string_view cgroup);
[[nodiscard]] ContainerNames read_container_names(int pid);

// The name of the group with which all threads of the process are frozen. Nothing: they are not, or it can not be told.
[[nodiscard]] std::optional<std::string> find_frozen_group(int pid);

}  // namespace asyncspy
