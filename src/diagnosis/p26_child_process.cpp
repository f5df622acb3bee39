#include <fmt/format.h>

#include <algorithm>

#include "rules.h"
#include "words.h"

namespace asyncspy {
namespace {

// asyncio has seen the child's end, and waits for the end of what it reads from it.
Finding describe_open_pipe(const Case& seen, const Task& task, const OnProcess& wait) {
  Finding finding;
  finding.confidence = Confidence::kObserved;
  finding.tasks = {task.id};
  finding.culprit = seen.culprit_of(task);
  finding.sentence = fmt::format("{} waits in {}() for child process {} at {}, although that has ended with {}: another process keeps its pipe open", seen.name_of(task),
                                 wait.operation, wait.pid, seen.place_of(task), *wait.exit_status);
  finding.evidence.push_back(fmt::format("asyncio knows the exit status of child {} (its transport), and its loop is idle", wait.pid));
  finding.fix = "a grandchild has inherited the pipe: redirect its output (stdout=DEVNULL), end the whole group (start_new_session=True, os.killpg), or bound the wait "
                "with asyncio.timeout()";
  return finding;
}

void find_lost_children(const Case& seen, std::vector<Finding>& found) {
  const auto& children = seen.report().children;
  for (const Task& task : seen.report().tasks) {
    const auto* wait = std::get_if<OnProcess>(&task.wait);
    const Loop* loop = seen.find_loop(task.loop);
    if (wait == nullptr || loop == nullptr || loop->state != LoopState::kIdle) continue;  // else it may be about to see to it
    const auto child = std::ranges::find_if(children, [&](const ChildProcess& each) { return each.namespace_pid == wait->pid || each.pid == wait->pid; });
    if (wait->exit_status) {
      found.push_back(describe_open_pipe(seen, task, *wait));
      continue;
    }
    const bool is_gone = child == children.end() && !children.empty();  // none at all: they could not be listed, perhaps
    const bool is_zombie = child != children.end() && child->state == 'Z';
    if (!is_gone && !is_zombie) continue;
    Finding finding;
    finding.confidence = Confidence::kObserved;
    finding.tasks = {task.id};
    finding.culprit = seen.culprit_of(task);
    finding.sentence = fmt::format("{} waits for the end of child process {} at {}, which {}", seen.name_of(task), wait->pid, seen.place_of(task),
                                   is_zombie ? "has ended, but nobody has fetched its exit status" : "is no child of this process any more: somebody else has fetched its exit status");
    finding.evidence.push_back(fmt::format("child {} {} (children of the process in /proc)", wait->pid, is_zombie ? "is a zombie" : "is not among the children"));
    finding.fix = "do not call os.wait() or set SIGCHLD to SIG_IGN beside asyncio; before 3.12 the child watcher must be attached to a running loop of the main thread";
    found.push_back(std::move(finding));
  }
}

}  // namespace

constexpr Rule kLostChild = {
    .id = "P26",
    .title = "Child process: its end is not noticed",
    .meaning = "A task waits for a child process that has ended, and will not be told: nobody reaps the child, or somebody else already did.",
    .looks_at = "The pid for which the task waits, the exit status that asyncio has, and the state of the children in /proc, while the loop is idle. Observed.",
    .example = "signal.signal(signal.SIGCHLD, signal.SIG_IGN)     # the kernel reaps, asyncio waits for ever",
    .remedy = "Leave SIGCHLD and os.wait() alone; use communicate() so that full pipes do not stop the child.",
    .find = find_lost_children,
    .passing = Passing::kAll,
};

}  // namespace asyncspy
