#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "call_decoder.h"
#include "escaped_text.h"
#include "network_address.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostPathBytes = 256;
constexpr std::uint64_t kMostAddressBytes = sizeof(sockaddr_storage);

// The bytes before the first NUL. Reads page by page: the text may end just before one that is not mapped.
std::optional<std::string> read_text(Memory& memory, Address at, std::size_t most) {
  std::string text;
  while (text.size() < most) {
    const Address from = at + text.size();
    const std::size_t to_page_end = kPageSize - from.value() % kPageSize;
    std::string part(std::min(most - text.size(), to_page_end), '\0');
    if (!memory.read(from, std::as_writable_bytes(std::span(part)))) return std::nullopt;
    const std::size_t end = part.find('\0');
    text += part.substr(0, end);
    if (end != std::string::npos) return text;
  }
  return text + "...";
}

std::string describe_lock(int operation) {
  std::string text = (operation & LOCK_EX) != 0 ? "LOCK_EX" : (operation & LOCK_SH) != 0 ? "LOCK_SH" : "LOCK_UN";
  if ((operation & LOCK_NB) != 0) text += "|LOCK_NB";
  return text;
}

}  // namespace

void CallDecoder::add_descriptor(int descriptor) {
  add(fmt::format("fd {}", descriptor));
  if (!decoded_.descriptor) {
    decoded_.descriptor = descriptor;
  } else {
    decoded_.further_descriptors.push_back(descriptor);
  }
}

void CallDecoder::add_socket_address(Address at, std::uint64_t size) {
  std::array<std::byte, kMostAddressBytes> bytes{};
  const auto used = std::span(bytes).first(std::min(size & 0xFFFFFFFF, kMostAddressBytes));
  const std::string text = memory_.read(at, used) ? escape_text(format_socket_address(used)) : std::string{};
  add(text.empty() ? "address unreadable" : text);
}

void CallDecoder::add_path(Address at) {
  const auto path = read_text(memory_, at, kMostPathBytes);
  add(path ? fmt::format("\"{}\"", escape_text(*path)) : "path unreadable");
}

void CallDecoder::on_descriptor() { add_descriptor(number(0)); }

void CallDecoder::on_two_descriptors() {
  add_descriptor(number(0));
  add_descriptor(number(1));
}

void CallDecoder::on_copy_between() {
  add_descriptor(number(0));
  add_descriptor(number(2));
}

void CallDecoder::on_connect() {
  add_descriptor(number(0));
  add_socket_address(address(1), argument(2));
}

void CallDecoder::on_send_to() {
  add_descriptor(number(0));
  if (!address(4).is_null()) add_socket_address(address(4), argument(5));
}

void CallDecoder::on_flock() {
  add_descriptor(number(0));
  add(describe_lock(number(1)));
}

void CallDecoder::on_fcntl() {
  add_descriptor(number(0));
  constexpr int kWaitForOpenFileLock = 38;  // F_OFD_SETLKW, which needs _GNU_SOURCE
  const int command = number(1);
  if (command != F_SETLKW && command != kWaitForOpenFileLock) {
    add(fmt::format("command {}", command));
    return;
  }
  add(command == F_SETLKW ? "F_SETLKW" : "F_OFD_SETLKW");
  const auto lock = memory_.read_value<struct flock>(address(2));
  if (!lock) {
    add("lock unreadable");
  } else {
    add(lock->l_type == F_RDLCK ? "read lock" : lock->l_type == F_WRLCK ? "write lock" : "unlock");
  }
}

void CallDecoder::on_path() { add_path(address(0)); }

void CallDecoder::on_path_at() {
  if (number(0) != AT_FDCWD) add_descriptor(number(0));
  add_path(address(1));
}

void CallDecoder::on_ring() {
  add_descriptor(number(0));
  add(fmt::format("submit {}", static_cast<std::uint32_t>(argument(1))));
  add(fmt::format("wait for {}", static_cast<std::uint32_t>(argument(2))));
}

}  // namespace asyncspy
