#include "snapshot_worker.h"

#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <exception>
#include <utility>

#include "analyse.h"
#include "capture.h"
#include "json_report.h"
#include "live_target.h"
#include "own_cost.h"
#include "second_look.h"
#include "target_watch.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostJobs = 512;
constexpr std::size_t kMostJson = std::size_t{256} << 20;

// Ends early when the text becomes too long.
class BoundedSink final : public Sink {
 public:
  bool write(std::string_view text) override {
    if (text_.size() + text.size() > kMostJson) return false;
    text_ += text;
    return true;
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

std::vector<std::string> list_rules(const Report& report) {
  std::vector<std::string> rules;
  for (const Finding& finding : report.findings) {
    if (finding.severity != Severity::kInfo && std::ranges::find(rules, finding.rule) == rules.end()) rules.push_back(finding.rule);
  }
  return rules;
}

std::optional<bool> is_blocked(const Report& report, Address loop) {
  const auto found = std::ranges::find(report.loops, loop, &Loop::id);
  if (loop.is_null() || found == report.loops.end()) return std::nullopt;
  return found->state == LoopState::kBlocked || found->state == LoopState::kRunning;
}

}  // namespace

SnapshotWorker::SnapshotWorker(const WatchSettings& settings, IncidentStore& store)
    : settings_(settings), store_(store), signal_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), thread_([this] { run(); }) {}

SnapshotWorker::~SnapshotWorker() {
  std::ignore = stop(0);
  thread_.join();
}

bool SnapshotWorker::submit(SnapshotJob job) {
  const std::scoped_lock lock(mutex_);
  if (jobs_.size() >= kMostJobs || stopping_) return false;
  jobs_.push_back(std::move(job));
  wake_.notify_one();
  return true;
}

std::vector<SnapshotOutcome> SnapshotWorker::take_outcomes() {
  std::uint64_t count = 0;
  std::ignore = ::read(signal_.get(), &count, sizeof(count));
  const std::scoped_lock lock(mutex_);
  return std::exchange(outcomes_, {});
}

bool SnapshotWorker::stop(double seconds) {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  wake_.notify_one();
  return ended_.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return has_ended_; });
}

void SnapshotWorker::run() {
  ::prctl(PR_SET_NAME, "snapshots");
  sigset_t all;  // signals are for the other thread
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (stopping_) break;
    SnapshotJob job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    SnapshotOutcome outcome = work(std::move(job));
    lock.lock();
    outcomes_.push_back(std::move(outcome));
    const std::uint64_t one = 1;
    std::ignore = ::write(signal_.get(), &one, sizeof(one));
  }
  has_ended_ = true;
  ended_.notify_all();
}

Result<Report> SnapshotWorker::look(const SnapshotJob& job, SnapshotOutcome& outcome) const {
  const auto look_once = [&]() -> Result<Report> {
    ASYNCSPY_TRY(target, LiveTarget::attach(job.pid));
    CaptureOptions options;
    options.no_pause = settings_.no_pause;
    options.max_pause = settings_.max_pause;
    ASYNCSPY_TRY(snapshot, capture(*target, options));
    // Its clock may have another origin (time_namespaces(7)).
    outcome.paused_at = monotonic_seconds() - static_cast<double>(target->monotonic_now() - snapshot.capture.monotonic_ns) / 1e9;
    return analyse(snapshot);
  };
  auto report = look_once();
  if (!report) return report;
  // What is going on right now is what counts in an incident: no second look, for which the moment is over.
  if (job.kind != SnapshotJob::Kind::kIncident) report = confirm_by_second_look(std::move(*report), look_once);
  if (report->capture.mode == CaptureMode::kStopped) outcome.pause = report->capture.pause_seconds;
  outcome.facts = count_facts(*report);
  outcome.rules = list_rules(*report);
  return report;
}

SnapshotOutcome SnapshotWorker::work(SnapshotJob job) {
  SnapshotOutcome outcome;
  const auto take = [&]() -> Result<void> {
    if (job.kind != SnapshotJob::Kind::kWrite) {
      ASYNCSPY_TRY(report, look(job, outcome));
      job.report = std::make_shared<Report>(std::move(report));
    } else {
      outcome.rules = list_rules(*job.report);
    }
    switch (job.kind) {
      case SnapshotJob::Kind::kSurvey:
        outcome.incidents = job.survey->add(*job.report);
        if (!outcome.incidents.empty()) outcome.report = job.report;
        return {};
      case SnapshotJob::Kind::kRequest: {
        BoundedSink sink;
        if (!write_json(*job.report, {.tool_version = settings_.tool_version}, sink)) {
          return fail(ErrorKind::kOutput, "snapshot: is too large for a reply", "asyncspy dump PID --format json -o FILE");
        }
        outcome.json = sink.take();
        return {};
      }
      case SnapshotJob::Kind::kIncident:
      case SnapshotJob::Kind::kWrite: break;
    }
    outcome.blocked = is_blocked(*job.report, job.incident.loop);
    job.report->incident = job.incident;
    auto written = store_.write(*job.report, outcome.removed);
    job.report->incident.reset();
    if (!written) return std::unexpected(std::move(written.error()));
    outcome.file = std::move(*written);
    return {};
  };
  try {
    if (auto done = take(); !done) outcome.error = std::move(done.error());
  } catch (const std::exception& error) {  // out of memory, for instance: the watch goes on
    outcome.error = Error{ErrorKind::kInternal, std::string("snapshot: ") + error.what(), {}, {}};
  }
  job.report.reset();
  outcome.job = std::move(job);
  return outcome;
}

}  // namespace asyncspy
