// The sockets of a network namespace, as the tables under /proc/PID/net tell: who talks to whom, in which state, and
// how much waits in the queues.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace asyncspy {

struct SocketFacts {
  std::string protocol;  // "tcp", "tcp6", "udp", "udp6", "unix"
  std::string local;
  std::string peer;       // empty: not connected, or not known
  std::string tcp_state;  // empty unless TCP
  std::uint64_t receive_queue = 0;
  std::uint64_t send_queue = 0;
};

using SocketTable = std::unordered_map<std::uint64_t, SocketFacts>;  // by inode

// Take the wanted inodes out of a table's text into `into`.
void parse_inet_sockets(std::string_view text, const std::string& protocol,
                        const std::unordered_set<std::uint64_t>& wanted, SocketTable& into);
void parse_unix_sockets(std::string_view text, const std::unordered_set<std::uint64_t>& wanted, SocketTable& into);

// Reads the target's tables, cheapest first, until all wanted sockets are found: milliseconds, so not during a stop.
// Sockets of a namespace that the process has left since stay unknown.
[[nodiscard]] SocketTable read_sockets(int pid, const std::unordered_set<std::uint64_t>& wanted);

}  // namespace asyncspy
