#include "sockets.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstring>
#include <optional>

#include "field_reader.h"
#include "network_address.h"
#include "system_files.h"
#include "unix_peers.h"

namespace asyncspy {
namespace {

// include/net/tcp_states.h
constexpr std::array kTcpStates =
    std::to_array<std::string_view>({"", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT",
                                     "CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING", "NEW_SYN_RECV"});

struct Endpoint {
  std::string text;
  bool is_unset = false;  // all zero: not connected
};

// "0100007F:1F90": words of four bytes, each as the machine stores a network-order word, then the port.
std::optional<Endpoint> parse_endpoint(std::string_view field) {
  const std::size_t colon = field.find(':');
  if (colon != 8 && colon != 32) return std::nullopt;
  std::array<std::uint8_t, 16> bytes{};
  bool any = false;
  for (std::size_t i = 0; i < colon; i += 8) {
    FieldReader word(field.substr(i, 8));
    const auto value = word.number<std::uint32_t>(16);
    if (!word.ok()) return std::nullopt;
    std::memcpy(bytes.data() + i / 2, &value, sizeof(value));
    any = any || value != 0;
  }
  FieldReader rest(field.substr(colon + 1));
  const auto port = rest.number<std::uint16_t>(16);
  if (!rest.ok()) return std::nullopt;
  Endpoint endpoint;
  endpoint.is_unset = !any && port == 0;
  endpoint.text = colon == 8 ? format_ipv4({bytes[0], bytes[1], bytes[2], bytes[3]}, port) : format_ipv6(bytes, port);
  return endpoint;
}

std::string state_name(std::string_view field) {
  FieldReader reader(field);
  const auto state = reader.number<std::size_t>(16);
  if (!reader.ok() || state >= kTcpStates.size()) return {};
  return std::string(kTcpStates[state]);
}

bool all_found(const std::unordered_set<std::uint64_t>& wanted, const SocketTable& table) {
  return table.size() >= wanted.size();
}

}  // namespace

void parse_inet_sockets(std::string_view text, const std::string& protocol,
                        const std::unordered_set<std::uint64_t>& wanted, SocketTable& into) {
  for_each_line(text, [&](std::string_view line) {
    FieldReader fields(line);
    fields.word();  // slot
    const std::string_view local = fields.word();
    const std::string_view peer = fields.word();
    const std::string_view state = fields.word();
    const auto send_queue = fields.number_until<std::uint64_t>(':', 16);
    const auto receive_queue = fields.number<std::uint64_t>(16);
    fields.skip_words(4);  // timer, retransmissions, user, timeout
    const auto inode = fields.number<std::uint64_t>();
    if (!fields.ok() || !wanted.contains(inode)) return;
    const auto local_end = parse_endpoint(local);
    const auto peer_end = parse_endpoint(peer);
    if (!local_end || !peer_end) return;
    SocketFacts facts;
    facts.protocol = protocol;
    facts.local = local_end->text;
    if (!peer_end->is_unset) facts.peer = peer_end->text;
    if (protocol.starts_with("tcp")) facts.tcp_state = state_name(state);
    facts.send_queue = send_queue;
    facts.receive_queue = receive_queue;
    into.insert_or_assign(inode, std::move(facts));
  });
}

void parse_unix_sockets(std::string_view text, const std::unordered_set<std::uint64_t>& wanted, SocketTable& into) {
  for_each_line(text, [&](std::string_view line) {
    FieldReader fields(line);
    fields.skip_words(6);  // address, references, protocol, flags, type, state
    const auto inode = fields.number<std::uint64_t>();
    if (!fields.ok() || !wanted.contains(inode)) return;
    fields.skip_spaces();
    SocketFacts facts;
    facts.protocol = "unix";
    facts.local = fields.rest();
    into.insert_or_assign(inode, std::move(facts));
  });
}

SocketTable read_sockets(int pid, const std::unordered_set<std::uint64_t>& wanted) {
  // To read an inet table the kernel walks a hash table of the size of the machine, 2 ms each on a small one, however
  // few sockets there are. The Unix table costs what it holds.
  SocketTable table;
  const FileText unix_file = read_system_file(fmt::format("/proc/{}/net/unix", pid));
  parse_unix_sockets(unix_file.text, wanted, table);
  add_unix_peers(pid, unix_file.text, table);
  for (const char* protocol : {"tcp", "tcp6", "udp", "udp6"}) {
    if (all_found(wanted, table)) break;
    const FileText file = read_system_file(fmt::format("/proc/{}/net/{}", pid, protocol));
    parse_inet_sockets(file.text, protocol, wanted, table);
  }
  return table;
}

}  // namespace asyncspy
