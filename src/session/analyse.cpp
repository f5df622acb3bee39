#include "analyse.h"

#include <optional>
#include <utility>

#include "asyncio_report.h"
#include "diagnose.h"
#include "find_asyncio.h"
#include "groups.h"
#include "native_report.h"
#include "surroundings.h"
#include "thread_report.h"

namespace asyncspy {
namespace {

// Null when nobody wants them.
std::optional<LocalsReader> make_locals_reader(Inspection& inspection, const AnalysisOptions& wanted) {
  if (!wanted.locals) return std::nullopt;
  return LocalsReader(inspection, {.mask = wanted.mask});
}

Inspection begin_inspection(Snapshot& snapshot) {
  return {.reader = snapshot.runtime->reader(*snapshot.memory), .types = {}, .codes = {}, .names = {}, .text_names = {}};
}

}  // namespace

std::vector<int> find_python_threads(const std::vector<Thread>& threads) {
  std::vector<int> tids;
  for (const Thread& thread : threads) {
    if (thread.has_python) tids.push_back(thread.tid);
  }
  return tids;
}

std::vector<int> visit_stacks(Snapshot& snapshot) {
  if (!snapshot.runtime) return {};  // by the scout: no time for self-checks during a stop
  Inspection inspection = begin_inspection(snapshot);
  auto interpreters = read_interpreters(inspection.reader, *snapshot.runtime);
  if (!interpreters) return {};
  std::vector<Gap> gaps;
  auto locals = make_locals_reader(inspection, snapshot.wanted);
  return find_python_threads(report_threads(inspection, snapshot, *interpreters, locals ? &*locals : nullptr, gaps).threads);
}

std::uint64_t estimate_tasks(Snapshot& snapshot, std::uint64_t most) {
  if (!snapshot.runtime) return 0;
  Inspection inspection = begin_inspection(snapshot);
  auto interpreters = read_interpreters(inspection.reader, *snapshot.runtime);
  if (!interpreters) return 0;
  std::uint64_t count = 0;
  std::vector<Gap> gaps;
  for (const Interpreter& interpreter : *interpreters) {
    auto asyncio = find_asyncio(inspection, interpreter);
    if (!asyncio || !*asyncio || count >= most) continue;
    count += count_tasks(inspection, **asyncio, read_thread_states(inspection.reader, interpreter, gaps), most - count);
  }
  return count;
}

Result<Report> analyse(Snapshot& snapshot) {
  std::optional<Report> report = std::exchange(snapshot.analysis, std::nullopt);
  if (!report) {
    ASYNCSPY_TRY(built, build_report(snapshot));
    report = std::move(built);
  }
  report->groups = build_groups(report->tasks);
  report->findings = diagnose(*report);
  return std::move(*report);
}

Result<Report> build_report(Snapshot& snapshot) {
  if (!snapshot.runtime) {  // the scout found it and checked its layout; it does not change while the process lives
    ASYNCSPY_TRY(found, find_runtime(*snapshot.memory, snapshot.process.images));
    snapshot.runtime = std::move(found);
  }
  const Runtime& runtime = *snapshot.runtime;
  Inspection inspection = begin_inspection(snapshot);
  ASYNCSPY_TRY(interpreters, read_interpreters(inspection.reader, runtime));

  Report report;
  report.process = snapshot.process;
  report.process.mappings.clear();
  report.capture = snapshot.capture;
  report.python = {.version = runtime.version, .hex_version = runtime.hex_version, .library = runtime.library,
                   .interpreters = static_cast<std::uint32_t>(interpreters.size())};
  report.warnings = runtime.warnings;
  report.warnings.insert(report.warnings.end(), snapshot.warnings.begin(), snapshot.warnings.end());
  if (snapshot.wanted.wants_values() && !snapshot.has_values) {
    report.warnings.emplace_back("it was recorded without --locals: values whose memory is not in the recording are <unreadable>");
  }
  auto locals = make_locals_reader(inspection, snapshot.wanted);
  LocalsReader* locals_if_wanted = locals ? &*locals : nullptr;
  ThreadReport threads = report_threads(inspection, snapshot, interpreters, locals_if_wanted, report.gaps);
  report_asyncio(inspection, interpreters, threads, snapshot, locals_if_wanted, report);
  if (locals) report.locals = locals->take();
  report.threads = std::move(threads.threads);
  report.functions = inspection.codes.take_functions();
  report.names = inspection.names.take_names();
  place_surroundings(snapshot, report);
  place_native_stacks(snapshot, report);
  if (report.capture.bytes_copied == 0) report.capture.bytes_copied = snapshot.memory->bytes();  // else of a recording
  return report;
}

}  // namespace asyncspy
