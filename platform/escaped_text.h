// Makes text from a process safe to print: no control character reaches the terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace asyncspy {

// Control characters (C0, DEL, C1) and bytes that are not UTF-8 become \xNN, line breaks and tabs \n \r \t, the
// characters that turn the direction of writing \u202e and the like, and a backslash is doubled. At most about `most`
// bytes are taken over; "..." stands for the rest.
[[nodiscard]] std::string escape_text(std::string_view text, std::size_t most = 4096);

}  // namespace asyncspy
