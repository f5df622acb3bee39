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

TEST_CASE("pods and containers are told by the names of control groups") {
  const std::string a(64, 'a');
  const std::string b(64, 'b');
  const std::string uid = "0d3e1a2b-1111-2222-3333-444455556666";
  struct Row {
    std::string text;
    std::string pod;
    std::string container;
  };
  for (const Row& row : {Row{"0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0d3e1a2b_1111_2222_3333_444455556666.slice/cri-containerd-" + a + ".scope\n", uid, a},
                         Row{"12:memory:/kubepods/besteffort/pod" + uid + "/" + a + "\n0::/\n", uid, a},
                         Row{"0::/../cri-containerd-" + a + ".scope\n", "", a},
                         Row{"0::/libpod_parent/" + b + "/libpod-" + a + "\n", b, a},
                         Row{"0::/system.slice/docker-" + a + ".scope\n", "", a},
                         Row{"0::/user.slice/user-0.slice/session-1.scope\n", "", ""},
                         Row{"0::/poda/" + a + "0\n", "", ""}, Row{"", "", ""}}) {
    INFO(row.text);
    const ContainerNames names = parse_container_names(row.text);
    CHECK(names.pod == row.pod);
    CHECK(names.container == row.container);
  }
}

}  // namespace asyncspy
