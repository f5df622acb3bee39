// asyncspy explain: what a rule means, what it looks at, an example, and what to do.
#pragma once

#include <string>

#include "exit_code.h"

namespace asyncspy {

// `word`: the id of a rule in either case, or "list", or empty for the list.
ExitCode run_explain(const std::string& word);

}  // namespace asyncspy
