// The rules of the catalogue by name, each in a file of its own. Internal to src/diagnosis.
#pragma once

#include "rule.h"

namespace asyncspy {

extern const Rule kBlockingCall;
extern const Rule kProcessorUse;
extern const Rule kThreadLock;
extern const Rule kAwaitCycle;
extern const Rule kLateLoop;
extern const Rule kBareFuture;
extern const Rule kNeverReleased;
extern const Rule kPoolExhausted;
extern const Rule kExecutorFull;
extern const Rule kNoTimeout;
extern const Rule kSwallowedCancellation;
extern const Rule kWrongThread;
extern const Rule kNestedLoops;
extern const Rule kCrowd;
extern const Rule kStuckQueue;
extern const Rule kShutdown;
extern const Rule kLostChild;
extern const Rule kUnretrievedError;
extern const Rule kLostTask;
extern const Rule kNeverAwaited;
extern const Rule kHiddenFailure;
extern const Rule kShieldedTask;
extern const Rule kNotClosed;
extern const Rule kRequest;
extern const Rule kStuckGroup;
extern const Rule kForkedLock;

}  // namespace asyncspy
