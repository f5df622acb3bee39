// Numbers and states of a report as words, the same in every kind of output.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "report.h"
#include "result.h"

namespace asyncspy {

// "45 us", "1.2 ms", "27.3 s", "3 min 12 s", "3 h 12 min", "5 d 3 h". Negative values get a minus sign.
[[nodiscard]] std::string format_duration(double seconds);

// "512 B", "3.4 MiB".
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);

// "1 task", "3 tasks", "12,000 tasks".
[[nodiscard]] std::string format_count(std::uint64_t count, std::string_view singular);
[[nodiscard]] std::string format_count(std::uint64_t count, std::string_view singular, std::string_view plural);

[[nodiscard]] std::string format_address(Address address);

// Unix time in nanoseconds as "2026-11-20T09:20:00.123456Z".
[[nodiscard]] std::string format_instant(std::int64_t realtime_ns);

// The reverse; empty: it is not of this form.
[[nodiscard]] std::optional<std::int64_t> parse_instant(std::string_view text);

// The words of the JSON schema.
[[nodiscard]] std::string_view to_word(TaskState state);
[[nodiscard]] std::string_view to_word(LoopState state);
[[nodiscard]] std::string_view to_word(FrameKind kind);
[[nodiscard]] std::string_view to_word(VariableKind kind);
[[nodiscard]] std::string_view to_word(CaptureMode mode);
[[nodiscard]] std::string_view to_word(Severity severity);
[[nodiscard]] std::string_view to_word(Confidence confidence);
[[nodiscard]] std::string_view to_word(Descriptor::Kind kind);
[[nodiscard]] std::string_view to_word(ErrorKind kind);
[[nodiscard]] std::string_view to_word(JobState state);
[[nodiscard]] std::string_view to_word(LiveKind kind);
[[nodiscard]] std::string_view to_word(IncidentTrigger trigger);

// The state letter of proc(5) as a word: "asleep", "stopped", ...
[[nodiscard]] std::string_view describe_state(char state);

// A descriptor without its number: "tcp 127.0.0.1:4242 -> 127.0.0.1:5432 ESTABLISHED", "pipe:[123]"; empty when
// nothing is known. Not escaped.
[[nodiscard]] std::string describe_descriptor(const Descriptor& descriptor);

// The call with its descriptor spelled out: "recvfrom(fd 12: tcp 10.0.0.1:4242 -> 10.0.0.2:5432 ESTABLISHED)".
// Not escaped.
[[nodiscard]] std::string describe_system_call(const SystemCallReport& call);

}  // namespace asyncspy
