#include "descriptors.h"

#include <fmt/format.h>

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

std::vector<Descriptor> read_descriptors(int pid, const std::vector<int>& numbers) {
  std::vector<Descriptor> descriptors;
  std::unordered_set<std::uint64_t> wanted;
  for (const int number : numbers) {
    Descriptor descriptor;
    descriptor.number = number;
    descriptor.path = read_system_link(fmt::format("/proc/{}/fd/{}", pid, number));
    descriptor.kind = classify_descriptor(descriptor.path);
    if (const auto inode = parse_socket_inode(descriptor.path)) wanted.insert(*inode);
    descriptors.push_back(std::move(descriptor));
  }
  if (wanted.empty()) return descriptors;
  const SocketTable sockets = read_sockets(pid, wanted);
  for (Descriptor& descriptor : descriptors) {
    const auto inode = parse_socket_inode(descriptor.path);
    const auto found = inode ? sockets.find(*inode) : sockets.end();
    if (found == sockets.end()) continue;
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
