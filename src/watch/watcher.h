// `asyncspy watch`: follows processes as they come and go, notices what goes wrong with their loops, and keeps what it saw.
//
// One thread looks at all processes, in turn and without stopping them; another takes the full snapshots and writes the files. One
// event loop (libevent) drives looks, signals and HTTP.
#pragma once

#include <functional>
#include <string_view>

#include "result.h"
#include "watch_settings.h"

namespace asyncspy {

// Returns after SIGTERM or SIGINT, or when the processes that were named have all ended. Fails when it can not begin: the directory can
// not be written, the address is taken, the pattern makes no sense. `write` gets each line of the log.
[[nodiscard]] Result<void> run_watch(const WatchSettings& settings, const std::function<void(std::string_view)>& write);

}  // namespace asyncspy
