#include "unix_peers.h"

#include <fmt/format.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "file_descriptor.h"
#include "system_files.h"

namespace asyncspy {
namespace {

struct Request {
  nlmsghdr header;
  unix_diag_req body;
};

// The attribute UNIX_DIAG_PEER of one answer.
std::optional<std::uint32_t> find_peer(const std::byte* answer, std::size_t size) {
  nlmsghdr header{};
  if (size < sizeof(header)) return std::nullopt;
  std::memcpy(&header, answer, sizeof(header));
  if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY || header.nlmsg_len > size) return std::nullopt;
  std::size_t at = NLMSG_ALIGN(sizeof(nlmsghdr)) + NLMSG_ALIGN(sizeof(unix_diag_msg));
  while (at + sizeof(rtattr) <= header.nlmsg_len) {
    rtattr attribute{};
    std::memcpy(&attribute, answer + at, sizeof(attribute));
    if (attribute.rta_len < sizeof(rtattr) || attribute.rta_len > header.nlmsg_len - at) return std::nullopt;
    std::uint32_t peer = 0;
    if (attribute.rta_type == UNIX_DIAG_PEER && attribute.rta_len >= sizeof(rtattr) + sizeof(peer)) {
      std::memcpy(&peer, answer + at + sizeof(rtattr), sizeof(peer));
      return peer;
    }
    at += RTA_ALIGN(attribute.rta_len);
  }
  return std::nullopt;
}

std::optional<std::uint32_t> ask_peer(int channel, std::uint32_t inode) {
  Request request{};
  request.header.nlmsg_len = sizeof(request);
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  request.body.sdiag_family = AF_UNIX;
  request.body.udiag_states = ~0U;
  request.body.udiag_ino = inode;
  request.body.udiag_show = UDIAG_SHOW_PEER;
  request.body.udiag_cookie[0] = ~0U;  // INET_DIAG_NOCOOKIE
  request.body.udiag_cookie[1] = ~0U;
  if (::send(channel, &request, sizeof(request), MSG_DONTWAIT) != static_cast<ssize_t>(sizeof(request))) {
    return std::nullopt;
  }
  alignas(nlmsghdr) std::array<std::byte, 4096> answer{};
  // The kernel has answered by the time that send returns.
  const ssize_t got = ::recv(channel, answer.data(), answer.size(), MSG_DONTWAIT);
  return got <= 0 ? std::nullopt : find_peer(answer.data(), static_cast<std::size_t>(got));
}

bool is_in_our_network(int pid) {
  const std::string theirs = read_system_link(fmt::format("/proc/{}/ns/net", pid));
  return !theirs.empty() && theirs == read_system_link("/proc/self/ns/net");
}

}  // namespace

void add_unix_peers(int pid, std::string_view unix_text, SocketTable& sockets) {
  if (sockets.empty() || !is_in_our_network(pid)) return;
  const FileDescriptor channel(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!channel) return;
  std::unordered_map<std::uint64_t, std::uint64_t> peer_of;
  std::unordered_set<std::uint64_t> peers;
  for (const auto& [inode, facts] : sockets) {
    const auto peer = ask_peer(channel.get(), static_cast<std::uint32_t>(inode));
    if (!peer || *peer == 0) continue;
    peer_of.emplace(inode, *peer);
    peers.insert(*peer);
  }
  SocketTable others;
  parse_unix_sockets(unix_text, peers, others);
  for (const auto& [inode, peer] : peer_of) {
    const auto other = others.find(peer);
    const bool named = other != others.end() && !other->second.local.empty();
    sockets[inode].peer = named ? other->second.local : fmt::format("socket:[{}]", peer);
  }
}

}  // namespace asyncspy
