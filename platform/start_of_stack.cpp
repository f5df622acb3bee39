#include "start_of_stack.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <span>

namespace asyncspy {
namespace {

constexpr std::uint64_t kMostPages = 1600;  // the strings and pointers of arguments and environment: 6 MiB (fs/exec.c)
constexpr std::size_t kMostArguments = 4096;
constexpr std::size_t kMostEnvironment = 65'536;
constexpr std::size_t kMostText = 4096;
constexpr std::size_t kComparedBytes = 64;  // four entries: addresses among them, which make them unique

constexpr std::size_t kWord = sizeof(std::uint64_t);

using Page = std::array<char, kPageSize>;

// Its first entries may cross a page: what is compared lies in two of them.
std::optional<Address> find_vector(Memory& memory, std::string_view vector, Address last) {
  const std::string_view wanted = vector.substr(0, kComparedBytes);
  Page above{};
  std::uint64_t at = last.value() / kPageSize * kPageSize;
  for (std::uint64_t i = 0; i < kMostPages && at >= kPageSize; ++i, at -= kPageSize) {
    std::array<char, 2 * kPageSize> both{};
    if (!memory.read(Address{at}, std::as_writable_bytes(std::span(both).first(kPageSize)))) return std::nullopt;
    std::memcpy(both.data() + kPageSize, above.data(), kPageSize);
    std::memcpy(above.data(), both.data(), kPageSize);
    for (std::size_t offset = kPageSize; offset >= kWord;) {
      offset -= kWord;
      if (std::memcmp(both.data() + offset, wanted.data(), wanted.size()) == 0) return Address{at + offset};
    }
  }
  return std::nullopt;
}

// Steps over words, downwards, until a word that is zero. Where that lies, or nothing.
std::optional<Address> find_zero_below(Memory& memory, Address from, std::size_t most) {
  for (std::size_t i = 0; i < most; ++i) {
    from = from - 8;
    const auto word = memory.read_value<std::uint64_t>(from);
    if (!word) return std::nullopt;
    if (*word == 0) return from;
  }
  return std::nullopt;
}

std::optional<std::string> read_text(Memory& memory, Address from) {
  std::string text;
  while (text.size() < kMostText) {
    std::array<char, 64> bytes{};
    if (!memory.read(from, std::as_writable_bytes(std::span(bytes)))) return std::nullopt;
    const std::size_t size = ::strnlen(bytes.data(), bytes.size());
    text.append(bytes.data(), size);
    if (size < bytes.size()) return text;
    from = from + size;
  }
  return text;
}

// Reads the argument addresses upwards from below `end`: their number precedes the first of them.
std::vector<std::string> read_below(Memory& memory, Address end) {
  for (std::size_t count = 0; count <= kMostArguments; ++count) {
    const Address first = end - 8 * count;
    const auto number = memory.read_value<std::uint64_t>(first - 8);
    if (!number) return {};
    if (*number != count) continue;
    std::vector<std::string> arguments;
    for (std::size_t i = 0; i < count; ++i) {
      const auto address = memory.read_value<std::uint64_t>(first + 8 * i);
      auto text = address ? read_text(memory, Address{*address}) : std::nullopt;
      if (!text) return {};
      arguments.push_back(std::move(*text));
    }
    return arguments;
  }
  return {};
}

}  // namespace

std::vector<std::string> read_arguments(Memory& memory, std::string_view auxiliary_vector, Address last) {
  if (auxiliary_vector.size() < kComparedBytes || last.is_null()) return {};
  const auto vector = find_vector(memory, auxiliary_vector, last);
  if (!vector) return {};
  const auto end_of_environment = find_zero_below(memory, *vector, 1);
  if (!end_of_environment) return {};
  const auto end_of_arguments = find_zero_below(memory, *end_of_environment, kMostEnvironment);
  return end_of_arguments ? read_below(memory, *end_of_arguments) : std::vector<std::string>{};
}

}  // namespace asyncspy
