// What must not leave the process in a report: values that a name or their own form marks as passwords, tokens, keys.
//
// A guess that errs on the side of hiding: a name is enough, whatever the value. Nothing here knows Python objects.
#pragma once

#include <string>
#include <string_view>

namespace asyncspy {

inline constexpr std::string_view kMasked = "<masked>";

// Whether a variable, key or attribute of this name usually holds a secret: "password", "apiKey", "X-Auth-Token",
// "db_dsn", "_Client__secret". Not so "author", "tokenizer", "token_count", "max_tokens".
[[nodiscard]] bool is_secret_name(std::string_view name);

// The text with secrets in it replaced by "<masked>": passwords in URLs and in user:password@host, values after secret names
// ("password=...", "Authorization: ...", "\"token\": \"...\""), bearer tokens. `is_cut`: the text went on, so that what may be
// a password whose end is not seen is masked, too.
[[nodiscard]] std::u32string mask_secrets(std::u32string_view text, bool is_cut = false);

}  // namespace asyncspy
