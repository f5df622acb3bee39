#include "surroundings.h"

#include <algorithm>

namespace asyncspy {
namespace {

std::vector<int> mentioned_descriptors(const Report& report) {
  std::vector<int> numbers;
  auto mention = [&numbers](int number) {
    if (number >= 0) numbers.push_back(number);
  };
  for (const Thread& thread : report.threads) {
    if (thread.system_call && thread.system_call->descriptor) mention(thread.system_call->descriptor->number);
  }
  for (const Task& task : report.tasks) {
    if (const auto* wait = std::get_if<OnDescriptor>(&task.wait)) mention(wait->descriptor);
    if (const auto* wait = std::get_if<OnFuture>(&task.wait)) mention(wait->descriptor);
  }
  for (const Primitive& primitive : report.primitives) mention(primitive.descriptor);
  std::ranges::sort(numbers);
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  return numbers;
}

bool mentions_children(const Report& report) {
  auto waits_for_child = [](const Task& task) { return std::holds_alternative<OnProcess>(task.wait); };
  auto calls_wait = [](const Thread& thread) { return thread.system_call && thread.system_call->name.starts_with("wait"); };
  return std::ranges::any_of(report.tasks, waits_for_child) || std::ranges::any_of(report.threads, calls_wait);
}

}  // namespace

void read_surroundings(Target& target, Snapshot& snapshot, const Report& report) {
  std::vector<int> numbers = mentioned_descriptors(report);
  std::erase_if(numbers, [&](int number) { return snapshot.descriptors.contains(number); });
  if (!numbers.empty()) {
    for (Descriptor& descriptor : target.read_descriptors(numbers)) snapshot.descriptors[descriptor.number] = std::move(descriptor);
  }
  if (snapshot.children.empty() && mentions_children(report)) snapshot.children = target.read_children();
}

void place_surroundings(const Snapshot& snapshot, Report& report) {
  for (Thread& thread : report.threads) {
    if (!thread.system_call || !thread.system_call->descriptor) continue;
    auto known = snapshot.descriptors.find(thread.system_call->descriptor->number);
    if (known != snapshot.descriptors.end()) thread.system_call->descriptor = known->second;
  }
  report.descriptors.clear();
  for (int number : mentioned_descriptors(report)) {
    auto known = snapshot.descriptors.find(number);
    if (known != snapshot.descriptors.end()) report.descriptors.push_back(known->second);
  }
  report.children.clear();
  if (mentions_children(report)) report.children = snapshot.children;
}

}  // namespace asyncspy
