#include "sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "catch.h"
#include "descriptors.h"
#include "file_descriptor.h"
#include "network_address.h"

namespace asyncspy {
namespace {

constexpr std::string_view kTitle =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n";

}  // namespace

TEST_CASE("an IPv4 line yields both ends, the state and the queues") {
  SocketTable table;
  parse_inet_sockets(std::string(kTitle) +
                         "   0: 0100007F:1F90 0200A8C0:C001 01 0000000A:00000100 00:00000000 00000000  0 0 777 1 x\n"
                         "   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0 0 778 1 x\n",
                     "tcp", {777, 778}, table);
  REQUIRE(table.size() == 2);
  CHECK(table[777].local == "127.0.0.1:8080");
  CHECK(table[777].peer == "192.168.0.2:49153");
  CHECK(table[777].tcp_state == "ESTABLISHED");
  CHECK(table[777].send_queue == 10);
  CHECK(table[777].receive_queue == 256);
  CHECK(table[778].tcp_state == "LISTEN");
  CHECK(table[778].peer.empty());
}

TEST_CASE("an IPv6 line is printed as people write it, and mapped IPv4 as IPv4") {
  SocketTable table;
  parse_inet_sockets(
      "0: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 1\n"
      "1: 0000000000000000FFFF00000100007F:1F90 B80D0120000000000000000001000000:0051 02 0:0 00:0 0 0 0 2\n",
      "tcp6", {1, 2}, table);
  REQUIRE(table.size() == 2);
  CHECK(table[1].local == "[::1]:80");
  CHECK(table[2].local == "127.0.0.1:8080");
  CHECK(table[2].peer == "[2001:db8::1]:81");
  CHECK(table[2].tcp_state == "SYN_SENT");
}

TEST_CASE("socket lines that are cut short or not wanted are passed over") {
  SocketTable table;
  parse_inet_sockets(
      "0: 0100007F:1F90 0100007F\n1: 01:02 03:04 01 0:0 0:0 0 0 0 5\n"
      "2: 0100007F:1F90 0200A8C0:C001 01 0:0 00:0 0 0 0 6\n",
      "tcp", {5}, table);
  CHECK(table.empty());
}

TEST_CASE("a unix line yields its path, with spaces, or none") {
  SocketTable table;
  parse_unix_sockets(
      "Num       RefCount Protocol Flags    Type St Inode Path\n"
      "0000000000000000: 00000002 00000000 00010000 0001 01 12 /run/my app.sock\n"
      "0000000000000000: 00000002 00000000 00000000 0001 03 13\n"
      "0000000000000000: 00000002 00000000 00010000 0001 01 14 @abstract\n",
      {12, 13, 14}, table);
  REQUIRE(table.size() == 3);
  CHECK(table[12].local == "/run/my app.sock");
  CHECK(table[13].local.empty());
  CHECK(table[14].local == "@abstract");
}

TEST_CASE("the link of a descriptor tells its kind") {
  using Kind = Descriptor::Kind;
  CHECK(classify_descriptor("/tmp/x (deleted)") == Kind::kFile);
  CHECK(classify_descriptor("pipe:[1]") == Kind::kPipe);
  CHECK(classify_descriptor("socket:[456]") == Kind::kSocket);
  CHECK(classify_descriptor("anon_inode:[eventpoll]") == Kind::kEvent);
  CHECK(classify_descriptor("net:[4026531840]") == Kind::kOther);
  CHECK(classify_descriptor("") == Kind::kUnknown);
  CHECK(parse_socket_inode("socket:[456]") == 456);
  CHECK_FALSE(parse_socket_inode("socket:[]"));
  CHECK_FALSE(parse_socket_inode("pipe:[456]"));
}

TEST_CASE("the descriptors of this process are named: file, pipe, TCP connection, closed") {
  const FileDescriptor server(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  REQUIRE(::bind(server.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(server.get(), 1) == 0);
  REQUIRE(::getsockname(server.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const FileDescriptor client(::socket(AF_INET, SOCK_STREAM, 0));
  REQUIRE(::connect(client.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  const FileDescriptor accepted(::accept(server.get(), nullptr, nullptr));
  REQUIRE(::send(client.get(), "hello", 5, 0) == 5);
  const std::string server_name = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));

  const auto found = read_descriptors(::getpid(), {client.get(), 987654, accepted.get(), server.get()});
  REQUIRE(found.size() == 4);
  CHECK(found[0].number == client.get());
  CHECK(found[0].protocol == "tcp");
  CHECK(found[0].peer == server_name);
  CHECK(found[0].tcp_state == "ESTABLISHED");
  CHECK(found[1].kind == Descriptor::Kind::kUnknown);
  CHECK(found[2].local == server_name);
  CHECK(found[2].receive_queue == 5);
  CHECK(found[3].tcp_state == "LISTEN");
}

TEST_CASE("the other end of a unix socket is named by the path that it is bound to") {
  // An abstract name needs no file. The connected socket has no name of its own.
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = "asyncspy-test-" + std::to_string(::getpid());
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  const FileDescriptor server(::socket(AF_UNIX, SOCK_STREAM, 0));
  REQUIRE(::bind(server.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(server.get(), 1) == 0);
  const FileDescriptor client(::socket(AF_UNIX, SOCK_STREAM, 0));
  REQUIRE(::connect(client.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  const FileDescriptor accepted(::accept(server.get(), nullptr, nullptr));
  const auto found = read_descriptors(::getpid(), {client.get(), server.get()});
  REQUIRE(found.size() == 2);
  CHECK(found[0].protocol == "unix");
  CHECK(found[0].peer == "@" + name);
  CHECK(found[1].local == "@" + name);
}

TEST_CASE("socket addresses that are cut short do not crash") {
  CHECK(format_socket_address({}).empty());
  const std::array<std::byte, 3> ipv4{std::byte{AF_INET}, std::byte{0}, std::byte{1}};
  CHECK(format_socket_address(ipv4).empty());
  const std::array<std::byte, 2> unix_only{std::byte{AF_UNIX}, std::byte{0}};
  CHECK(format_socket_address(unix_only) == "unnamed");
}

TEST_CASE("fdinfo yields the inode and the mount of an open file, where it has both") {
  const auto file = parse_open_file("pos:\t0\nflags:\t02\nmnt_id:\t9\nino:\t42817\n");
  REQUIRE(file);
  CHECK(file->inode == 42817);
  CHECK(file->mount == 9);
  CHECK(!parse_open_file("pos:\t0\nflags:\t02\nmnt_id:\t9\n"));  // Linux before 5.14
  CHECK(!parse_open_file("mnt_id:\tx\nino:\t42817\n"));
  CHECK(!parse_open_file(""));
}

}  // namespace asyncspy
