#include "incident_store.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "catch.h"
#include "json_reader.h"
#include "sample_report.h"

namespace asyncspy {
namespace {

class Directory {
 public:
  Directory() {
    std::string name = (std::filesystem::temp_directory_path() / "asyncspy-store-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string path(const std::string& name = "") const { return name.empty() ? path_ : path_ + "/" + name; }
  void put(const std::string& name, const std::string& text = "x") const { std::ofstream(path(name)) << text; }

 private:
  std::string path_;
};

Report make_incident(std::uint64_t id, std::int64_t second) {
  Report report = sample::make_blocked_service();
  report.incident.emplace();
  report.incident->id = id;
  report.incident->trigger = IncidentTrigger::kStall;
  report.incident->detected_ns = 1'795'166'400'000'000'000 + second * 1'000'000'000;
  return report;
}

IncidentStore open(const std::string& path, const RetentionLimits& limits = {}) {
  auto store = IncidentStore::open(path, limits, "0.1.0");
  REQUIRE(store);
  return std::move(*store);
}

struct Written {
  std::string name;
  std::vector<RemovedFile> removed;
};

std::optional<Written> write(IncidentStore& store, const Report& report) {
  Written written;
  auto name = store.write(report, written.removed);
  if (!name) return std::nullopt;
  written.name = std::move(*name);
  return written;
}

}  // namespace

TEST_CASE("an incident is a file that can be read again, for its owner only") {
  const Directory directory;
  IncidentStore store = open(directory.path("a/b"));
  const auto written = write(store, make_incident(7, 0));
  REQUIRE(written);
  CHECK(written->name == "asyncspy-20261120T092000.000Z-4242-stall.json");
  std::ifstream file(directory.path("a/b/" + written->name));
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const auto stored = read_json(text);
  REQUIRE(stored);
  REQUIRE(stored->report.incident);
  CHECK(stored->report.incident->id == 7);
  struct stat facts {};
  REQUIRE(::stat(directory.path("a/b/" + written->name).c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0600);
  REQUIRE(store.list().size() == 1);
  CHECK(store.list()[0].bytes == text.size());
}

TEST_CASE("incidents of one millisecond are files each") {
  const Directory directory;
  IncidentStore store = open(directory.path());
  std::vector<std::string> names;
  for (std::uint64_t i = 1; i <= 3; ++i) {
    const auto written = write(store, make_incident(i, 0));
    REQUIRE(written);
    names.push_back(written->name);
  }
  CHECK(names[1] == "asyncspy-20261120T092000.000Z-4242-stall-2.json");
  CHECK(names[2] == "asyncspy-20261120T092000.000Z-4242-stall-3.json");
  CHECK(store.list().size() == 3);
}

TEST_CASE("the oldest files go when there are too many, and others stay") {
  const Directory directory;
  directory.put("notes.txt");
  directory.put("asyncspy-notes.txt");
  IncidentStore store = open(directory.path(), {.files = 3});
  std::vector<std::string> names;
  std::vector<std::string> removed;
  for (std::int64_t i = 0; i < 5; ++i) {
    const auto written = write(store, make_incident(static_cast<std::uint64_t>(i), i));
    REQUIRE(written);
    names.push_back(written->name);
    for (const RemovedFile& each : written->removed) {
      CHECK(each.why == "count");
      removed.push_back(each.name);
    }
  }
  CHECK(removed == std::vector<std::string>{names[0], names[1]});
  CHECK(store.list().size() == 3);
  CHECK(std::filesystem::exists(directory.path("notes.txt")));
  CHECK(std::filesystem::exists(directory.path("asyncspy-notes.txt")));
}

TEST_CASE("files go when they are too large together, but for the latest") {
  const Directory directory;
  IncidentStore store = open(directory.path(), {.bytes = 1});
  REQUIRE(write(store, make_incident(1, 1)));
  const auto second = write(store, make_incident(2, 2));
  REQUIRE(second);
  REQUIRE(second->removed.size() == 1);
  CHECK(second->removed[0].why == "bytes");
  CHECK(store.list().size() == 1);
}

TEST_CASE("files go when they are too old") {
  const Directory directory;
  IncidentStore store = open(directory.path(), {.age = 3600});
  const auto written = write(store, make_incident(1, 1));
  REQUIRE(written);
  CHECK(store.enforce_limits().empty());
  std::filesystem::last_write_time(directory.path(written->name), std::filesystem::file_time_type::clock::now() - std::chrono::hours(2));
  const auto removed = store.enforce_limits();
  REQUIRE(removed.size() == 1);
  CHECK(removed[0].why == "age");
}

TEST_CASE("what was left half-written is removed at the start") {
  const Directory directory;
  directory.put(".asyncspy-123-4.partial");
  directory.put(".other.partial");
  const IncidentStore store = open(directory.path());
  CHECK(!std::filesystem::exists(directory.path(".asyncspy-123-4.partial")));
  CHECK(std::filesystem::exists(directory.path(".other.partial")));
}

TEST_CASE("only files of ours are opened, and nothing outside of the directory") {
  const Directory directory;
  IncidentStore store = open(directory.path("in"));
  directory.put("asyncspy-secret.json");
  directory.put("in/asyncspy-good.json");
  std::filesystem::create_symlink(directory.path("asyncspy-secret.json"), directory.path("in/asyncspy-link.json"));
  std::filesystem::create_directory(directory.path("in/asyncspy-directory.json"));
  CHECK(store.open_file("asyncspy-good.json"));
  for (const char* name : {"", "..", "../asyncspy-secret.json", "asyncspy-../../asyncspy-secret.json", "asyncspy-link.json", "asyncspy-directory.json",
                           "asyncspy-missing.json", "/etc/passwd", "asyncspy-good.json/"}) {
    INFO(name);
    CHECK(!store.open_file(name));
  }
  CHECK(!store.open_file(std::string_view("asyncspy-good\0.json", 19)));
}

TEST_CASE("a directory that can not be made is an error") {
  const Directory directory;
  directory.put("file");
  CHECK(!IncidentStore::open(directory.path("file/below"), {}, "0.1.0"));
}

}  // namespace asyncspy
