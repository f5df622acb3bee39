#include "control_groups.h"

#include "catch.h"

namespace asyncspy {

TEST_CASE("the hierarchies that can freeze are found among the mounts") {
  const auto mounts = parse_freezer_mounts(
      "30 23 0:26 / /sys/fs/cgroup/unified rw,relatime shared:4 master:1 - cgroup2 cgroup2 rw,nsdelegate\n"
      "31 23 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
      "32 23 0:28 /docker/1f /sys/fs/cgroup/freezer rw - cgroup cgroup rw,cpuset,freezer\n"
      "33 23 0:29 / /proc rw - proc proc rw\n"
      "34 23 0:30 / /cut off\n"
      "\n");
  REQUIRE(mounts.size() == 2);
  CHECK(mounts[0].unified);
  CHECK(mounts[0].path == "/sys/fs/cgroup/unified");
  CHECK(mounts[0].root == "/");
  CHECK_FALSE(mounts[1].unified);
  CHECK(mounts[1].root == "/docker/1f");
}

TEST_CASE("the group of a process is found in either hierarchy") {
  constexpr const char* kText = "7:cpu,cpuacct:/a\n6:cpuset,freezer:/docker/1f:2e\n1:name=systemd:/s\n0::/system.slice/x.service\n";
  CHECK(parse_freezer_group(kText, false) == "/docker/1f:2e");
  CHECK(parse_freezer_group(kText, true) == "/system.slice/x.service");
  CHECK_FALSE(parse_freezer_group("1:name=systemd:/s\n", false));
  CHECK_FALSE(parse_freezer_group("1:name=systemd:/s\n", true));
  CHECK_FALSE(parse_freezer_group(":\n::\n6\n", false));
}

}  // namespace asyncspy
