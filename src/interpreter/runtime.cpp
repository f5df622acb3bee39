#include "runtime.h"

#include <algorithm>

#include <fmt/format.h>

#include "containers.h"
#include "debug_offsets.h"
#include "number.h"
#include "text.h"
#include "type.h"
#include "validate.h"
#include "versions.h"

namespace asyncspy {
namespace {

constexpr unsigned kOldestMinor = 7;
constexpr unsigned kNewestMinor = 15;
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
Result<std::optional<std::uint32_t>> read_stated_version(Memory& memory, const LoadedImage& image) {
  std::vector<std::byte> header(kDebugHeaderSize);
  if (memory.read(image.runtime, header)) {
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

// sys.hexversion and sys.modules agree with the version and with PyInterpreterState.modules. Only the right layout
// passes: releases whose members lie at the same places differ in the version.
Result<std::uint32_t> check_against_sys(Memory& memory, const PythonLayout& layout, Address runtime) {
  ObjectReader reader{memory, layout};
  ASYNCSPY_TRY(head, reader.read(runtime, layout.runtime.interpreters_head));
  if (head.is_null()) return fail(ErrorKind::kNotPython, "the interpreter is not initialised (starting or ended)");
  ASYNCSPY_TRY(sysdict, reader.read(head, layout.interpreter.sysdict));
  ASYNCSPY_TRY(modules, reader.read(head, layout.interpreter.modules));
  ASYNCSPY_TRY(entries, read_dict(reader, sysdict));
  ASYNCSPY_TRY(stated, find_in_entries(reader, entries, "hexversion"));
  ASYNCSPY_TRY(sys_modules, find_in_entries(reader, entries, "modules"));
  if (!stated || !sys_modules) return fail(ErrorKind::kCorrupt, "sys has no hexversion or no modules");
  ASYNCSPY_TRY(version, read_integer(reader, *stated));
  if ((version >> 24) != 3 || minor_of(static_cast<std::uint32_t>(version)) != layout.minor) {
    return fail(ErrorKind::kCorrupt, "sys.hexversion is of another release");
  }
  if (*sys_modules != modules) return fail(ErrorKind::kCorrupt, "sys.modules is not the interpreter's table of modules");
  // The type of sys itself must be called module, and the type of that type be a type.
  ASYNCSPY_TRY(type, reader.type_of(sysdict));
  ASYNCSPY_TRY(name_at, reader.read(type, layout.type.name));
  ASYNCSPY_TRY(name, read_c_string(memory, name_at, 16));
  if (name != "dict") return fail(ErrorKind::kCorrupt, "the type of sys's dictionary has another name");
  return static_cast<std::uint32_t>(version);
}

// Version file, then what the target exports.
Result<PythonLayout> choose_layout(Memory& memory, const LoadedImage& runtime_image, const std::vector<LoadedImage>& images,
                                   const PythonLayout& file, std::vector<std::string>& warnings) {
  PythonLayout layout = file;
  if (std::size_t size = debug_offsets_size(layout.minor); size > 0) {
    std::vector<std::byte> table(size);
    if (auto done = memory.read(runtime_image.runtime, table); !done) return std::unexpected(std::move(done.error()));
    ASYNCSPY_TRY(changes, apply_debug_offsets(layout, table));
    (void)changes;  // micro releases differ there: that is what the table is for
  }
  if (layout.task_enumeration == TaskEnumeration::kLinkedLists) {
    for (const LoadedImage& image : images) {
      if (image.asyncio_debug.is_null()) continue;
      std::vector<std::byte> table(kAsyncioDebugSize);
      if (!memory.read(image.asyncio_debug, table)) continue;
      PythonLayout changed = layout;
      if (auto changes = apply_asyncio_debug(changed, table)) {
        layout = changed;
      } else {
        warnings.push_back(fmt::format("layout: {} ({})", changes.error().what, image.path));
      }
    }
  }
  if (auto valid = validate(layout); !valid) return std::unexpected(std::move(valid.error()));
  return layout;
}

Result<Runtime> read_runtime(Memory& memory, const LoadedImage& image, const std::vector<LoadedImage>& images) {
  ASYNCSPY_TRY(stated, read_stated_version(memory, image));
  unsigned first = kOldestMinor;
  unsigned last = kNewestMinor;
  if (stated) {
    if (auto known = check_version(*stated); !known) return std::unexpected(std::move(known.error()));
    first = last = minor_of(*stated);
  } else {
    last = 10;  // later releases state their version
  }
  Error last_error{ErrorKind::kUnsupported, "python: no known layout fits this interpreter", "", image.runtime};
  for (unsigned minor = first; minor <= last; ++minor) {
    for (const PythonLayout& file : find_layouts(minor)) {
      Runtime runtime{.address = image.runtime, .layout = {}, .hex_version = 0, .version = {}, .library = image.path, .warnings = {}};
      auto layout = choose_layout(memory, image, images, file, runtime.warnings);
      if (!layout) {
        last_error = layout.error();
        continue;
      }
      auto version = check_against_sys(memory, *layout, image.runtime);
      if (!version) {
        if (stated || version.error().kind == ErrorKind::kNotPython) last_error = version.error();
        continue;
      }
      runtime.layout = *layout;
      runtime.hex_version = *version;
      runtime.version = format_version(*version);
      return runtime;
    }
  }
  if (last_error.kind == ErrorKind::kCorrupt || last_error.kind == ErrorKind::kUnreadable) {
    last_error.what = fmt::format("python{}: the interpreter can not be read: {}",
                                  stated ? " " + format_version(*stated) : "", last_error.what);
    last_error.kind = ErrorKind::kUnsupported;
  }
  return std::unexpected(last_error);
}

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
  bool pypy = false;
  const LoadedImage* older = nullptr;
  for (const LoadedImage& image : images) {
    pypy = pypy || image.looks_like_pypy;
    if (image.runtime.is_null() && !image.interpreter_head.is_null()) older = &image;
    if (image.runtime.is_null()) continue;
    auto runtime = read_runtime(memory, image, images);
    if (runtime) return runtime;
    if (!first_error) first_error = runtime.error();
  }
  if (first_error) return std::unexpected(*first_error);
  if (pypy) {
    return fail(ErrorKind::kUnsupported, "python: this is PyPy, which is not supported", "asyncspy reads CPython only");
  }
  if (older != nullptr) {
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
