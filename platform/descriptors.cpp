#include "descriptors.h"

#include <fmt/format.h>

#include <unordered_map>
#include <unordered_set>

#include "field_reader.h"
#include "sockets.h"
#include "system_files.h"

namespace asyncspy {

Descriptor::Kind classify_descriptor(std::string_view link) {
  using Kind = Descriptor::Kind;
  if (link.empty()) return Kind::kUnknown;
  if (link.starts_with('/')) return Kind::kFile;
  if (link.starts_with("pipe:[")) return Kind::kPipe;
  if (link.starts_with("socket:[")) return Kind::kSocket;
  if (link.starts_with("anon_inode:")) return Kind::kEvent;
  return Kind::kOther;
}

std::optional<std::uint64_t> parse_socket_inode(std::string_view link) {
  constexpr std::string_view kPrefix = "socket:[";
  if (!link.starts_with(kPrefix) || !link.ends_with(']')) return std::nullopt;
  FieldReader reader(link.substr(kPrefix.size(), link.size() - kPrefix.size() - 1));
  const auto inode = reader.number<std::uint64_t>();
  return reader.ok() ? std::optional(inode) : std::nullopt;
}

std::optional<OpenFile> parse_open_file(std::string_view text) {
  std::optional<std::uint64_t> inode;
  std::optional<int> mount;
  for_each_line(text, [&](std::string_view line) {
    FieldReader fields(line);
    const std::string_view key = fields.word();
    if (key == "ino:") {
      const auto number = fields.number<std::uint64_t>();
      if (fields.ok()) inode = number;
    } else if (key == "mnt_id:") {
      const auto number = fields.number<int>();
      if (fields.ok()) mount = number;
    }
  });
  return inode && mount ? std::optional(OpenFile{*inode, *mount}) : std::nullopt;
}

namespace {

std::unordered_set<int> read_mounts(int pid) {
  std::unordered_set<int> mounts;
  const FileText file = read_system_file(fmt::format("/proc/{}/mountinfo", pid));
  for_each_line(file.text, [&](std::string_view line) {
    FieldReader fields(line);
    const int mount = fields.number<int>();
    if (fields.ok()) mounts.insert(mount);
  });
  return mounts;
}

// The link of a descriptor is its owner's alone: root without CAP_DAC_READ_SEARCH (in a container with CAP_SYS_PTRACE alone)
// can not read that of another user's process. fdinfo, for which Linux 5.14 and later ask for the right to trace, has the inode:
// of a socket when it is on none of the process's mounts, and is found in a table of sockets.
class HiddenSockets {
 public:
  explicit HiddenSockets(int pid) : pid_(pid) {}

  [[nodiscard]] std::optional<std::uint64_t> find_inode(int descriptor) {
    const FileText file = read_system_file(fmt::format("/proc/{}/fdinfo/{}", pid_, descriptor));
    const auto open = file.ok ? parse_open_file(file.text) : std::nullopt;
    if (!open) return std::nullopt;
    if (!mounts_) mounts_ = read_mounts(pid_);
    return mounts_->contains(open->mount) ? std::nullopt : std::optional(open->inode);
  }

 private:
  int pid_;
  std::optional<std::unordered_set<int>> mounts_;
};

}  // namespace

std::vector<Descriptor> read_descriptors(int pid, const std::vector<int>& numbers) {
  std::vector<Descriptor> descriptors;
  std::unordered_map<int, std::uint64_t> inodes;  // by descriptor
  std::unordered_set<std::uint64_t> wanted;
  HiddenSockets hidden(pid);
  for (const int number : numbers) {
    Descriptor descriptor;
    descriptor.number = number;
    descriptor.path = read_system_link(fmt::format("/proc/{}/fd/{}", pid, number));
    descriptor.kind = classify_descriptor(descriptor.path);
    const auto inode = descriptor.path.empty() ? hidden.find_inode(number) : parse_socket_inode(descriptor.path);
    if (inode) {
      inodes.emplace(number, *inode);
      wanted.insert(*inode);
    }
    descriptors.push_back(std::move(descriptor));
  }
  if (wanted.empty()) return descriptors;
  const SocketTable sockets = read_sockets(pid, wanted);
  for (Descriptor& descriptor : descriptors) {
    const auto inode = inodes.find(descriptor.number);
    const auto found = inode != inodes.end() ? sockets.find(inode->second) : sockets.end();
    if (found == sockets.end()) continue;
    if (descriptor.path.empty()) {
      descriptor.kind = Descriptor::Kind::kSocket;
      descriptor.path = fmt::format("socket:[{}]", inode->second);
    }
    const SocketFacts& facts = found->second;
    descriptor.protocol = facts.protocol;
    descriptor.local = facts.local;
    descriptor.peer = facts.peer;
    descriptor.tcp_state = facts.tcp_state;
    descriptor.receive_queue = facts.receive_queue;
    descriptor.send_queue = facts.send_queue;
  }
  return descriptors;
}

}  // namespace asyncspy
