#include "remedies.h"

#include <fmt/format.h>

#include <string_view>

#include "own_code.h"

namespace asyncspy {
namespace {

struct Remedy {
  std::string_view part_of_file;  // of any frame below the program's own
  std::string_view advice;
};

// The outermost library frame that is listed decides: requests before the urllib3 and socket below it.
constexpr Remedy kRemedies[] = {
    {"/requests/", "use an asynchronous HTTP client (aiohttp.ClientSession, httpx.AsyncClient)"},
    {"/urllib3/", "use an asynchronous HTTP client (aiohttp.ClientSession, httpx.AsyncClient)"},
    {"/httpx/", "use httpx.AsyncClient in place of httpx.Client"},
    {"/urllib/request.py", "use an asynchronous HTTP client (aiohttp.ClientSession, httpx.AsyncClient)"},
    {"/http/client.py", "use an asynchronous HTTP client (aiohttp.ClientSession, httpx.AsyncClient)"},
    {"/psycopg2/", "use asyncpg or psycopg.AsyncConnection"},
    {"/psycopg/", "use psycopg.AsyncConnection"},
    {"/pymysql/", "use aiomysql or asyncmy"},
    {"/MySQLdb/", "use aiomysql or asyncmy"},
    {"/mysql/connector/", "use mysql.connector.aio, aiomysql or asyncmy"},
    {"/sqlite3/", "use aiosqlite"},
    {"/redis/", "use redis.asyncio"},
    {"/pymongo/", "use pymongo.AsyncMongoClient"},
    {"/sqlalchemy/", "use sqlalchemy.ext.asyncio with an asynchronous driver"},
    {"/botocore/", "use aiobotocore or aioboto3"},
    {"/pika/", "use aio-pika"},
    {"/kafka/", "use aiokafka"},
    {"/paramiko/", "use asyncssh"},
    {"/smtplib.py", "use aiosmtplib"},
    {"/subprocess.py", "use asyncio.create_subprocess_exec() and await process.communicate()"},
    {"/logging/", "log through logging.handlers.QueueHandler and a QueueListener in a thread of its own"},
};

// to_thread takes an ordinary function: the program's own if it is one, else what the coroutine calls.
std::string in_thread(const Report& report, const BlockedStep& step) {
  std::string function;
  if (step.own && step.stack[*step.own].kind == FrameKind::kFunction) {
    function = name_of_frame(report, step.stack[*step.own]);
  } else {
    function = name_call(report, step);
  }
  return function.empty() ? "await asyncio.to_thread(...) for this call" : fmt::format("await asyncio.to_thread({}, ...)", function);
}

}  // namespace

std::string find_remedy(const Report& report, const BlockedStep& step) {
  for (std::size_t i = step.own ? *step.own + 1 : 0; i < step.stack.size(); ++i) {
    if (step.stack[i].function >= report.functions.size()) continue;
    const std::string& file = report.functions[step.stack[i].function].file;
    if (file.ends_with("/socket.py") && name_of_frame(report, step.stack[i]) == "getaddrinfo") {
      return "use await loop.getaddrinfo(), or asyncio.open_connection()";
    }
    for (const Remedy& remedy : kRemedies) {
      if (file.contains(remedy.part_of_file)) return fmt::format("{}, or {}", remedy.advice, in_thread(report, step));
    }
  }
  const std::string call = name_call(report, step);
  if (call == "time.sleep") return "use await asyncio.sleep() in place of time.sleep()";
  return in_thread(report, step) + ": a coroutine must not wait for anything that it does not await";
}

}  // namespace asyncspy
