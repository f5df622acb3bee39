#include "json_reader.h"

#include <fmt/format.h>

#include <cmath>
#include <exception>
#include <nlohmann/json.hpp>

#include "json_reader_parts.h"
#include "json_report.h"
#include "words.h"

namespace asyncspy {
namespace {

using nlohmann::json;

constexpr int kMostDepth = 16;  // of brackets; a report has seven

class TooDeep : public std::exception {
 public:
  [[nodiscard]] const char* what() const noexcept override { return "brackets are nested too deeply"; }
};

// Takes over what the parser has finished, and has it thrown away.
class ReportReader {
 public:
  Result<StoredReport> read(std::string_view document) {
    try {
      const json rest = json::parse(document.begin(), document.end(),
                                    [this](int depth, json::parse_event_t event, json& value) { return take(depth, event, value); });
      if (!problems_.any()) finish(rest);
    } catch (const TooDeep& error) {
      return refuse(error.what());
    } catch (const json::exception& error) {
      return refuse(error.what());
    }
    if (problems_.any()) return refuse(problems_.first());
    stored_.unknown.assign(problems_.unknown().begin(), problems_.unknown().end());
    return std::move(stored_);
  }

 private:
  std::unexpected<Error> refuse(std::string_view problem) const {
    if (newer_) {
      return fail(ErrorKind::kUnsupported, fmt::format("a report of a later form: {}", problem),
                  "use an asyncspy that is at least as new as the one that wrote it");
    }
    return fail(ErrorKind::kCorrupt, fmt::format("no report of asyncspy: {}", problem), "asyncspy dump PID --format json -o FILE writes one");
  }

  // False: the value is not kept.
  bool take(int depth, json::parse_event_t event, json& value) {
    if (depth > kMostDepth) throw TooDeep();
    if (depth == 1 && event == json::parse_event_t::key) {
      section_ = value.get<std::string>();
      if (!sections_.insert(section_).second) problems_.fail(section_, "is there twice");
    }
    if (depth == 1 && event == json::parse_event_t::value && section_ == "schema_version") check_version(value);
    if (depth != 2 || event != json::parse_event_t::object_end || problems_.any()) return true;
    return !take_element(value);
  }

  // As early as possible: what a later version holds may make no sense here.
  void check_version(const json& value) {
    if (!value.is_number_integer() || value == kJsonSchemaVersion) return;
    newer_ = value > kJsonSchemaVersion;
    problems_.fail(section_, fmt::format("{} is not {}", value.dump(), kJsonSchemaVersion));
  }

  // Elements of the long lists. True: taken.
  bool take_element(const json& value) {
    if (section_ == "tasks") return add(report().tasks, value, [this](JsonObject& each) { return read_task(each, tables_); });
    if (section_ == "threads") return add(report().threads, value, [this](JsonObject& each) { return read_thread(each, tables_); });
    if (section_ == "loops") return add(report().loops, value, [this](JsonObject& each) { return read_loop(each, tables_); });
    if (section_ == "primitives") return add(report().primitives, value, read_primitive);
    if (section_ == "jobs") return add(report().jobs, value, read_job);
    if (section_ == "children") return add(report().children, value, read_child);
    if (section_ == "objects") return add(report().objects, value, read_objects);
    if (section_ == "descriptors") return add(report().descriptors, value, read_descriptor);
    if (section_ == "findings") return add(report().findings, value, read_finding);
    if (section_ == "groups") return add(groups_, value, [](JsonObject& each) {
      const std::uint64_t count = each.count("count");
      std::vector<Address> tasks = each.identities("tasks");
      if (count != tasks.size()) each.fail("count", "is not the number of its tasks");
      return tasks;
    });
    return false;
  }

  template <class T, class Read>
  bool add(std::vector<T>& list, const json& value, Read read) {
    const JsonPlace place{nullptr, section_, list.size()};
    JsonObject object(value, place, problems_);
    list.push_back(read(object));
    object.finish();
    return true;
  }

  // What is left: the short sections, and lists that must be empty by now.
  void finish(const json& rest) {
    JsonObject root(rest, {}, problems_);
    (void)root.integer<int>("schema_version");
    root.object("tool", [this](JsonObject& tool) {
      if (tool.text("name") != "asyncspy") tool.fail("name", "is not asyncspy");
      stored_.tool_version = tool.text_if("version").value_or("");
    });
    const auto captured_at = root.text_if("captured_at");
    root.object("process", [this](JsonObject& each) { report().process = read_process(each); });
    root.object("python", [this](JsonObject& each) { report().python = read_python(each); });
    root.object("capture", [this](JsonObject& each) { report().capture = read_capture(each); });
    root.object("asyncio", [this](JsonObject& each) {
      report().asyncio = each.flag("imported") ? AsyncioPresence::kImported : AsyncioPresence::kNotImported;
    });
    for (std::string_view list : {"threads", "loops", "tasks", "groups", "findings"}) {
      if (root.find(list) == nullptr) root.fail(list, "is missing");
    }
    for (std::string_view list : {"threads", "loops", "tasks", "primitives", "jobs", "children", "descriptors", "objects", "groups", "findings"}) {
      root.objects(list, [](JsonObject& each) { each.problems().fail(each.path(), "was not read"); });
    }
    root.object_if("incident", [this](JsonObject& each) { report().incident = read_incident(each); });
    report().gaps = read_gaps(root);
    report().warnings = root.texts("warnings");
    if (captured_at) {
      const auto instant = parse_instant(*captured_at);
      if (!instant) root.fail("captured_at", "is no time of the form 2026-11-20T09:20:00.123456Z");
      report().capture.realtime_ns = instant.value_or(0);
    }
    root.finish();
    check_indices();
    resolve_groups();
    for (Task& task : report().tasks) restore_infinite_times(task);
  }

  // JSON has no infinity; what is left until then follows from the time of the snapshot.
  void restore_infinite_times(Task& task) {
    const std::optional<double> now = report().capture.loop_time();
    if (!now) return;
    auto* timer = std::get_if<OnTimer>(&task.wait);
    if (timer != nullptr && !std::isfinite(timer->deadline)) timer->remaining = timer->deadline - *now;
    if (task.deadline && !std::isfinite(task.deadline->when)) task.deadline->remaining = task.deadline->when - *now;
  }

  void check_indices() {
    const auto check = [this](std::string_view list, std::size_t i, std::string_view member, std::int32_t index, std::size_t size) {
      if (index >= 0 && static_cast<std::size_t>(index) >= size) problems_.fail(fmt::format("{}[{}].{}", list, i, member), "points nowhere");
    };
    for (std::size_t i = 0; i < report().tasks.size(); ++i) check("tasks", i, "loop", report().tasks[i].loop, report().loops.size());
    for (std::size_t i = 0; i < report().threads.size(); ++i) check("threads", i, "loop", report().threads[i].loop, report().loops.size());
    for (std::size_t i = 0; i < report().threads.size(); ++i) check("threads", i, "awaited_loop", report().threads[i].awaited_loop, report().loops.size());
    for (std::size_t i = 0; i < report().loops.size(); ++i) check("loops", i, "thread", report().loops[i].thread, report().threads.size());
    for (std::size_t i = 0; i < report().jobs.size(); ++i) check("jobs", i, "thread", report().jobs[i].thread, report().threads.size());
  }

  void resolve_groups() {
    std::unordered_map<Address, std::uint32_t> index;
    for (std::size_t i = 0; i < report().tasks.size(); ++i) index.emplace(report().tasks[i].id, static_cast<std::uint32_t>(i));
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      TaskGroup group;
      for (Address id : groups_[i]) {
        const auto found = index.find(id);
        if (found == index.end()) return problems_.fail(fmt::format("groups[{}].tasks", i), fmt::format("{} is no task", format_address(id)));
        group.tasks.push_back(found->second);
      }
      report().groups.push_back(std::move(group));
    }
  }

  Report& report() { return stored_.report; }

  StoredReport stored_;
  FrameTables tables_{stored_.report};
  JsonProblems problems_;
  std::string section_;
  std::set<std::string> sections_;
  std::vector<std::vector<Address>> groups_;
  bool newer_ = false;
};

}  // namespace

Result<StoredReport> read_json(std::string_view document) { return ReportReader().read(document); }

bool looks_like_json(std::string_view beginning) {
  const std::size_t at = beginning.find_first_not_of(" \t\r\n");
  return at != std::string_view::npos && beginning[at] == '{';
}

}  // namespace asyncspy
