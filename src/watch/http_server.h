// The HTTP endpoint of `asyncspy watch`: metrics, health, snapshots on demand, and the incident files. libevent's evhttp does the
// protocol; this sets its bounds: few clients at a time, small requests, one request a connection, and none that lasts for long.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "incident_store.h"
#include "result.h"
#include "watch_settings.h"

struct event_base;
struct evhttp;
struct evhttp_bound_socket;
struct evhttp_request;

namespace asyncspy {

struct HttpServices {
  std::function<std::string()> metrics;
  std::function<std::vector<IncidentFile>()> list_incidents;
  std::function<Result<FileDescriptor>(std::string_view name)> open_incident;
  // False: there is no such process. The answer comes with answer_snapshot(token).
  std::function<bool(int pid, std::uint64_t token)> request_snapshot;
};

class HttpServer {
 public:
  // `base` must outlive this.
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> listen(event_base* base, const HttpAddress& address, HttpServices services);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  [[nodiscard]] std::uint16_t port() const { return port_; }

  // Does nothing when the client has gone meanwhile.
  void answer_snapshot(std::uint64_t token, const Result<std::string>& json);

  // To be called about once a second: ends connections that last too long, and listens again once there is room.
  void enforce_limits(double now);

 private:
  explicit HttpServer(HttpServices services) : services_(std::move(services)) {}

  void handle(evhttp_request* request);
  void begin_snapshot(evhttp_request* request, const std::string& query);
  void send_incident(evhttp_request* request, std::string_view name);
  void note_connection();
  void forget(evhttp_request* request);

  struct FreeHttp {
    void operator()(evhttp* http) const;
  };

  HttpServices services_;
  std::unique_ptr<evhttp, FreeHttp> http_;
  evhttp_bound_socket* socket_ = nullptr;
  std::uint16_t port_ = 0;
  std::map<std::uint64_t, evhttp_request*> waiting_;  // for snapshots, by token
  std::uint64_t next_token_ = 1;
  std::set<std::string> own_sockets_;                 // of the process itself, not of a client
  std::map<std::string, double> clients_;             // since when each socket is known
  std::size_t accepted_ = 0;                          // since the sockets were counted
  bool is_listening_ = true;
};

}  // namespace asyncspy
