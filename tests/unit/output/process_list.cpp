#include "process_list.h"

#include <nlohmann/json.hpp>

#include "catch.h"

namespace asyncspy {
namespace {

ProcessList make_list() {
  ProcessList list;
  ProcessSummary blocked;
  blocked.pid = 4242;
  blocked.name = "python3";
  blocked.command_line = {"python3", "-m", "shop.server"};
  blocked.python_version = "3.11.2";
  blocked.asyncio = true;
  blocked.loops = 2;
  blocked.blocked_loops = 1;
  blocked.tasks = 202;
  blocked.findings = 1;
  ProcessSummary script = blocked;
  script.pid = 5;
  script.command_line = {};
  script.asyncio = false;
  script.loops = script.blocked_loops = script.tasks = script.findings = 0;
  ProcessSummary refused;
  refused.pid = 77;
  refused.command_line = {"python3", "\x1b]0;evil\x07"};
  refused.error = Error{ErrorKind::kPermission, "process 77: no permission", "run as root", {}};
  list.processes = {script, refused, blocked};
  list.not_inspected = 12;
  return list;
}

}  // namespace

TEST_CASE("the process table shows what is blocked and what could not be read") {
  StringSink sink;
  CHECK(write_process_table(make_list(), Style(false), sink));
  CHECK(sink.take() ==
        "    PID  PYTHON     ASYNCIO  LOOPS             TASKS  FINDINGS  COMMAND\n"
        "      5  3.11.2     no       -                     -         0  [python3]\n"
        "     77  ?          ?        ?                     ?         ?  python3 \\x1b]0;evil\\x07\n"
        "         process 77: no permission\n"
        "   4242  3.11.2     yes      2 (1 BLOCKED)       202         1  python3 -m shop.server\n"
        "1 Python process and 12 other processes could not be read for lack of permission: run as root, or with "
        "CAP_SYS_PTRACE\n");
}

TEST_CASE("an empty process table says that it is empty") {
  StringSink sink;
  CHECK(write_process_table({}, Style(false), sink));
  CHECK(sink.take() == "no Python process that could be read\n");
}

TEST_CASE("the process list in JSON has numbers for what was read and null for what was not") {
  StringSink sink;
  CHECK(write_process_json(make_list(), "0.1.0", sink));
  const auto root = nlohmann::json::parse(sink.take());
  CHECK(root["not_inspected"] == 12);
  CHECK(root["processes"].size() == 3);
  CHECK(root["processes"][1]["error"]["kind"] == "permission");
  CHECK(root["processes"][1]["tasks"].is_null());
  CHECK(root["processes"][1]["command_line"][1] == "\x1b]0;evil\x07");
  CHECK(root["processes"][2]["error"].is_null());
  CHECK(root["processes"][2]["blocked_loops"] == 1);
  CHECK(root["processes"][2]["python"] == "3.11.2");
}

}  // namespace asyncspy
