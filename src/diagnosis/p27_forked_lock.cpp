#include <fmt/format.h>

#include "rules.h"
#include "step_words.h"

namespace asyncspy {
namespace {

// Of a fork only the thread that called it is in the new process; locks that the others kept stay locked.
void find_forked_locks(const Case& seen, std::vector<Finding>& found) {
  const ProcessFacts& process = seen.report().process;
  if (process.forked_from == 0 || seen.report().threads.size() != 1 || seen.report().capture.mode == CaptureMode::kRunning) return;
  for (const BlockedStep& step : seen.blocked_steps()) {
    if (step.hold != Hold::kLock || step.thread->system_call->remaining_seconds) continue;
    Finding finding = start_finding(seen, step);
    finding.severity = Severity::kError;
    finding.confidence = Confidence::kProven;
    finding.sentence = fmt::format("{} waits for a lock that nobody can release: process {} is a fork of {}, and the thread that held the lock was left there",
                                   open_sentence(seen, step), process.pid, process.forked_from);
    finding.evidence.insert(finding.evidence.begin(), {
        fmt::format("{} sleeps in a lock without a timeout, and is the only thread of the process (registers; threads of the process)", seen.name_of(*step.thread)),
        fmt::format("the process was forked from {} and has executed no other program since: both have the same random bytes from the kernel (auxiliary vector)",
                    process.forked_from)});
    finding.fix = "do not fork a process with threads: multiprocessing.set_start_method(\"spawn\") or \"forkserver\"; or take locks anew with os.register_at_fork()";
    found.push_back(std::move(finding));
  }
}

}  // namespace

constexpr Rule kForkedLock = {
    .id = "P27",
    .title = "Forked child with a lock that was locked",
    .meaning = "A process with threads was forked. A lock that another thread held at that moment is locked in the child for ever, as that thread does not exist "
               "there.",
    .looks_at = "The only thread of a process that was forked without exec sleeps in a lock without a timeout. Proven: no thread is there to release it. (A signal "
                "handler that does is not considered.) Children with several threads are not judged.",
    .example = "multiprocessing.Process(target=work).start()      # \"fork\", while another thread is logging",
    .remedy = "Start methods \"spawn\" or \"forkserver\"; fork before threads are started.",
    .find = find_forked_locks,
};

}  // namespace asyncspy
