#include "runtime.h"

#include <algorithm>

#include <fmt/format.h>

#include "debug_offsets.h"
#include "find_runtime_fallbacks.h"
#include "versions.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMaxInterpreters = 1024;

unsigned minor_of(std::uint32_t hex_version) { return (hex_version >> 16) & 0xFF; }

Result<void> check_version(std::uint32_t hex_version) {
  unsigned major = hex_version >> 24;
  if (major == 3 && minor_of(hex_version) >= kOldestMinor && minor_of(hex_version) <= kNewestMinor) return {};
  return fail(ErrorKind::kUnsupported,
              fmt::format("python {}: this version is not supported", format_version(hex_version)),
              fmt::format("asyncspy reads CPython 3.{} to 3.{}", kOldestMinor, kNewestMinor));
}

// The version as the target itself states it, where a fixed place for that exists: 3.11+.
Result<std::optional<std::uint32_t>> read_stated_version(Memory& memory, Address runtime, const LoadedImage& image) {
  std::vector<std::byte> header(kDebugHeaderSize);
  if (memory.read(runtime, header)) {
    if (auto parsed = parse_debug_header(header)) {
      auto version = static_cast<std::uint32_t>(parsed->hex_version);
      if (parsed->free_threaded) {
        return fail(ErrorKind::kUnsupported,
                    fmt::format("python {}: free-threaded builds are not supported", format_version(version)),
                    "run the service on a build with the GIL to inspect it");
      }
      return std::optional{version};
    }
  }
  if (!image.version.is_null()) {
    if (auto version = memory.read_value<std::uint32_t>(image.version)) return std::optional{*version};
  }
  return std::optional<std::uint32_t>{};
}

enum class LayoutSource : std::uint8_t { kVersionFiles, kDebugInfo };

// Micro releases come with different layouts: those that were not tried are kept for a better one, the first error is told.
Result<Runtime> read_runtime(Memory& memory, const RuntimePlace& place, const std::vector<LoadedImage>& images, LayoutSource source) {
  ASYNCSPY_TRY(stated, read_stated_version(memory, place.runtime, *place.image));
  unsigned first = place.first_minor;
  unsigned last = place.last_minor;
  if (stated) {
    if (auto known = check_version(*stated); !known) return std::unexpected(std::move(known.error()));
    first = last = minor_of(*stated);
  }
  std::optional<Runtime> repaired;
  Error error{ErrorKind::kCorrupt, "no known layout fits", {}, place.runtime};
  bool version_fits = false;
  for (unsigned minor = first; minor <= last; ++minor) {
    for (const PythonLayout& file : find_layouts(minor)) {
      auto choice = source == LayoutSource::kDebugInfo ? try_layout_from_debug_info(memory, place.runtime, images, file)
                                                       : try_layout(memory, place.runtime, images, file);
      if (!choice) {
        if (choice.error().kind == ErrorKind::kNotPython) return std::unexpected(std::move(choice.error()));
        // An objection to the right release says more than one to a wrong one.
        bool is_right_release = choice.error().what.starts_with("self-check");
        if (is_right_release || !version_fits) error = choice.error();
        version_fits = version_fits || is_right_release;
        continue;
      }
      Runtime runtime{.address = place.runtime, .layout = choice->layout, .hex_version = choice->hex_version,
                      .version = format_version(choice->hex_version), .library = place.image->path, .warnings = choice->warnings,
                      .origins = choice->origins, .checks = choice->checks, .string_hash = choice->string_hash};
      if (runtime.warnings.empty()) return runtime;
      if (!repaired) repaired = std::move(runtime);  // another micro layout may fit without repair
    }
  }
  if (repaired) return std::move(*repaired);
  error.what = fmt::format("python{}: {}", stated ? " " + format_version(*stated) : std::string(" 3.7-3.10"), error.what);
  error.hint = "`asyncspy doctor PID` shows what was tried; debug information of this Python (its -dbg package) may help";
  return std::unexpected(std::move(error));
}

bool can_be_repaired(const Error& error) { return error.kind == ErrorKind::kCorrupt || error.kind == ErrorKind::kUnreadable; }

}  // namespace

std::string format_version(std::uint32_t hex_version) {
  std::string text = fmt::format("{}.{}.{}", hex_version >> 24, (hex_version >> 16) & 0xFF, (hex_version >> 8) & 0xFF);
  switch ((hex_version >> 4) & 0xF) {
    case 0xA: return text + fmt::format("a{}", hex_version & 0xF);
    case 0xB: return text + fmt::format("b{}", hex_version & 0xF);
    case 0xC: return text + fmt::format("rc{}", hex_version & 0xF);
    default: return text;
  }
}

Result<Runtime> find_runtime(Memory& memory, const std::vector<LoadedImage>& images) {
  std::optional<Error> first_error;
  const std::vector<RuntimePlace> places = find_runtime_places(memory, images);
  bool pypy = std::ranges::any_of(images, &LoadedImage::looks_like_pypy);
  for (LayoutSource source : {LayoutSource::kVersionFiles, LayoutSource::kDebugInfo}) {
    if (source == LayoutSource::kDebugInfo && !(first_error && can_be_repaired(*first_error))) break;
    for (const RuntimePlace& place : places) {
      auto runtime = read_runtime(memory, place, images, source);
      if (runtime) {
        if (!place.guess.empty()) runtime->warnings.insert(runtime->warnings.begin(), "interpreter: " + place.guess);
        return runtime;
      }
      if (!first_error && place.is_certain()) first_error = runtime.error();
    }
  }
  if (first_error) return std::unexpected(*first_error);
  if (pypy) {
    return fail(ErrorKind::kUnsupported, "python: this is PyPy, which is not supported", "asyncspy reads CPython only");
  }
  auto older = std::ranges::find_if(images, [](const LoadedImage& image) { return !image.interpreter_head.is_null(); });
  if (older != images.end()) {
    auto stated = read_stated_version(memory, {}, *older);
    if (stated && *stated) {
      if (auto known = check_version(**stated); !known) return std::unexpected(std::move(known.error()));
    }
    return fail(ErrorKind::kUnsupported, fmt::format("python: {} is older than 3.7 (it has no _PyRuntime)", older->path),
                fmt::format("asyncspy reads CPython 3.{} to 3.{}", kOldestMinor, kNewestMinor));
  }
  return fail(ErrorKind::kNotPython, "process: no Python interpreter was found in it",
              "`asyncspy ps` lists the Python processes of this machine");
}

Result<std::vector<Interpreter>> read_interpreters(const ObjectReader& reader, const Runtime& runtime) {
  const PythonLayout& layout = reader.layout;
  std::vector<Interpreter> interpreters;
  ASYNCSPY_TRY(head, reader.read(runtime.address, layout.runtime.interpreters_head));
  for (Address at = head; !at.is_null() && interpreters.size() < kMaxInterpreters;) {
    Interpreter one;
    one.address = at;
    ASYNCSPY_TRY(id, reader.read(at, layout.interpreter.id));
    ASYNCSPY_TRY(modules, reader.read(at, layout.interpreter.modules));
    one.id = id;
    one.modules = modules;
    Address holder_base = runtime.address;
    Pointer holder = layout.runtime.gil_last_holder;
    Int32 locked = layout.runtime.gil_locked;
    if (layout.interpreter.gil.present()) {
      if (auto gil = reader.read(at, layout.interpreter.gil)) holder_base = *gil;
      holder = layout.gil.last_holder;
      locked = layout.gil.locked;
    }
    if (auto value = reader.read(holder_base, holder)) one.gil_holder = *value;
    if (auto value = reader.read(holder_base, locked)) one.gil_locked = *value == 1;
    one.gil = holder_base + static_cast<std::uint64_t>(holder.offset);
    interpreters.push_back(one);
    ASYNCSPY_TRY(next, reader.read(at, layout.interpreter.next));
    if (next == head) break;
    at = next;
  }
  std::reverse(interpreters.begin(), interpreters.end());  // the list is newest first
  return interpreters;
}

}  // namespace asyncspy
