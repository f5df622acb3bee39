// The thread that takes full snapshots and writes incident files, so that the looks at other processes go on meanwhile.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "file_descriptor.h"
#include "incident_store.h"
#include "report.h"
#include "survey.h"

namespace asyncspy {

struct SnapshotJob {
  enum class Kind : std::uint8_t {
    kIncident,  // take a snapshot, put the incident into it, write it
    kWrite,     // the same with a report that is there already
    kSurvey,    // take one and see what is wrong
    kRequest,   // take one and return it as JSON
  };
  Kind kind = Kind::kSurvey;
  int pid = 0;
  Incident incident{};                  // kIncident, kWrite
  std::shared_ptr<Report> report{};     // kWrite
  std::shared_ptr<Survey> survey{};     // kSurvey
  std::uint64_t token = 0;              // kRequest: of the caller
};

struct SnapshotOutcome {
  SnapshotJob job;
  std::optional<Error> error;
  double pause = 0;                      // seconds that the process stood still
  double paused_at = 0;                  // a moment of that, by our own clock
  std::optional<SurveyFacts> facts;      // of the report
  std::vector<std::string> rules;        // of its findings that are warnings or errors, each once
  std::optional<bool> blocked;           // whether the loop of the incident was still blocked in the snapshot
  std::vector<Incident> incidents;       // that a survey calls for
  std::shared_ptr<Report> report;        // of a survey that calls for any
  std::optional<std::string> file;       // that was written
  std::vector<RemovedFile> removed;      // to make room, or because there were too many
  std::string json;                      // of a request
};

class SnapshotWorker {
 public:
  // Both must outlive this. A byte can be read from descriptor() whenever there is an outcome.
  SnapshotWorker(const WatchSettings& settings, IncidentStore& store);
  SnapshotWorker(const SnapshotWorker&) = delete;
  SnapshotWorker& operator=(const SnapshotWorker&) = delete;
  ~SnapshotWorker();

  // False: there is too much to do already.
  [[nodiscard]] bool submit(SnapshotJob job);

  [[nodiscard]] std::vector<SnapshotOutcome> take_outcomes();
  [[nodiscard]] int descriptor() const { return signal_.get(); }

  // Lets the work in hand end, as far as it does in that time. False: it goes on.
  [[nodiscard]] bool stop(double seconds);

 private:
  void run();
  [[nodiscard]] SnapshotOutcome work(SnapshotJob job);
  [[nodiscard]] Result<Report> look(const SnapshotJob& job, SnapshotOutcome& outcome) const;

  const WatchSettings& settings_;
  IncidentStore& store_;
  FileDescriptor signal_;  // an eventfd
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable ended_;
  std::deque<SnapshotJob> jobs_;
  std::vector<SnapshotOutcome> outcomes_;
  bool stopping_ = false;
  bool has_ended_ = false;
  std::thread thread_;
};

}  // namespace asyncspy
