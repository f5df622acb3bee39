#include "http_server.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <charconv>
#include <cstring>

#include "json_writer.h"
#include "system_files.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostClients = 64;
constexpr std::size_t kMostSnapshots = 4;     // that are waited for
constexpr int kMostHeaderBytes = 16 * 1024;
constexpr int kMostBodyBytes = 1024;
constexpr int kIdleSeconds = 10;              // without a byte
constexpr double kLongestConnection = 60;     // seconds
constexpr std::string_view kJson = "application/json";
constexpr std::string_view kPlain = "text/plain; charset=utf-8";
constexpr std::string_view kPrometheus = "text/plain; version=0.0.4; charset=utf-8";

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// The descriptors of all sockets of this process, by their links ("socket:[4711]").
std::map<std::string, int> list_sockets() {
  std::map<std::string, int> sockets;
  const std::unique_ptr<DIR, CloseDirectory> directory(::opendir("/proc/self/fd"));
  if (!directory) return sockets;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string link = read_system_link(fmt::format("/proc/self/fd/{}", entry->d_name));
    if (link.starts_with("socket:")) sockets.emplace(link, std::atoi(entry->d_name));
  }
  return sockets;
}

// libevent sends a body after HEAD, too.
bool wants_body(evhttp_request* request, std::uint64_t size) {
  if (::evhttp_request_get_command(request) != EVHTTP_REQ_HEAD) return true;
  ::evhttp_add_header(::evhttp_request_get_output_headers(request), "Content-Length", std::to_string(size).c_str());
  return false;
}

void reply(evhttp_request* request, int code, std::string_view type, std::string_view text) {
  evkeyvalq* headers = ::evhttp_request_get_output_headers(request);
  ::evhttp_add_header(headers, "Content-Type", std::string(type).c_str());
  ::evhttp_add_header(headers, "Connection", "close");
  ::evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
  ::evhttp_add_header(headers, "Cache-Control", "no-store");
  evbuffer* body = ::evbuffer_new();
  if (wants_body(request, text.size())) ::evbuffer_add(body, text.data(), text.size());
  ::evhttp_send_reply(request, code, nullptr, body);
  ::evbuffer_free(body);
}

void reply_error(evhttp_request* request, int code, std::string_view text) { reply(request, code, kPlain, fmt::format("{}\n", text)); }

std::string list_as_json(const std::vector<IncidentFile>& files) {
  StringSink sink;
  JsonWriter json(sink);
  json.begin_array();
  for (const IncidentFile& file : files) {
    json.break_line();
    json.begin_object();
    json.field("name", file.name);
    json.field("bytes", file.bytes);
    json.field("time", format_instant(file.modified_ns));
    json.end_object();
  }
  json.end_array();
  json.flush();
  return sink.take() + "\n";
}

std::uint16_t read_port(int descriptor) {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length) != 0) return 0;
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6*>(&address)->sin6_port);
  return ntohs(reinterpret_cast<sockaddr_in*>(&address)->sin_port);
}

std::optional<int> find_pid(const std::string& query) {
  evkeyvalq parameters{};
  if (::evhttp_parse_query_str(query.c_str(), &parameters) != 0) return std::nullopt;
  const char* value = ::evhttp_find_header(&parameters, "pid");
  const std::string text = value == nullptr ? "" : value;
  ::evhttp_clear_headers(&parameters);
  int pid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (error != std::errc() || end != text.data() + text.size() || pid <= 0) return std::nullopt;
  return pid;
}

}  // namespace

void HttpServer::FreeHttp::operator()(evhttp* http) const { ::evhttp_free(http); }

Result<std::unique_ptr<HttpServer>> HttpServer::listen(event_base* base, const HttpAddress& address, HttpServices services) {
  std::unique_ptr<HttpServer> server(new HttpServer(std::move(services)));
  for (const auto& [link, descriptor] : list_sockets()) server->own_sockets_.insert(link);
  server->http_.reset(::evhttp_new(base));
  if (!server->http_) return fail(ErrorKind::kInternal, "HTTP: can not be set up");
  evhttp* http = server->http_.get();
  ::evhttp_set_max_headers_size(http, kMostHeaderBytes);
  ::evhttp_set_max_body_size(http, kMostBodyBytes);
  ::evhttp_set_timeout(http, kIdleSeconds);
  ::evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
  ::evhttp_set_gencb(http, [](evhttp_request* request, void* self) { static_cast<HttpServer*>(self)->handle(request); }, server.get());
  ::evhttp_set_bevcb(
      http,
      [](event_base* events, void* self) {
        static_cast<HttpServer*>(self)->note_connection();
        return ::bufferevent_socket_new(events, -1, 0);
      },
      server.get());
  server->socket_ = ::evhttp_bind_socket_with_handle(http, address.host.c_str(), address.port);
  if (server->socket_ == nullptr) {
    return fail(ErrorKind::kUsage, fmt::format("--listen {}:{}: {}", address.host, address.port, std::strerror(errno)), "choose another address or port");
  }
  const int descriptor = ::evhttp_bound_socket_get_fd(server->socket_);
  server->port_ = read_port(descriptor);
  server->own_sockets_.insert(read_system_link(fmt::format("/proc/self/fd/{}", descriptor)));
  return server;
}

HttpServer::~HttpServer() {
  for (const auto& [token, request] : waiting_) ::evhttp_connection_set_closecb(::evhttp_request_get_connection(request), nullptr, nullptr);
}

void HttpServer::handle(evhttp_request* request) {
  const evhttp_uri* uri = ::evhttp_request_get_evhttp_uri(request);
  const char* raw_path = uri == nullptr ? nullptr : ::evhttp_uri_get_path(uri);
  const char* raw_query = uri == nullptr ? nullptr : ::evhttp_uri_get_query(uri);
  const std::string path = raw_path == nullptr ? "" : raw_path;  // as sent: nothing of ours needs to be decoded
  constexpr std::string_view kIncidents = "/incidents/";
  if (path == "/metrics") return reply(request, HTTP_OK, kPrometheus, services_.metrics());
  if (path == "/healthz") return reply(request, HTTP_OK, kPlain, "ok\n");
  if (path == "/snapshot") return begin_snapshot(request, raw_query == nullptr ? "" : raw_query);
  if (path == "/incidents") return reply(request, HTTP_OK, kJson, list_as_json(services_.list_incidents()));
  if (path.starts_with(kIncidents)) return send_incident(request, std::string_view(path).substr(kIncidents.size()));
  reply_error(request, HTTP_NOTFOUND, "there are: /metrics /healthz /snapshot?pid=N /incidents");
}

void HttpServer::begin_snapshot(evhttp_request* request, const std::string& query) {
  const auto pid = find_pid(query);
  if (!pid) return reply_error(request, HTTP_BADREQUEST, "/snapshot?pid=N: the id of a process that is watched");
  if (waiting_.size() >= kMostSnapshots) return reply_error(request, HTTP_SERVUNAVAIL, "too many snapshots are waited for");
  const std::uint64_t token = next_token_++;
  if (!services_.request_snapshot(*pid, token)) return reply_error(request, HTTP_NOTFOUND, "this process is not watched, or there is too much to do");
  waiting_.emplace(token, request);
  ::evhttp_connection_set_closecb(
      ::evhttp_request_get_connection(request),
      [](evhttp_connection* connection, void* self) {
        auto& waiting = static_cast<HttpServer*>(self)->waiting_;
        std::erase_if(waiting, [connection](const auto& each) { return ::evhttp_request_get_connection(each.second) == connection; });
      },
      this);
}

void HttpServer::answer_snapshot(std::uint64_t token, const Result<std::string>& json) {
  const auto found = waiting_.find(token);
  if (found == waiting_.end()) return;
  evhttp_request* request = found->second;
  waiting_.erase(found);
  ::evhttp_connection_set_closecb(::evhttp_request_get_connection(request), nullptr, nullptr);
  if (json) return reply(request, HTTP_OK, kJson, *json);
  reply_error(request, HTTP_INTERNAL, json.error().what);
}

void HttpServer::send_incident(evhttp_request* request, std::string_view name) {
  auto file = services_.open_incident(name);
  struct stat facts {};
  if (!file || ::fstat(file->get(), &facts) != 0) return reply_error(request, HTTP_NOTFOUND, "there is no such file");
  evkeyvalq* headers = ::evhttp_request_get_output_headers(request);
  ::evhttp_add_header(headers, "Content-Type", std::string(kJson).c_str());
  ::evhttp_add_header(headers, "Connection", "close");
  evbuffer* body = ::evbuffer_new();
  if (!wants_body(request, static_cast<std::uint64_t>(facts.st_size))) {
    ::evhttp_send_reply(request, HTTP_OK, nullptr, body);
    ::evbuffer_free(body);
    return;
  }
  const int descriptor = ::dup(file->get());  // the buffer closes it
  if (descriptor < 0 || ::evbuffer_add_file(body, descriptor, 0, facts.st_size) != 0) {
    if (descriptor >= 0) ::close(descriptor);
    ::evbuffer_free(body);
    return reply_error(request, HTTP_INTERNAL, "the file can not be sent");
  }
  ::evhttp_send_reply(request, HTTP_OK, nullptr, body);
  ::evbuffer_free(body);
}

// Whatever was open when the sockets were counted, and whatever came since, may still be there.
void HttpServer::note_connection() {
  ++accepted_;
  if (!is_listening_ || clients_.size() + accepted_ < kMostClients) return;
  ::evconnlistener_disable(::evhttp_bound_socket_get_listener(socket_));
  is_listening_ = false;
}

void HttpServer::enforce_limits(double now) {
  if (clients_.empty() && accepted_ == 0) return;
  const std::map<std::string, int> sockets = list_sockets();
  std::erase_if(clients_, [&](const auto& each) { return !sockets.contains(each.first); });
  for (const auto& [link, descriptor] : sockets) {
    if (own_sockets_.contains(link)) continue;
    const double since = clients_.try_emplace(link, now).first->second;
    if (now - since > kLongestConnection) ::shutdown(descriptor, SHUT_RDWR);  // evhttp sees its end and closes it
  }
  accepted_ = 0;
  if (!is_listening_ && clients_.size() < kMostClients) {
    ::evconnlistener_enable(::evhttp_bound_socket_get_listener(socket_));
    is_listening_ = true;
  }
}

}  // namespace asyncspy
