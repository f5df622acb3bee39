// Who is at the other end of a Unix socket. procfs does not tell; the kernel's socket diagnosis does, for the network
// namespace that asyncspy itself is in.
#pragma once

#include <string_view>

#include "sockets.h"

namespace asyncspy {

// Fills `peer` with the path that the other end is bound to, or with "socket:[INODE]" when it has none, where the
// kernel answers. `unix_text` is the target's /proc/PID/net/unix.
void add_unix_peers(int pid, std::string_view unix_text, SocketTable& sockets);

}  // namespace asyncspy
