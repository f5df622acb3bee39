#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "graph_walks.h"
#include "rules.h"
#include "words.h"

namespace asyncspy {
namespace {

int descriptor_of(const Case& seen, const Task& task) {
  if (const auto* wait = std::get_if<OnDescriptor>(&task.wait)) return wait->descriptor;
  if (const auto* wait = std::get_if<OnFuture>(&task.wait)) return wait->descriptor;
  const auto* wait = std::get_if<OnPrimitive>(&task.wait);
  const Primitive* primitive = wait == nullptr ? nullptr : seen.find_primitive(wait->object);
  return primitive == nullptr ? -1 : primitive->descriptor;
}

// Those for which a task with a timeout waits, too.
std::vector<bool> find_timed(const Case& seen) {
  std::vector<NodeIndex> roots;
  const auto& tasks = seen.report().tasks;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (tasks[i].deadline) roots.push_back(static_cast<NodeIndex>(i));
  }
  std::vector<bool> timed(tasks.size(), false);
  for (NodeIndex node : find_reachable(seen.graph(), roots, Direction::kAwaited)) {
    if (node < timed.size()) timed[node] = true;
  }
  return timed;
}

// Connections with the same local end were accepted by a server, which waits for its clients as long as they like.
std::set<std::string_view> find_served(const Case& seen) {
  std::set<std::string_view> once;
  std::set<std::string_view> served;
  for (const Descriptor& each : seen.report().descriptors) {
    if (!each.local.empty() && !each.peer.empty() && !once.insert(each.local).second) served.insert(each.local);
  }
  return served;
}

struct Peer {
  std::vector<const Task*> tasks;
  const Descriptor* first = nullptr;
};

void find_untimed_waits(const Case& seen, std::vector<Finding>& found) {
  const std::vector<bool> timed = find_timed(seen);
  const std::set<std::string_view> served = find_served(seen);
  std::map<std::string, Peer> peers;  // by place and peer
  const auto& tasks = seen.report().tasks;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (timed[i] || tasks[i].state != TaskState::kPending || seen.is_held_up(tasks[i])) continue;
    const int number = descriptor_of(seen, tasks[i]);
    const Descriptor* descriptor = number < 0 ? nullptr : seen.find_descriptor(number);
    if (descriptor == nullptr || descriptor->peer.empty() || !descriptor->protocol.starts_with("tcp") || served.contains(descriptor->local)) continue;
    Peer& peer = peers[seen.place_of(tasks[i]) + " " + descriptor->peer];
    if (peer.first == nullptr) peer.first = descriptor;
    peer.tasks.push_back(&tasks[i]);
  }
  for (const auto& [key, peer] : peers) {
    const Task& first = *peer.tasks.front();
    Finding finding;
    finding.severity = Severity::kInfo;
    finding.confidence = Confidence::kObserved;
    for (const Task* task : peer.tasks) finding.tasks.push_back(task->id);
    finding.culprit = seen.culprit_of(first);
    finding.sentence = fmt::format("{} for {} without a timeout, at {}", peer.tasks.size() == 1 ? seen.name_of(first) + " waits" : format_count(peer.tasks.size(), "task") + " wait",
                                   peer.first->peer, seen.place_of(first));
    finding.evidence.push_back(fmt::format("fd {}: {} (sockets of the process)", peer.first->number, describe_descriptor(*peer.first)));
    finding.evidence.push_back("no timer of the loop gives up this wait or that of a task that awaits it (timers of the loop)");
    finding.fix = "async with asyncio.timeout(seconds): around it (3.11 and later; asyncio.wait_for before), unless the peer may be quiet for ever";
    found.push_back(std::move(finding));
  }
}

}  // namespace

constexpr Rule kNoTimeout = {
    .id = "P12",
    .title = "Network wait without a timeout",
    .meaning = "A task waits for a peer, and nothing ends the wait when that never answers: connections can die without a word.",
    .looks_at = "What the task waits for leads to a TCP connection, and no timer of the loop belongs to the task or to one that awaits it. "
                "Observed, and only a note: subscribers wait like this all the time. Several connections "
                "with the same local end are a server's, and left out.",
    .example = "data = await reader.read(4096)",
    .remedy = "async with asyncio.timeout(10): ..., or the timeout of the client library; TCP keep-alive for quiet connections.",
    .find = find_untimed_waits,
};

}  // namespace asyncspy
