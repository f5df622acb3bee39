#include "examine.h"

#include <algorithm>

#include <fmt/format.h>

#include "find_asyncio.h"
#include "recording_memory.h"

namespace asyncspy {
namespace {

using Outcome = ExaminationStep::Outcome;

class Examiner {
 public:
  Examiner(Target& target, bool may_stop, std::chrono::milliseconds max_pause)
      : target_(target), may_stop_(may_stop), max_pause_(max_pause) {}

  Examination run() {
    auto process = target_.read_process();
    if (!process) {
      bad("process", process.error());
      return std::move(result_);
    }
    describe_process(*process);
    describe_images(*process);
    look_at_interpreter(*process);
    if (may_stop_) try_to_stop();
    return std::move(result_);
  }

 private:
  void add(Outcome outcome, std::string subject, std::string text, std::string hint = {}) {
    result_.steps.push_back({outcome, std::move(subject), std::move(text), std::move(hint)});
  }
  void bad(std::string subject, const Error& error) {
    add(Outcome::kBad, std::move(subject), error.what, error.hint);
    if (!result_.error) result_.error = error;
  }

  void describe_process(const ProcessFacts& process) {
    std::string numbers = process.pid == process.namespace_pid ? fmt::format("{}", process.pid)
                                                               : fmt::format("{} ({} in its own namespace)", process.pid, process.namespace_pid);
    add(Outcome::kGood, "process", fmt::format("{}, {}, user {}, state {}", numbers, process.name, process.user_id, process.state));
    if (process.tracer_pid != 0) {
      add(Outcome::kNote, "tracer", fmt::format("process {} traces it: it can be read, but not stopped", process.tracer_pid),
          "end the other debugger, or use --no-pause");
    }
    add(Outcome::kGood, "executable", process.executable + (process.executable_deleted ? " (deleted or replaced since)" : ""));
    if (process.other_root) add(Outcome::kNote, "root", "its root directory or mount namespace is not that of asyncspy; files are opened through /proc");
  }

  void describe_images(const ProcessFacts& process) {
    if (process.images.empty()) add(Outcome::kNote, "images", fmt::format("no interpreter symbol in any of {} mappings", process.mappings.size()));
    for (const LoadedImage& image : process.images) {
      std::string found;
      auto note = [&](std::string_view name, Address at) {
        if (!at.is_null()) found += fmt::format("{}{} 0x{:x}", found.empty() ? "" : ", ", name, at.value());
      };
      note("_PyRuntime", image.runtime);
      note("Py_Version", image.version);
      note(".AsyncioDebug", image.asyncio_debug);
      note("PyInterpreterState_Head", image.interpreter_head);
      add(Outcome::kGood, "image", fmt::format("{}: {}", image.path, found.empty() ? "no address" : found));
    }
  }

  void look_at_interpreter(const ProcessFacts& process) {
    RecordingMemory memory(&target_.memory());
    auto runtime = find_runtime(memory, process.images);
    if (!runtime) {
      bad("python", runtime.error());
      return;
    }
    add(Outcome::kGood, "python", fmt::format("CPython {} in {}", runtime->version, runtime->library));
    for (const std::string& warning : runtime->warnings) add(Outcome::kNote, "layout", warning);
    add_checks(*runtime);
    add(Outcome::kGood, "strings", describe_string_hash(runtime->string_hash));
    look_at_asyncio(memory, *runtime);
    result_.runtime = std::move(*runtime);
  }

  static std::string describe_string_hash(const std::optional<StringHash>& hash) {
    if (!hash) return "their hash is not known: in dictionaries all keys are read";
    return fmt::format("SipHash-{}-{} with the key of this process: a dictionary's keys are found by it", hash->rounds, hash->last_rounds);
  }

  void add_checks(const Runtime& runtime) {
    auto count = [&](CheckResult result) {
      return std::count_if(runtime.checks.begin(), runtime.checks.end(), [&](const SelfCheck& check) { return check.result == result; });
    };
    add(count(CheckResult::kFailed) == 0 ? Outcome::kGood : Outcome::kBad, "self-checks",
        fmt::format("{} passed, {} failed, {} skipped", count(CheckResult::kPassed), count(CheckResult::kFailed), count(CheckResult::kSkipped)));
  }

  void look_at_asyncio(Memory& memory, const Runtime& runtime) {
    Inspection inspection{.reader = runtime.reader(memory), .types = {}, .codes = {}, .names = {}, .text_names = {}};
    auto interpreters = read_interpreters(inspection.reader, runtime);
    if (!interpreters) {
      bad("interpreters", interpreters.error());
      return;
    }
    for (const Interpreter& interpreter : *interpreters) {
      std::vector<Gap> gaps;
      std::vector<ThreadState> threads = read_thread_states(inspection.reader, interpreter, gaps);
      std::string who = fmt::format("interpreter {}: {} Python threads", interpreter.id, threads.size());
      auto asyncio = find_asyncio(inspection, interpreter);
      if (!asyncio) {
        add(Outcome::kNote, "asyncio", fmt::format("{}; its modules can not be read now: {}", who, asyncio.error().what));
      } else if (!*asyncio) {
        add(Outcome::kNote, "asyncio", who + "; asyncio is not imported");
      } else {
        auto tasks = find_tasks(inspection, **asyncio, threads, gaps);
        add(Outcome::kGood, "asyncio", fmt::format("{}; {} tasks; C accelerator {}", who, tasks.size(),
                                                   (*asyncio)->accelerator.is_null() ? "not in use" : "loaded"));
      }
    }
  }

  void try_to_stop() {
    if (const auto standstill = target_.find_standstill()) {
      add(Outcome::kGood, "stop", "not tried: " + standstill->reason());
      return;
    }
    auto freeze = target_.freeze(max_pause_);
    if (!freeze) {
      bad("stop", freeze.error());
      return;
    }
    auto count = (*freeze)->threads().size();
    std::chrono::duration<double, std::milli> pause = (*freeze)->release();
    add(Outcome::kGood, "stop", fmt::format("{} threads stopped and resumed, {:.2f} ms", count, pause.count()));
  }

  Target& target_;
  bool may_stop_;
  std::chrono::milliseconds max_pause_;
  Examination result_;
};

}  // namespace

Examination examine(Target& target, bool may_stop, std::chrono::milliseconds max_pause) {
  return Examiner(target, may_stop, max_pause).run();
}

}  // namespace asyncspy
