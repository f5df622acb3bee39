// Timers that give up a wait: asyncio.timeout, wait_for, anyio's and async_timeout's cancel scopes, aiohttp's.
#pragma once

#include <unordered_map>

#include "callables.h"
#include "handles.h"
#include "read_loop.h"

namespace asyncspy {

// Enters the timer's task, or the future that a task awaits, into `timeouts`, when what it calls gives up a wait. The earliest
// one stays.
void index_timeout(Inspection& inspection, const Handle& timer, const Callable& callable,
                   std::unordered_map<Address, Timeout>& timeouts);

}  // namespace asyncspy
