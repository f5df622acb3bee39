#include "words.h"

#include <cmath>
#include <limits>

#include "catch.h"

namespace asyncspy {

TEST_CASE("durations are in the unit that a person would choose") {
  CHECK(format_duration(0) == "0 s");
  CHECK(format_duration(1e-9) == "<1 us");
  CHECK(format_duration(45e-6) == "45 us");
  CHECK(format_duration(1.2e-3) == "1.2 ms");
  CHECK(format_duration(0.25) == "250 ms");
  CHECK(format_duration(27.34) == "27.3 s");
  CHECK(format_duration(192) == "3 min 12 s");
  CHECK(format_duration(11520) == "3 h 12 min");
  CHECK(format_duration(5 * 86400 + 3 * 3600 + 5) == "5 d 3 h");
  CHECK(format_duration(-4.1) == "-4.1 s");
}

TEST_CASE("durations never round to sixty seconds or a thousand of a unit") {
  CHECK(format_duration(999.6e-6) == "1.0 ms");
  CHECK(format_duration(0.9996) == "1.0 s");
  CHECK(format_duration(59.96) == "1 min 0 s");
  CHECK(format_duration(3599.6) == "1 h 0 min");
}

TEST_CASE("durations that are no numbers are words") {
  CHECK(format_duration(std::numeric_limits<double>::infinity()) == "for ever");
  CHECK(format_duration(std::nan("")) == "an unknown time");
  CHECK(format_duration(1e300) == "over a thousand years");
}

TEST_CASE("counts agree with their noun and group their digits") {
  CHECK(format_count(1, "task") == "1 task");
  CHECK(format_count(0, "task") == "0 tasks");
  CHECK(format_count(1234567, "process", "processes") == "1,234,567 processes");
}

TEST_CASE("sizes are in binary units") {
  CHECK(format_bytes(512) == "512 B");
  CHECK(format_bytes(3'565'158) == "3.4 MiB");
  CHECK(format_bytes(1024 * 1024 - 1) == "1.0 MiB");
}

TEST_CASE("an instant is RFC 3339 in UTC") {
  CHECK(format_instant(1'795'166'400'123'456'789) == "2026-11-20T09:20:00.123456Z");
  CHECK(format_instant(0) == "1970-01-01T00:00:00.000000Z");
  CHECK(format_instant(-1) == "1969-12-31T23:59:59.999999Z");
}

TEST_CASE("a system call names its descriptor in words") {
  Descriptor pipe;
  pipe.number = 7;
  pipe.kind = Descriptor::Kind::kPipe;
  pipe.path = "pipe:[123]";
  CHECK(describe_system_call({"read", "read(fd 7)", pipe, {}, {}}) == "read(fd 7: pipe:[123])");
  // fd 7 is not the beginning of fd 71, and what is said already is not said twice.
  CHECK(describe_system_call({"read", "read(fd 71)", pipe, {}, {}}) == "read(fd 71)");
  CHECK(describe_system_call({"read", "read(fd 7: pipe)", pipe, {}, {}}) == "read(fd 7: pipe)");
  CHECK(describe_system_call({"read", "", pipe, {}, {}}) == "read(), fd 7: pipe:[123]");
}

TEST_CASE("a socket is described by protocol, both ends, state and queues") {
  Descriptor socket;
  socket.kind = Descriptor::Kind::kSocket;
  socket.path = "socket:[987]";
  CHECK(describe_descriptor(socket) == "socket:[987]");
  socket.protocol = "tcp";
  socket.local = "127.0.0.1:4242";
  socket.peer = "127.0.0.1:5432";
  socket.tcp_state = "ESTABLISHED";
  CHECK(describe_descriptor(socket) == "tcp 127.0.0.1:4242 -> 127.0.0.1:5432 ESTABLISHED");
  socket.receive_queue = 2048;
  CHECK(describe_descriptor(socket) == "tcp 127.0.0.1:4242 -> 127.0.0.1:5432 ESTABLISHED, 2.0 KiB unread");
}

}  // namespace asyncspy
