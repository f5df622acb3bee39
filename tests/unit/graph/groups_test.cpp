#include "groups.h"

#include "catch.h"

namespace asyncspy {
namespace {

Task task_at(std::vector<std::pair<FunctionIndex, std::int32_t>> stack, Wait wait = Unknown{}, TaskState state = TaskState::kPending) {
  Task task;
  task.state = state;
  task.wait = std::move(wait);
  for (auto [function, line] : stack) {
    Frame frame;
    frame.function = function;
    frame.line = line;
    task.stack.push_back(frame);
  }
  return task;
}

std::vector<std::vector<std::uint32_t>> members(const std::vector<Task>& tasks) {
  std::vector<std::vector<std::uint32_t>> all;
  for (const TaskGroup& group : build_groups(tasks)) all.push_back(group.tasks);
  return all;
}

using Groups = std::vector<std::vector<std::uint32_t>>;

}  // namespace

TEST_CASE("no tasks make no groups") { CHECK(build_groups({}).empty()); }

TEST_CASE("tasks with equal stacks are one group, in the order found, largest group first") {
  CHECK(members({task_at({{1, 10}}), task_at({{2, 20}}), task_at({{1, 10}}), task_at({{2, 20}}), task_at({{2, 20}})}) ==
        Groups{{1, 3, 4}, {0, 2}});
}

TEST_CASE("a line, a depth, a function or a state makes the difference") {
  CHECK(members({task_at({{1, 10}}), task_at({{1, 11}}), task_at({{1, 10}, {1, 10}}), task_at({{2, 10}}), task_at({{1, 10}}, Unknown{}, TaskState::kCancelled)})
            .size() == 5);
}

TEST_CASE("running tasks come first, done ones last, however many they are") {
  Task running = task_at({{3, 1}});
  running.running = true;
  Task done = task_at({}, Done{}, TaskState::kFinished);
  CHECK(members({done, done, done, task_at({{1, 1}}), running}) == Groups{{4}, {3}, {0, 1, 2}});
}

TEST_CASE("waits differ by kind and operation, not by object or number") {
  CHECK(members({task_at({{1, 1}}, OnDescriptor{5}), task_at({{1, 1}}, OnDescriptor{6})}).size() == 1);
  CHECK(members({task_at({{1, 1}}, OnTask{Address{1}}), task_at({{1, 1}}, OnTask{Address{2}})}).size() == 1);
  auto primitive = [](std::string kind, std::string operation, Address object) {
    OnPrimitive wait;
    wait.kind = std::move(kind);
    wait.operation = std::move(operation);
    wait.object = object;
    return wait;
  };
  CHECK(members({task_at({{1, 1}}, primitive("Queue", "get", Address{1})), task_at({{1, 1}}, primitive("Queue", "get", Address{2}))}).size() == 1);
  CHECK(members({task_at({{1, 1}}, primitive("Queue", "get", Address{1})), task_at({{1, 1}}, primitive("Queue", "put", Address{1}))}).size() == 2);
  CHECK(members({task_at({{1, 1}}, primitive("Queue", "get", Address{1})), task_at({{1, 1}}, primitive("Lock", "get", Address{1}))}).size() == 2);
  CHECK(members({task_at({{1, 1}}, Ready{"a"}), task_at({{1, 1}}, Ready{"b"})}).size() == 2);
  CHECK(members({task_at({{1, 1}}, Unknown{"a"}), task_at({{1, 1}}, Ready{"a"})}).size() == 2);
}

TEST_CASE("opaque frames differ by their names") {
  Task one = task_at({{kNoFunction, 0}});
  Task other = one;
  one.stack[0].name = 1;
  other.stack[0].name = 2;
  CHECK(members({one, other}).size() == 2);
  CHECK(members({one, one}).size() == 1);
}

TEST_CASE("every task is in exactly one group") {
  std::vector<Task> tasks;
  for (std::uint32_t i = 0; i < 1000; ++i) tasks.push_back(task_at({{i % 7, static_cast<std::int32_t>(i % 11)}}, Unknown{}, i % 3 == 0 ? TaskState::kFinished : TaskState::kPending));
  std::vector<int> seen(tasks.size(), 0);
  for (const TaskGroup& group : build_groups(tasks)) {
    for (std::uint32_t index : group.tasks) ++seen.at(index);
  }
  CHECK(seen == std::vector<int>(tasks.size(), 1));
}

}  // namespace asyncspy
