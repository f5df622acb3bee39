// How long each task has been at its place, as far as several looks at a process tell.
#pragma once

#include "report.h"

namespace asyncspy {

// Carries the times of the sample before on into the next one (Task::waiting_at_least, CaptureFacts::samples).
void carry_waiting_times(const Report& before, Report& after);

}  // namespace asyncspy
