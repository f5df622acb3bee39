#include "string_hash.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "object_reader.h"
#include "text.h"

namespace asyncspy {
namespace {

constexpr std::size_t kWord = 8;
constexpr int kCompared = 4;        // strings: one agrees by chance once in 2^64
constexpr std::size_t kLooked = 64;  // at so many for these

struct State {
  std::uint64_t a, b, c, d;

  void stir(int rounds) {
    for (int round = 0; round < rounds; ++round) {
      a += b;
      c += d;
      b = std::rotl(b, 13) ^ a;
      d = std::rotl(d, 16) ^ c;
      a = std::rotl(a, 32);
      c += b;
      a += d;
      b = std::rotl(b, 17) ^ c;
      d = std::rotl(d, 21) ^ a;
      c = std::rotl(c, 32);
    }
  }
};

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char one) { return static_cast<unsigned char>(one) < 0x80; });
}

// 0: none can be compared, or not all agree.
int count_agreeing(const ObjectReader& reader, const StringHash& hash, const std::vector<Address>& strings) {
  int agreeing = 0;
  for (std::size_t i = 0; i < strings.size() && i < kLooked && agreeing < kCompared; ++i) {
    const auto value = reader.read(strings[i], reader.layout.text.hash());
    const auto text = read_text(reader, strings[i]);
    if (!value || !text || *value == -1 || text->empty() || !is_ascii(*text)) continue;
    if (hash.of(*text) != *value) return 0;
    ++agreeing;
  }
  return agreeing;
}

}  // namespace

// Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012).
std::int64_t StringHash::of(std::string_view text) const {
  State state{key_0 ^ 0x736f6d6570736575, key_1 ^ 0x646f72616e646f6d, key_0 ^ 0x6c7967656e657261, key_1 ^ 0x7465646279746573};
  const std::size_t whole = text.size() / kWord * kWord;
  for (std::size_t at = 0; at <= whole; at += kWord) {
    std::uint64_t word = at < whole ? 0 : std::uint64_t{text.size()} << 56;
    std::memcpy(&word, text.data() + at, std::min(kWord, text.size() - at));
    state.d ^= word;
    state.stir(rounds);
    state.a ^= word;
  }
  state.c ^= 0xFF;
  state.stir(last_rounds);
  const auto value = static_cast<std::int64_t>(state.a ^ state.b ^ state.c ^ state.d);
  return value == -1 ? -2 : value;  // -1 stands for an error
}

std::optional<StringHash> find_string_hash(const ObjectReader& reader, Address secret, const std::vector<Address>& strings) {
  struct Key {
    std::uint64_t first;
    std::uint64_t second;
  };
  if (secret.is_null()) return std::nullopt;
  const auto key = reader.memory.read_value<Key>(secret);
  if (!key) return std::nullopt;
  for (const bool is_long : {false, true}) {
    const StringHash hash{key->first, key->second, is_long ? 2 : 1, is_long ? 4 : 3};
    if (count_agreeing(reader, hash, strings) > 0) return hash;
  }
  return std::nullopt;
}

}  // namespace asyncspy
