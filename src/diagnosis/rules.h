// The rules of the catalogue by name, each in a file of its own. Internal to src/diagnosis.
#pragma once

#include "rule.h"

namespace asyncspy {

extern const Rule kBlockingCall;
extern const Rule kProcessorUse;
extern const Rule kThreadLock;
extern const Rule kAwaitCycle;
extern const Rule kLateLoop;

}  // namespace asyncspy
