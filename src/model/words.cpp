#include "words.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <ctime>

namespace asyncspy {
namespace {

constexpr double kMinute = 60;
constexpr double kHour = 60 * kMinute;
constexpr double kDay = 24 * kHour;

std::string format_long(double seconds) {
  if (seconds >= 1000 * 365 * kDay) return "over a thousand years";
  const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
  const std::uint64_t minutes = whole / 60;
  const std::uint64_t hours = minutes / 60;
  if (hours == 0) return fmt::format("{} min {} s", minutes, whole % 60);
  if (hours < 24) return fmt::format("{} h {} min", hours, minutes % 60);
  return fmt::format("{} d {} h", hours / 24, hours % 24);
}

std::string group_digits(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return digits;
}

}  // namespace

std::string format_duration(double seconds) {
  if (std::isnan(seconds)) return "an unknown time";
  if (std::isinf(seconds)) return seconds > 0 ? "for ever" : "-for ever";
  if (seconds < 0) return "-" + format_duration(-seconds);
  if (seconds == 0) return "0 s";
  if (seconds < 0.5e-6) return "<1 us";
  // Each bound is where rounding would carry into the next unit: 999.6 us is "1.0 ms".
  if (seconds < 999.5e-6) return fmt::format("{:.0f} us", seconds * 1e6);
  if (seconds < 99.95e-3) return fmt::format("{:.1f} ms", seconds * 1e3);
  if (seconds < 999.5e-3) return fmt::format("{:.0f} ms", seconds * 1e3);
  if (seconds < 59.95) return fmt::format("{:.1f} s", seconds);
  return format_long(seconds);
}

std::string format_bytes(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 6> kUnits{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double amount = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (amount >= 1023.95 && unit + 1 < kUnits.size()) {
    amount /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", amount, kUnits[unit]);
}

std::string format_count(std::uint64_t count, std::string_view singular, std::string_view plural) {
  return fmt::format("{} {}", group_digits(count), count == 1 ? singular : plural);
}

std::string format_count(std::uint64_t count, std::string_view singular) {
  return format_count(count, singular, std::string(singular) + "s");
}

std::string format_address(Address address) { return fmt::format("{:#x}", address.value()); }

std::string format_instant(std::int64_t realtime_ns) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  std::int64_t seconds = realtime_ns / kSecond;
  std::int64_t rest = realtime_ns % kSecond;
  if (rest < 0) {
    rest += kSecond;
    --seconds;
  }
  const auto time = static_cast<std::time_t>(seconds);
  std::tm utc{};
  if (gmtime_r(&time, &utc) == nullptr) return "1970-01-01T00:00:00.000000Z";
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                     utc.tm_hour, utc.tm_min, utc.tm_sec, rest / 1000);
}

std::optional<std::int64_t> parse_instant(std::string_view text) {
  const std::size_t dash = text.find('-', 1);  // behind the year
  if (dash == std::string_view::npos || dash < 4 || dash > 9 || text.size() != dash + 23) return std::nullopt;
  constexpr std::string_view kForm = "-dd-ddTdd:dd:dd.ddddddZ";
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    const char c = text[dash + i];
    if (kForm[i] == 'd' ? c < '0' || c > '9' : c != kForm[i]) return std::nullopt;
  }
  const auto number = [&](std::size_t at, std::size_t length) {
    int value = -1;
    std::from_chars(text.data() + at, text.data() + at + length, value);
    return value;
  };
  const std::chrono::year_month_day date{std::chrono::year(number(0, dash)), std::chrono::month(static_cast<unsigned>(number(dash + 1, 2))),
                                         std::chrono::day(static_cast<unsigned>(number(dash + 4, 2)))};
  if (!date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t seconds = days * 86'400 + number(dash + 7, 2) * 3'600 + number(dash + 10, 2) * 60 + number(dash + 13, 2);
  constexpr std::int64_t kMostSeconds = 9'000'000'000;  // whose nanoseconds fit
  if (seconds > kMostSeconds || seconds < -kMostSeconds) return std::nullopt;
  return seconds * 1'000'000'000 + number(dash + 16, 6) * 1'000LL;
}

std::string_view to_word(TaskState state) {
  switch (state) {
    case TaskState::kPending: return "pending";
    case TaskState::kCancelled: return "cancelled";
    case TaskState::kFinished: return "finished";
    case TaskState::kUnknown: break;
  }
  return "unknown";
}

std::string_view to_word(LoopState state) {
  switch (state) {
    case LoopState::kNotRunning: return "not_running";
    case LoopState::kIdle: return "idle";
    case LoopState::kRunning: return "running";
    case LoopState::kBlocked: return "blocked";
    case LoopState::kUnknown: break;
  }
  return "unknown";
}

std::string_view to_word(FrameKind kind) {
  switch (kind) {
    case FrameKind::kFunction: return "function";
    case FrameKind::kCoroutine: return "coroutine";
    case FrameKind::kGenerator: return "generator";
    case FrameKind::kAsyncGenerator: return "async_generator";
    case FrameKind::kOpaque: break;
  }
  return "opaque";
}

std::string_view to_word(VariableKind kind) {
  switch (kind) {
    case VariableKind::kArgument: return "argument";
    case VariableKind::kLocal: return "local";
    case VariableKind::kClosure: return "closure";
  }
  return "local";
}

std::string_view to_word(CaptureMode mode) {
  switch (mode) {
    case CaptureMode::kStopped: return "stopped";
    case CaptureMode::kRunning: return "running";
    case CaptureMode::kCore: break;
  }
  return "core";
}

std::string_view to_word(JobState state) {
  switch (state) {
    case JobState::kUnknown: return "unknown";
    case JobState::kQueued: return "queued";
    case JobState::kRunning: return "running";
    case JobState::kDone: return "done";
  }
  return "unknown";
}

std::string_view to_word(LiveKind kind) {
  switch (kind) {
    case LiveKind::kCoroutine: return "coroutine";
    case LiveKind::kAsyncGenerator: return "async_generator";
    case LiveKind::kInstance: break;
  }
  return "instance";
}

std::string_view to_word(IncidentTrigger trigger) {
  switch (trigger) {
    case IncidentTrigger::kStall: return "stall";
    case IncidentTrigger::kLag: return "lag";
    case IncidentTrigger::kPending: return "pending";
    case IncidentTrigger::kGrowth: return "growth";
    case IncidentTrigger::kFinding: return "finding";
    case IncidentTrigger::kSignal: return "signal";
    case IncidentTrigger::kRequest: break;
  }
  return "request";
}

std::string_view to_word(Severity severity) {
  switch (severity) {
    case Severity::kInfo: return "info";
    case Severity::kWarning: return "warning";
    case Severity::kError: break;
  }
  return "error";
}

std::string_view to_word(Confidence confidence) {
  switch (confidence) {
    case Confidence::kProven: return "proven";
    case Confidence::kObserved: return "observed";
    case Confidence::kSuspected: break;
  }
  return "suspected";
}

std::string_view to_word(Descriptor::Kind kind) {
  switch (kind) {
    case Descriptor::Kind::kFile: return "file";
    case Descriptor::Kind::kPipe: return "pipe";
    case Descriptor::Kind::kSocket: return "socket";
    case Descriptor::Kind::kEvent: return "event";
    case Descriptor::Kind::kOther: return "other";
    case Descriptor::Kind::kUnknown: break;
  }
  return "unknown";
}

std::string_view to_word(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUsage: return "usage";
    case ErrorKind::kOutput: return "output";
    case ErrorKind::kNoProcess: return "no_process";
    case ErrorKind::kPermission: return "permission";
    case ErrorKind::kNotPython: return "not_python";
    case ErrorKind::kUnsupported: return "unsupported";
    case ErrorKind::kUnreadable: return "unreadable";
    case ErrorKind::kCorrupt: return "corrupt";
    case ErrorKind::kTimeout: return "timeout";
    case ErrorKind::kInternal: break;
  }
  return "internal";
}

std::string_view describe_state(char state) {
  switch (state) {
    case 'R': return "running";
    case 'S': return "asleep";
    case 'D': return "in uninterruptible sleep";
    case 'T': return "stopped by a signal";
    case 't': return "stopped by a debugger";
    case 'Z': return "a zombie";
    case 'X': return "dead";
    case 'I': return "idle";
    default: return "in an unknown state";
  }
}

std::string describe_descriptor(const Descriptor& descriptor) {
  if (descriptor.kind != Descriptor::Kind::kSocket || descriptor.protocol.empty()) return descriptor.path;
  std::string text = descriptor.protocol;
  if (!descriptor.local.empty()) text += " " + descriptor.local;
  if (!descriptor.peer.empty()) text += " -> " + descriptor.peer;
  if (!descriptor.tcp_state.empty()) text += " " + descriptor.tcp_state;
  if (descriptor.receive_queue > 0) text += fmt::format(", {} unread", format_bytes(descriptor.receive_queue));
  if (descriptor.send_queue > 0) text += fmt::format(", {} unsent", format_bytes(descriptor.send_queue));
  return text;
}

std::string describe_system_call(const SystemCallReport& call) {
  std::string text = call.text.empty() ? call.name + "()" : call.text;
  if (!call.descriptor) return text;
  const std::string described = describe_descriptor(*call.descriptor);
  if (described.empty()) return text;
  const std::string number = fmt::format("fd {}", call.descriptor->number);
  const std::size_t at = text.find(number);
  if (at == std::string::npos) return fmt::format("{}, {}: {}", text, number, described);
  const std::size_t end = at + number.size();
  // Not "fd 12" of "fd 123", and nothing where the text describes it already.
  if (end < text.size() && (text[end] == ':' || (text[end] >= '0' && text[end] <= '9'))) return text;
  text.insert(end, ": " + described);
  return text;
}

}  // namespace asyncspy
