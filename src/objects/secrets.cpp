#include "secrets.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace asyncspy {
namespace {

constexpr std::size_t kLongestName = 128;

// Words that make a name secret.
constexpr std::string_view kWords[] = {
    "password", "passwords", "passwd", "pwd", "pw", "passcode", "secret", "secrets", "token", "tokens", "authorization", "auth", "oauth",
    "oauth2", "cookie", "cookies", "session", "sessions", "cred", "creds", "credential", "credentials", "dsn", "jwt", "bearer", "otp",
    "totp", "cvv", "cvc", "csrf", "xsrf", "apikey", "privkey", "netrc", "pgpass", "passphrase", "sid",
};

// The same inside of names that are written as one word; the name's letters and digits alone are looked at.
constexpr std::string_view kParts[] = {
    "password", "passwd",     "passphrase", "secret",     "credential", "apikey",       "privatekey", "accesskey", "authkey",  "signingkey",
    "masterkey", "encryptionkey", "sshkey", "authorization", "cookie",  "sessionid", "sessid",  "accesstoken", "authtoken", "refreshtoken", "csrftoken",
};

// Last words of names that tell something about a secret, not the secret itself: token_count, password_file.
constexpr std::string_view kHarmlessEnds[] = {"count", "len",     "length", "size", "limit", "ttl",  "timeout", "expires",  "expiry", "expired",
                                              "type",  "enabled", "required", "path", "file", "filename", "dir", "age", "lifetime"};

// Words beside "tokens" that make it a number of them.
constexpr std::string_view kNumberWords[] = {"max", "min", "num", "n", "total", "used", "prompt", "completion", "input", "output", "cached", "per"};

// What follows one of these names in a text is secret to the end of the line.
constexpr std::string_view kHeaders[] = {"authorization", "cookie"};

// Names that prose uses before a colon; there they need an equals sign.
constexpr std::string_view kProse[] = {"auth", "session", "sessions", "sid", "pw", "oauth", "oauth2", "bearer", "cred", "creds"};

// user:password@host without "//" is also how these begin.
constexpr std::string_view kAddressSchemes[] = {"mailto", "sip", "sips", "xmpp", "acct", "im", "pres"};

template <class Words>
bool is_one_of(const Words& words, std::string_view word) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char32_t c) { return c >= '0' && c <= '9'; }
char to_lower(char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }

// "X-Api_keyID" -> x, api, key, id. "APIKey" -> api, key.
std::vector<std::string> split_words(std::string_view name) {
  std::vector<std::string> words;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
  };
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (!is_upper(c) && !is_lower(c) && !is_digit(static_cast<unsigned char>(c))) {
      end_word();
      continue;
    }
    const bool after_lower = i > 0 && is_upper(c) && !is_upper(name[i - 1]);
    const bool before_lower = i > 0 && is_upper(c) && i + 1 < name.size() && is_lower(name[i + 1]);
    if (after_lower || before_lower) end_word();
    word += to_lower(c);
  }
  end_word();
  return words;
}

bool counts_tokens(const std::vector<std::string>& words) {
  const bool plural = std::ranges::find(words, "tokens") != words.end();
  return plural && std::ranges::any_of(words, [](const std::string& word) { return is_one_of(kNumberWords, word); });
}

bool is_name_character(char32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '-';
}
bool is_space(char32_t c) { return c == ' ' || c == '\t'; }
bool is_quote(char32_t c) { return c == '"' || c == '\''; }
bool ends_line(char32_t c) { return c == '\r' || c == '\n'; }
bool ends_host(char32_t c) { return c <= ' ' || c == '/' || c == '?' || c == '#' || is_quote(c) || c == '<' || c == '>'; }

// Marks which characters are to be hidden; afterwards each run of them becomes one "<masked>".
class TextMask {
 public:
  TextMask(std::u32string_view text, bool is_cut) : text_(text), is_cut_(is_cut), hidden_(text.size(), false) {}

  std::u32string run() {
    mask_urls();
    mask_user_infos();
    mask_assignments();
    return replace();
  }

 private:
  [[nodiscard]] std::size_t find_end(std::size_t from, bool (*ends)(char32_t)) const {
    std::size_t at = from;
    while (at < text_.size() && !ends(text_[at])) ++at;
    return at;
  }
  void hide(std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to && i < hidden_.size(); ++i) hidden_[i] = true;
  }

  void mask_urls() {
    for (std::size_t at = text_.find(U"://"); at != std::u32string_view::npos; at = text_.find(U"://", at + 3)) mask_authority(at + 3);
  }

  // user:password@host:port up to the path. A password that is not escaped may hold "/" and "@": what follows the colon is no
  // port then, and the last "@" of the word counts.
  void mask_authority(std::size_t from) {
    std::size_t end = find_end(from, ends_host);
    const std::size_t colon = text_.find(U':', from);
    if (colon == std::u32string_view::npos || colon >= end) return;
    const bool is_port = std::all_of(text_.begin() + static_cast<std::ptrdiff_t>(colon) + 1,
                                     text_.begin() + static_cast<std::ptrdiff_t>(end), is_digit);
    std::size_t at = text_.substr(0, end).rfind(U'@');
    if ((at == std::u32string_view::npos || at < colon) && !is_port && text_[from] != '[') {
      end = find_end(from, [](char32_t c) { return c <= ' ' || is_quote(c); });
      at = text_.substr(0, end).rfind(U'@');
    }
    if (at != std::u32string_view::npos && at > colon) {
      hide(colon + 1, at);
    } else if (is_cut_ && end == text_.size()) {
      hide(colon + 1, end);
    }
  }

  // user:password@host outside of URLs, as in yarl's and urllib's netloc.
  void mask_user_infos() {
    for (std::size_t at = text_.find(U'@'); at != std::u32string_view::npos; at = text_.find(U'@', at + 1)) {
      std::size_t from = at;
      while (from > 0 && !ends_host(text_[from - 1]) && text_[from - 1] != ',' && text_[from - 1] != '(') --from;
      const std::size_t colon = text_.find(U':', from);
      if (colon == std::u32string_view::npos || colon >= at || colon == from) continue;
      std::string scheme;
      for (std::size_t i = from; i < colon; ++i) scheme += text_[i] < 0x80 ? to_lower(static_cast<char>(text_[i])) : '?';
      const bool host_follows = at + 1 < text_.size() && !ends_host(text_[at + 1]);
      if (host_follows && !is_one_of(kAddressSchemes, scheme)) hide(colon + 1, at);
    }
  }

  void mask_assignments() {
    for (std::size_t i = 0; i < text_.size();) {
      if (!is_name_character(text_[i])) {
        ++i;
        continue;
      }
      std::size_t end = find_end(i, [](char32_t c) { return !is_name_character(c); });
      if (end - i <= kLongestName) {
        std::string name;
        for (std::size_t k = i; k < end; ++k) name += static_cast<char>(text_[k]);
        end = mask_after(name, end);
      }
      i = end;
    }
  }

  // Where to go on.
  std::size_t mask_after(const std::string& name, std::size_t from) {
    if (name == "Bearer" || name == "bearer") return mask_bearer(from);
    if (!is_secret_name(name)) return from;
    std::size_t at = from;
    const bool quoted_name = at < text_.size() && is_quote(text_[at]);
    if (quoted_name) ++at;
    while (at < text_.size() && is_space(text_[at])) ++at;
    if (at >= text_.size() || (text_[at] != '=' && text_[at] != ':')) return from;
    const bool is_colon = text_[at] == ':';
    if (is_colon && at + 2 < text_.size() && text_[at + 1] == '/' && text_[at + 2] == '/') return from;  // a scheme
    std::string lower = name;
    std::ranges::transform(lower, lower.begin(), to_lower);
    if (is_colon && !quoted_name && is_one_of(kProse, lower)) return from;
    ++at;
    while (at < text_.size() && is_space(text_[at])) ++at;
    if (at < text_.size() && (text_[at] == 'b' || text_[at] == 'u') && at + 1 < text_.size() && is_quote(text_[at + 1])) ++at;
    return hide_value(lower, at);
  }

  std::size_t hide_value(std::string_view name, std::size_t from) {
    if (from >= text_.size()) return from;
    if (is_quote(text_[from])) {
      const char32_t quote = text_[from];
      std::size_t end = from + 1;
      while (end < text_.size() && text_[end] != quote) end += text_[end] == '\\' ? 2 : 1;
      hide(from + 1, end);
      return std::min(end, text_.size());
    }
    const bool is_header = std::ranges::any_of(kHeaders, [&](std::string_view header) { return name.find(header) != std::string_view::npos; });
    const std::size_t end = is_header ? find_end(from, ends_line) : find_end(from, [](char32_t c) {
      return c <= ' ' || c == ',' || c == ';' || c == '&' || c == ')' || c == '}' || c == ']' || is_quote(c);
    });
    hide(from, end);
    return end;
  }

  // "Bearer eyJhb..."; words as in "bearer token" are shorter.
  std::size_t mask_bearer(std::size_t from) {
    constexpr std::size_t kShortest = 12;
    if (from >= text_.size() || text_[from] != ' ') return from;
    const std::size_t end = find_end(from + 1, [](char32_t c) { return c <= ' ' || c == ',' || c == ';' || is_quote(c); });
    if (end - from > kShortest || (is_cut_ && end == text_.size())) hide(from + 1, end);
    return end;
  }

  [[nodiscard]] std::u32string replace() const {
    std::u32string out;
    for (std::size_t i = 0; i < text_.size(); ++i) {
      if (!hidden_[i]) {
        out += text_[i];
      } else if (i == 0 || !hidden_[i - 1]) {
        out.append(kMasked.begin(), kMasked.end());
      }
    }
    return out;
  }

  std::u32string_view text_;
  bool is_cut_;
  std::vector<bool> hidden_;
};

}  // namespace

bool is_secret_name(std::string_view name) {
  if (name.empty()) return false;
  name = name.substr(0, kLongestName);
  const std::vector<std::string> words = split_words(name);
  if (words.empty() || is_one_of(kHarmlessEnds, words.back()) || counts_tokens(words)) return false;
  if (words.back() == "pass") return true;
  std::string compact;
  for (const std::string& word : words) {
    if (is_one_of(kWords, word) || word.ends_with("token")) return true;
    compact += word;
  }
  return std::ranges::any_of(kParts, [&](std::string_view part) { return compact.find(part) != std::string::npos; });
}

std::u32string mask_secrets(std::u32string_view text, bool is_cut) { return TextMask(text, is_cut).run(); }

}  // namespace asyncspy
