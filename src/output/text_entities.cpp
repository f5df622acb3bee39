// What tasks wait for, other than tasks, in words: locks with their holders, queues with their sizes, sockets with their peers,
// jobs with their threads, child processes.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "text_sections.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostHolders = 3;
constexpr std::size_t kMostPeers = 3;

void join(std::string& text, std::string_view part) {
  if (part.empty()) return;
  if (!text.empty()) text += ", ";
  text += part;
}

std::string value_of(const TextPage& page, const Fact& fact) {
  if (const auto* number = std::get_if<std::int64_t>(&fact.value)) return std::to_string(*number);
  if (const auto* number = std::get_if<double>(&fact.value)) return fmt::format("{:g}", *number);
  if (const auto* text = std::get_if<std::string>(&fact.value)) return page.safe(*text, TextPage::kNameColumns);
  return std::get<bool>(fact.value) ? "yes" : "no";
}

// "3 of 7 items", "full: 7 of 7 items", "empty".
std::string describe_fill(const Primitive& queue) {
  const auto size = queue.number("size");
  if (!size) return "";
  const std::int64_t maximum = queue.number("maxsize").value_or(0);
  if (maximum > 0 && *size >= maximum) return fmt::format("full: {} of {}", *size, maximum);
  if (*size == 0) return "empty";
  return maximum > 0 ? fmt::format("{} of {} items", *size, maximum) : format_count(static_cast<std::uint64_t>(*size), "item");
}

std::string describe_state_of(const TextPage& page, const Primitive& primitive) {
  std::string text;
  if (const auto locked = primitive.flag("locked")) join(text, *locked ? "locked" : "free");
  if (const auto set = primitive.flag("set")) join(text, *set ? "set" : "not set");
  if (const auto value = primitive.number("value")) join(text, fmt::format("value {}", *value));
  join(text, describe_fill(primitive));
  if (const auto left = primitive.number("unfinished_tasks"); left && *left > 0) join(text, fmt::format("{} unfinished", *left));
  if (primitive.flag("shut_down").value_or(false)) join(text, "shut down");
  if (primitive.flag("eof").value_or(false)) join(text, "at its end");
  for (const char* name : {"parties", "count", "total_tokens", "borrowed_tokens", "connections"}) {
    const auto fact = std::ranges::find(primitive.facts, name, &Fact::name);
    if (fact == primitive.facts.end()) continue;
    std::string words = name;
    std::ranges::replace(words, '_', ' ');
    join(text, value_of(page, *fact) + " " + words);
  }
  return text;
}

std::string describe_holders(const TextPage& page, const Primitive& primitive) {
  if (primitive.holders.empty()) return "";
  const std::size_t shown = page.cut(primitive.holders.size(), kMostHolders);
  const bool certain = std::ranges::all_of(primitive.holders, &Holder::certain);
  std::string text = certain ? "held by " : "perhaps held by ";
  for (std::size_t i = 0; i < shown; ++i) {
    const Holder& holder = primitive.holders[i];
    text += fmt::format("{}{} ({})", i == 0 ? "" : ", ", page.name_of_task(holder.task), page.safe(holder.how, TextPage::kNameColumns));
  }
  if (shown < primitive.holders.size()) text += fmt::format(" and {} more", primitive.holders.size() - shown);
  return text;
}

}  // namespace

std::string describe_descriptor_of(const TextPage& page, int number) {
  if (number < 0) return "";
  const Descriptor* descriptor = page.find_descriptor(number);
  const std::string described = descriptor == nullptr ? "" : describe_descriptor(*descriptor);
  return described.empty() ? fmt::format("fd {}", number) : fmt::format("fd {}: {}", number, page.safe(described));
}

std::string describe_peers(const TextPage& page, const std::vector<int>& numbers) {
  std::map<std::string, std::size_t> peers;
  for (int number : numbers) {
    const Descriptor* descriptor = page.find_descriptor(number);
    if (descriptor != nullptr && !descriptor->peer.empty()) ++peers[descriptor->peer];
  }
  std::vector<std::pair<std::string, std::size_t>> sorted(peers.begin(), peers.end());
  std::ranges::stable_sort(sorted, std::greater<>{}, &std::pair<std::string, std::size_t>::second);
  std::string text;
  for (std::size_t i = 0; i < sorted.size() && i < kMostPeers; ++i) join(text, fmt::format("{} to {}", sorted[i].second, page.safe(sorted[i].first)));
  if (sorted.size() > kMostPeers) text += " ...";
  return text;
}

std::string describe_primitive(const TextPage& page, const Primitive& primitive) {
  std::string text = describe_state_of(page, primitive);
  if (primitive.descriptor >= 0) {
    join(text, describe_descriptor_of(page, primitive.descriptor));
    if (primitive.flag("tls").value_or(false)) text += " (TLS)";
  }
  join(text, describe_holders(page, primitive));
  if (const std::size_t waiting = primitive.waiters.size() + primitive.strange_waiters; waiting > 1) {
    join(text, format_count(waiting, "waiter"));
  }
  return text;
}

std::string describe_job(const TextPage& page, const Job& job) {
  std::string text = "job " + (job.function.empty() ? format_address(job.id) : page.safe(job.function, TextPage::kNameColumns));
  if (!job.executor_type.empty()) text += " in " + page.safe(job.executor_type, TextPage::kNameColumns);
  if (const Thread* thread = page.find_thread(job.thread)) {
    return text + fmt::format(", which {} executes: {}", page.name_of(*thread), describe_activity(page, *thread));
  }
  if (job.state == JobState::kQueued && job.ahead) text += fmt::format(", queued behind {}", format_count(*job.ahead, "other"));
  else text += fmt::format(", {}", to_word(job.state));
  if (job.busy && job.workers) text += fmt::format(", {} of {} busy", *job.busy, format_count(*job.workers, "worker"));
  return text;
}

std::string describe_child_of(const TextPage& page, int pid) {
  std::string text = fmt::format("child process {}", pid);
  const ChildProcess* child = page.find_child(pid);
  if (child == nullptr) return text;
  text += fmt::format(" ({}", describe_state(child->state));
  if (const std::string& command = child->command.empty() ? child->name : child->command; !command.empty()) {
    text += ": " + page.safe(command, TextPage::kNameColumns);
  }
  return text + ")";
}

}  // namespace asyncspy
