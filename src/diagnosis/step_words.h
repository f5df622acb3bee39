// What the findings about a blocked step have in common.
#pragma once

#include <string>

#include "case.h"
#include "finding.h"

namespace asyncspy {

// With tasks, thread, culprit, duration and the evidence of the stack and of the lateness; no sentence and no fix yet.
[[nodiscard]] Finding start_finding(const Case& seen, const BlockedStep& step);

// "The event loop is blocked: checkout (/srv/shop.py:50) " or, when several loops run, "Event loop 2 is blocked: ...".
[[nodiscard]] std::string open_sentence(const Case& seen, const BlockedStep& step);

// ", for at least 3.2 s; 12 tasks and 40 ready callbacks wait behind it", as far as known.
[[nodiscard]] std::string close_sentence(const Case& seen, const BlockedStep& step);

}  // namespace asyncspy
