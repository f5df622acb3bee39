#include "network_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>

namespace asyncspy {
namespace {

template <class T>
bool copy_from(std::span<const std::byte> bytes, T& into) {
  if (bytes.size() < sizeof(T)) return false;
  std::memcpy(&into, bytes.data(), sizeof(T));
  return true;
}

// A name that begins with NUL is abstract: written with "@", as ss and netstat do.
std::string format_unix_path(std::span<const std::byte> bytes) {
  const auto path = bytes.subspan(offsetof(sockaddr_un, sun_path));
  std::string text(reinterpret_cast<const char*>(path.data()), path.size());
  if (text.empty()) return "unnamed";
  if (text.front() == '\0') {
    std::ranges::replace(text, '\0', '@');
    return text;
  }
  return text.substr(0, text.find('\0'));
}

}  // namespace

std::string format_ipv4(const std::array<std::uint8_t, 4>& bytes, std::uint16_t port) {
  return fmt::format("{}.{}.{}.{}:{}", bytes[0], bytes[1], bytes[2], bytes[3], port);
}

std::string format_ipv6(const std::array<std::uint8_t, 16>& bytes, std::uint16_t port) {
  constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  if (std::equal(kMapped.begin(), kMapped.end(), bytes.begin())) {
    return format_ipv4({bytes[12], bytes[13], bytes[14], bytes[15]}, port);
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (::inet_ntop(AF_INET6, bytes.data(), text.data(), text.size()) == nullptr) return {};
  return fmt::format("[{}]:{}", text.data(), port);
}

std::string format_socket_address(std::span<const std::byte> bytes) {
  sa_family_t family = 0;
  if (!copy_from(bytes, family)) return {};
  if (family == AF_INET) {
    sockaddr_in address{};
    if (!copy_from(bytes, address)) return {};
    std::array<std::uint8_t, 4> raw{};
    std::memcpy(raw.data(), &address.sin_addr, raw.size());
    return format_ipv4(raw, ntohs(address.sin_port));
  }
  if (family == AF_INET6) {
    sockaddr_in6 address{};
    if (!copy_from(bytes, address)) return {};
    std::array<std::uint8_t, 16> raw{};
    std::memcpy(raw.data(), &address.sin6_addr, raw.size());
    return format_ipv6(raw, ntohs(address.sin6_port));
  }
  if (family == AF_UNIX) return format_unix_path(bytes);
  return fmt::format("address family {}", family);
}

}  // namespace asyncspy
