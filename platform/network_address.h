// Internet addresses as people write them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace asyncspy {

// "127.0.0.1:8080"; bytes in network order.
[[nodiscard]] std::string format_ipv4(const std::array<std::uint8_t, 4>& bytes, std::uint16_t port);

// "[::1]:80"; an IPv4 address in IPv6 clothes is written as the IPv4 address that it is.
[[nodiscard]] std::string format_ipv6(const std::array<std::uint8_t, 16>& bytes, std::uint16_t port);

// A struct sockaddr as the kernel has it, of IPv4, IPv6 or Unix; "address family 16" for others, empty when cut short.
[[nodiscard]] std::string format_socket_address(std::span<const std::byte> bytes);

}  // namespace asyncspy
