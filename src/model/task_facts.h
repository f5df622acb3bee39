// What is known of a task beyond its stack and its wait, and of few tasks: where it was made, what it ended with, which
// exceptions it is handling, the context variables that were asked for. A task refers to it by index into Report::facts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace asyncspy {

// A line of the program, by indices into Report::names.
struct SourcePlace {
  std::uint32_t function = 0;
  std::uint32_t file = 0;
  std::int32_t line = 0;  // 0: not known

  bool operator==(const SourcePlace&) const = default;
};

struct ContextValue {
  std::string name;
  std::string value;  // as of variables

  bool operator==(const ContextValue&) const = default;
};

// An exception that a suspended frame of the task has caught and not left behind: it awaits within `except`, within `finally`
// or within the exit of a `with` that an exception ends.
struct HandledException {
  std::uint32_t frame = 0;  // index into Task::stack
  std::string text;         // "asyncio.exceptions.CancelledError", "ValueError: boom"
  bool is_cancellation = false;

  bool operator==(const HandledException&) const = default;
};

// How a finished task ended. Of a cancelled one its state says all.
struct Outcome {
  bool is_exception = false;
  std::string text;              // the result, or the exception as tracebacks end
  bool never_retrieved = false;  // an exception that nobody has asked for
  bool held = false;             // never_retrieved, and a local variable of a suspended frame has the task, itself or in a container
  std::vector<SourcePlace> raised_at{};  // the functions that the exception came through, where it was raised last

  bool operator==(const Outcome&) const = default;
};

// It was awaited through something that is over, and goes on: a sibling of what failed in a gather(), the inside of a shield().
struct Abandonment {
  std::string construct;  // "gather", "shield"
  bool was_cancelled = false;
  std::string error;      // what the construct ended with, unless it was cancelled: "ValueError: boom", or empty

  bool operator==(const Abandonment&) const = default;
};

struct TaskFacts {
  std::vector<SourcePlace> created_at;        // debug mode: who called create_task, outermost first
  std::vector<SourcePlace> coroutine_origin;  // where origins are tracked: who called the coroutine function, outermost first
  std::vector<ContextValue> context;          // those that were asked for and are set
  std::vector<HandledException> handling;     // outermost first
  std::optional<Outcome> outcome;
  std::optional<Abandonment> abandoned{};
  // Pending, and nothing but itself refers to it or to what it awaits: the garbage collector is going to destroy it.
  bool unreachable = false;

  [[nodiscard]] bool is_empty() const {
    return created_at.empty() && coroutine_origin.empty() && context.empty() && handling.empty() && !outcome && !abandoned && !unreachable;
  }
};

}  // namespace asyncspy
