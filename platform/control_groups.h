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

// The name of the group with which all threads of the process are frozen. Nothing: they are not, or it can not be told.
[[nodiscard]] std::optional<std::string> find_frozen_group(int pid);

}  // namespace asyncspy
