#include "watcher.h"

#include <event2/event.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <map>
#include <memory>
#include <regex>
#include <set>

#include "control_groups.h"
#include "event_log.h"
#include "http_server.h"
#include "incident_gate.h"
#include "incident_store.h"
#include "json_parts.h"
#include "metrics.h"
#include "own_code.h"
#include "own_cost.h"
#include "process_finder.h"
#include "snapshot_worker.h"
#include "system_files.h"
#include "target_watch.h"
#include "text_sections.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr double kFindInterval = 1;           // seconds
constexpr double kFirstRetry = 1;             // seconds, after a process could not be read
constexpr double kSlowestRetry = 60;
constexpr double kLongestEnd = 0.8;           // seconds, for the work in hand
constexpr double kStoreInterval = 60;         // seconds: old files go though nothing happens
constexpr std::size_t kMostTargets = 1000;
constexpr int kMostSnapshots = 8;             // of one process, that are waited for

struct FreeBase {
  void operator()(event_base* base) const { ::event_base_free(base); }
};
struct FreeEvent {
  void operator()(event* one) const { ::event_free(one); }
};
using EventPointer = std::unique_ptr<event, FreeEvent>;

// What is known of one process, watched or not.
struct Followed {
  std::optional<TargetWatch> watch;
  std::shared_ptr<Survey> survey;
  TargetMetrics metrics;
  double retry_at = 0;
  double retry_interval = kFirstRetry;
  bool is_told = false;            // that it can not be read
  double survey_at = 0;
  int snapshots = 0;               // in hand
  bool survey_in_hand = false;
  std::map<Address, std::uint64_t> stalls;  // the incident of each loop that is in one
};

class Watcher {
 public:
  Watcher(const WatchSettings& settings, const std::function<void(std::string_view)>& write, IncidentStore store, event_base* base)
      : settings_(settings), log_(write), store_(std::move(store)), finder_(settings), gate_(settings), worker_(settings, store_), base_(base) {}

  Result<void> begin();
  // The signal that ended it; 0: all processes that were named have ended.
  int run();
  // False: work that can not be waited for goes on.
  bool end(int signal);

 private:
  using Callback = void (*)(evutil_socket_t, short, void*);
  EventPointer add_event(evutil_socket_t what, short kinds, Callback callback);

  void step();
  void find_targets(double now);
  void attach(int pid, Followed& target, double now);
  void drop(int pid, Followed& target, std::string_view reason);
  void look(int pid, Followed& target, double now);
  void note_events(int pid, Followed& target, const std::vector<LoopEvent>& events, double now);
  void begin_stall(int pid, Followed& target, const LoopEvent& event, double now);
  void begin_survey(int pid, Followed& target, double now);
  void begin_incident(int pid, Followed& target, Incident incident, std::shared_ptr<Report> report, double now);
  void note_outcomes();
  void note_outcome(SnapshotOutcome outcome, double now);
  void tell_incident(const Followed& target, int pid, const Incident& incident, const SnapshotOutcome* outcome, std::string_view suppressed);
  void tell_removed(const std::vector<RemovedFile>& removed);
  void on_request();  // SIGUSR1
  bool request_snapshot(int pid, std::uint64_t token);
  [[nodiscard]] Result<void> listen();
  [[nodiscard]] std::string metrics();
  [[nodiscard]] bool is_over() const;
  void schedule(double now);

  const WatchSettings& settings_;
  EventLog log_;
  IncidentStore store_;
  ProcessFinder finder_;
  IncidentGate gate_;
  SnapshotWorker worker_;  // after the store, which it uses
  event_base* base_;
  std::unique_ptr<HttpServer> http_;
  std::vector<EventPointer> events_;
  EventPointer timer_;
  std::map<int, Followed> targets_;
  std::set<int> ended_;    // of those that were named
  std::uint64_t next_incident_ = 1;
  double find_at_ = 0;
  double store_at_ = 0;
  int signal_ = 0;
};

EventPointer Watcher::add_event(evutil_socket_t what, short kinds, Callback callback) {
  EventPointer made(::event_new(base_, what, kinds, callback, this));
  if (made && (kinds & EV_PERSIST) != 0) ::event_add(made.get(), nullptr);
  return made;
}

Result<void> Watcher::begin() {
  ::prctl(PR_SET_TIMERSLACK, 1UL);  // looks are due when they are due
  timer_ = add_event(-1, 0, [](evutil_socket_t, short, void* self) { static_cast<Watcher*>(self)->step(); });
  const auto stop = [](evutil_socket_t number, short, void* self) {
    static_cast<Watcher*>(self)->signal_ = static_cast<int>(number);
    ::event_base_loopbreak(static_cast<Watcher*>(self)->base_);
  };
  for (const int number : {SIGTERM, SIGINT}) events_.push_back(add_event(number, EV_SIGNAL | EV_PERSIST, stop));
  events_.push_back(add_event(SIGUSR1, EV_SIGNAL | EV_PERSIST, [](evutil_socket_t, short, void* self) { static_cast<Watcher*>(self)->on_request(); }));
  events_.push_back(add_event(worker_.descriptor(), EV_READ | EV_PERSIST, [](evutil_socket_t, short, void* self) { static_cast<Watcher*>(self)->note_outcomes(); }));
  if (!timer_ || std::ranges::any_of(events_, [](const EventPointer& each) { return !each; })) return fail(ErrorKind::kInternal, "event loop: can not be set up");
  if (auto listening = listen(); !listening) return listening;
  log_.say("started", [this](JsonWriter& json) {
    json.field("version", settings_.tool_version);
    json.field("pid", ::getpid());
    json.field("directory", settings_.directory);
  });
  if (http_) {
    log_.say("listening", [this](JsonWriter& json) {
      json.field("address", settings_.listen->host);
      json.field("port", http_->port());
    });
  }
  return {};
}

Result<void> Watcher::listen() {
  if (!settings_.listen) return {};
  HttpServices services;
  services.metrics = [this] { return metrics(); };
  services.list_incidents = [this] { return store_.list(); };
  services.open_incident = [this](std::string_view name) { return store_.open_file(name); };
  services.request_snapshot = [this](int pid, std::uint64_t token) { return request_snapshot(pid, token); };
  ASYNCSPY_TRY(server, HttpServer::listen(base_, *settings_.listen, std::move(services)));
  http_ = std::move(server);
  return {};
}

int Watcher::run() {
  schedule(0);
  ::event_base_loop(base_, 0);
  return signal_;
}

bool Watcher::end(int signal) {
  const bool ended = worker_.stop(kLongestEnd);
  note_outcomes();
  log_.say("stopped", [signal](JsonWriter& json) {
    const char* name = signal == 0 ? nullptr : ::sigabbrev_np(signal);
    json.field("signal", name == nullptr ? std::nullopt : std::optional(std::string("SIG") + name));
  });
  return ended;
}

bool Watcher::is_over() const {
  return !settings_.all && settings_.pattern.empty() && std::ranges::all_of(settings_.pids, [this](int pid) { return ended_.contains(pid); });
}

void Watcher::schedule(double now) {
  double due = std::min(find_at_, store_at_);
  for (const auto& [pid, target] : targets_) {
    due = std::min(due, target.watch ? target.watch->next_due() : target.retry_at);
    if (target.watch && settings_.survey > 0 && !target.survey_in_hand) due = std::min(due, target.survey_at);
  }
  constexpr double kLeast = 1e-5;
  const double wait = std::clamp(due - now, kLeast, kFindInterval);
  timeval time{};
  time.tv_sec = static_cast<time_t>(wait);
  time.tv_usec = static_cast<suseconds_t>((wait - static_cast<double>(time.tv_sec)) * 1e6);
  ::event_add(timer_.get(), &time);
}

void Watcher::step() {
  double now = monotonic_seconds();
  if (now >= find_at_) {
    find_at_ = now + kFindInterval;
    find_targets(now);
    if (http_) http_->enforce_limits(now);
  }
  if (now >= store_at_) {
    store_at_ = now + kStoreInterval;
    tell_removed(store_.enforce_limits());
  }
  for (auto& [pid, target] : targets_) {
    now = monotonic_seconds();
    if (!target.watch && now >= target.retry_at) attach(pid, target, now);
    if (target.watch && now >= target.watch->next_due()) look(pid, target, now);
    if (target.watch && settings_.survey > 0 && !target.survey_in_hand && now >= target.survey_at) begin_survey(pid, target, now);
  }
  std::erase_if(targets_, [this](const auto& each) { return each.second.retry_at < 0 && each.second.snapshots == 0; });
  if (is_over()) {
    ::event_base_loopbreak(base_);
    return;
  }
  schedule(monotonic_seconds());
}

void Watcher::find_targets(double now) {
  const std::vector<int> wanted = finder_.find(now);
  for (const int pid : wanted) {
    if (targets_.contains(pid) || ended_.contains(pid) || targets_.size() >= kMostTargets) continue;
    Followed& target = targets_[pid];
    target.metrics.pid = pid;
  }
  for (auto& [pid, target] : targets_) {
    if (target.watch && target.watch->is_replaced()) drop(pid, target, "replaced");
    // Not watched yet, and nobody wants it any more: it has ended, or become something else.
    if (!target.watch && target.retry_at >= 0 && !std::ranges::binary_search(wanted, pid)) target.retry_at = -1;
  }
}

void Watcher::attach(int pid, Followed& target, double now) {
  if (target.retry_at < 0) return;
  auto watch = TargetWatch::attach(pid, settings_, now);
  if (!watch) {
    const Error& error = watch.error();
    target.retry_at = now + target.retry_interval;
    target.retry_interval = std::min(target.retry_interval * 2, kSlowestRetry);
    if (error.kind == ErrorKind::kNoProcess) {
      target.retry_at = -1;
      if (std::ranges::find(settings_.pids, pid) != settings_.pids.end()) ended_.insert(pid);
    }
    const bool is_starting = error.kind == ErrorKind::kNotPython && std::ranges::find(settings_.pids, pid) == settings_.pids.end();
    if (target.is_told || is_starting) return;
    target.is_told = true;
    log_.say("target_unreadable", [&](JsonWriter& json) {
      json.field("pid", pid);
      json.field("error", error.what);
      json.field("hint", error.hint);
    });
    return;
  }
  target.watch = std::move(*watch);
  target.survey = std::make_shared<Survey>(settings_);
  target.survey_at = now + std::min(settings_.survey, 1.0);
  target.retry_interval = kFirstRetry;
  target.is_told = false;
  target.metrics.up = true;
  target.metrics.command = describe_command(target.watch->process());
  target.metrics.names = read_container_names(pid);
  log_.say("target", [&](JsonWriter& json) {
    json.field("pid", pid);
    json.field("namespace_pid", target.watch->process().namespace_pid);
    json.field("command", target.metrics.command);
    json.field("python", target.watch->python());
    json.field("pod", target.metrics.names.pod.empty() ? std::nullopt : std::optional(target.metrics.names.pod));
    json.field("container", target.metrics.names.container.empty() ? std::nullopt : std::optional(target.metrics.names.container));
  });
}

void Watcher::drop(int pid, Followed& target, std::string_view reason) {
  std::vector<LoopEvent> events;
  target.watch->end(events);
  note_events(pid, target, events, monotonic_seconds());
  target.watch.reset();
  target.metrics.up = false;
  target.retry_at = monotonic_seconds();
  log_.say("target_ended", [&](JsonWriter& json) {
    json.field("pid", pid);
    json.field("reason", reason);
  });
  if (reason != "exited") return;
  target.retry_at = -1;
  if (std::ranges::find(settings_.pids, pid) != settings_.pids.end()) ended_.insert(pid);
}

void Watcher::look(int pid, Followed& target, double now) {
  std::vector<LoopEvent> events;
  target.watch->expect_stops(target.snapshots > 0);
  const auto done = target.watch->look(now, events);
  note_events(pid, target, events, monotonic_seconds());
  if (done) return;
  if (done.error().kind == ErrorKind::kNoProcess) return drop(pid, target, "exited");
  drop(pid, target, target.watch->is_replaced() ? "replaced" : "unreadable");
}

void Watcher::note_events(int pid, Followed& target, const std::vector<LoopEvent>& events, double now) {
  for (const LoopEvent& event : events) {
    if (event.kind == LoopEvent::Kind::kStallEnds) {
      const auto stall = target.stalls.find(event.loop.id);
      log_.say("stall_ended", [&](JsonWriter& json) {
        json.field("pid", pid);
        json.field("loop", event.loop.id);
        json.field("seconds", event.seconds);
        json.field("incident", stall == target.stalls.end() ? std::nullopt : std::optional(stall->second));
      });
      if (stall != target.stalls.end()) target.stalls.erase(stall);
    } else {
      begin_stall(pid, target, event, now);
    }
  }
}

// Or a lag.
void Watcher::begin_stall(int pid, Followed& target, const LoopEvent& event, double now) {
  Incident incident;
  incident.trigger = event.kind == LoopEvent::Kind::kLags ? IncidentTrigger::kLag : IncidentTrigger::kStall;
  incident.loop = event.loop.id;
  incident.seconds = event.seconds;
  incident.task = event.loop.task;
  if (const LightFrame* frame = find_own_frame(event.loop.stack)) incident.culprit = *frame;
  const std::string_view callback = event.loop.callback.empty() ? std::string_view("a callback without a frame") : event.loop.callback;
  incident.cause = name_cause(to_word(incident.trigger), incident.culprit, callback);
  if (incident.trigger == IncidentTrigger::kStall) target.stalls[incident.loop] = next_incident_;
  begin_incident(pid, target, std::move(incident), nullptr, now);
}

void Watcher::begin_survey(int pid, Followed& target, double now) {
  target.survey_at = now + settings_.survey;
  SnapshotJob job;
  job.kind = SnapshotJob::Kind::kSurvey;
  job.pid = pid;
  job.survey = target.survey;
  if (!worker_.submit(std::move(job))) return;
  target.survey_in_hand = true;
  ++target.snapshots;
}

// With a report that is there already, or one that is to be taken.
void Watcher::begin_incident(int pid, Followed& target, Incident incident, std::shared_ptr<Report> report, double now) {
  incident.id = next_incident_++;
  incident.detected_ns = wall_clock_ns();
  if (target.watch) incident.samples = target.watch->ring().since(now, incident.loop);
  ++target.metrics.incidents[static_cast<std::size_t>(incident.trigger)];
  std::string_view suppressed;
  if (const auto why = gate_.refuse(now, pid, target.metrics.command, incident)) {
    suppressed = *why;
  } else {
    SnapshotJob job;
    job.kind = report ? SnapshotJob::Kind::kWrite : SnapshotJob::Kind::kIncident;
    job.pid = pid;
    job.incident = incident;
    job.report = std::move(report);
    if (target.snapshots < kMostSnapshots && worker_.submit(std::move(job))) {
      ++target.snapshots;
      return;  // it is told with its file
    }
    suppressed = "busy";
  }
  tell_incident(target, pid, incident, nullptr, suppressed);
}

void Watcher::tell_incident(const Followed& target, int pid, const Incident& incident, const SnapshotOutcome* outcome, std::string_view suppressed) {
  log_.say("incident", [&](JsonWriter& json) {
    json.field("pid", pid);
    json.field("command", target.metrics.command);
    put_incident_facts(json, incident);
    json.field("file", outcome != nullptr ? outcome->file : std::nullopt);
    json.field("suppressed", suppressed.empty() ? std::nullopt : std::optional(std::string(suppressed)));
    json.field("error", outcome != nullptr && outcome->error ? std::optional(outcome->error->what) : std::nullopt);
    put_texts(json, "findings", outcome != nullptr ? outcome->rules : std::vector<std::string>{});
    json.field("pause_ms", outcome != nullptr ? std::optional(outcome->pause * 1e3) : std::nullopt);
    json.field("blocked_in_snapshot", outcome != nullptr ? outcome->blocked : std::nullopt);
  });
}

void Watcher::tell_removed(const std::vector<RemovedFile>& removed) {
  for (const RemovedFile& file : removed) {
    log_.say("removed", [&](JsonWriter& json) {
      json.field("file", file.name);
      json.field("why", file.why);
    });
  }
}

void Watcher::note_outcomes() {
  for (SnapshotOutcome& outcome : worker_.take_outcomes()) note_outcome(std::move(outcome), monotonic_seconds());
}

void Watcher::note_outcome(SnapshotOutcome outcome, double now) {
  const SnapshotJob& job = outcome.job;
  const auto found = targets_.find(job.pid);
  if (job.kind == SnapshotJob::Kind::kRequest && http_) {
    http_->answer_snapshot(job.token, outcome.error ? Result<std::string>(std::unexpected(*outcome.error)) : Result<std::string>(std::move(outcome.json)));
  }
  if (found == targets_.end()) return;
  Followed& target = found->second;
  --target.snapshots;
  target.metrics.pause_seconds += outcome.pause;
  if (target.watch) target.watch->forgive(outcome.paused_at, outcome.pause);
  if (outcome.facts) target.metrics.facts = std::move(*outcome.facts);
  if (job.kind == SnapshotJob::Kind::kIncident || job.kind == SnapshotJob::Kind::kWrite) {
    tell_incident(target, job.pid, job.incident, &outcome, outcome.error ? "error" : "");
    tell_removed(outcome.removed);
  }
  if (job.kind != SnapshotJob::Kind::kSurvey) return;
  target.survey_in_hand = false;
  for (Incident& incident : outcome.incidents) begin_incident(job.pid, target, std::move(incident), outcome.report, now);
}

void Watcher::on_request() {
  const double now = monotonic_seconds();
  for (auto& [pid, target] : targets_) {
    if (!target.watch) continue;
    Incident incident;
    incident.trigger = IncidentTrigger::kSignal;
    incident.cause = "signal";
    begin_incident(pid, target, std::move(incident), nullptr, now);
  }
}

bool Watcher::request_snapshot(int pid, std::uint64_t token) {
  const auto found = targets_.find(pid);
  if (found == targets_.end() || !found->second.watch || found->second.snapshots >= kMostSnapshots) return false;
  SnapshotJob job;
  job.kind = SnapshotJob::Kind::kRequest;
  job.pid = pid;
  job.token = token;
  if (!worker_.submit(std::move(job))) return false;
  ++found->second.snapshots;
  ++found->second.metrics.incidents[static_cast<std::size_t>(IncidentTrigger::kRequest)];
  return true;
}

std::string Watcher::metrics() {
  std::vector<TargetMetrics> all;
  for (auto& [pid, target] : targets_) {
    if (target.watch) {
      target.metrics.counts = target.watch->counts();
      target.metrics.stalled_seconds = target.metrics.counts.stalled_seconds + target.watch->stalled_now();
      target.metrics.ready = target.watch->ready();
    }
    all.push_back(target.metrics);
  }
  return render_metrics(all, {settings_.tool_version, processor_seconds(), resident_bytes()});
}

}  // namespace

Result<void> run_watch(const WatchSettings& settings, const std::function<void(std::string_view)>& write) {
  ASYNCSPY_TRY(store, IncidentStore::open(settings.directory, settings.keep, settings.tool_version));
  ::signal(SIGPIPE, SIG_IGN);  // of a client or a reader of the log that has gone
  std::unique_ptr<event_config, void (*)(event_config*)> config(::event_config_new(), ::event_config_free);
  ::event_config_set_flag(config.get(), EVENT_BASE_FLAG_PRECISE_TIMER);
  const std::unique_ptr<event_base, FreeBase> base(::event_base_new_with_config(config.get()));
  if (!base) return fail(ErrorKind::kInternal, "event loop: can not be set up");
  Watcher watcher(settings, write, std::move(store), base.get());
  if (auto begun = watcher.begin(); !begun) return begun;
  const int signal = watcher.run();
  // A snapshot of a large process takes longer than anybody wants to wait. What it holds runs on when its tracer ends, and what it
  // has begun to write has no name yet.
  if (!watcher.end(signal)) std::_Exit(0);
  return {};
}

}  // namespace asyncspy
