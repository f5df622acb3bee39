// What may be over in a moment is looked at once more before anybody is alarmed.
#pragma once

#include <functional>

#include "report.h"
#include "result.h"

namespace asyncspy {

// Looks again a moment after `report`, of a process that runs, when something in it may be over by then; else returns it as it is.
[[nodiscard]] Report confirm_by_second_look(Report report, const std::function<Result<Report>()>& look);

}  // namespace asyncspy
