#include "choose_layout.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "debug_layout.h"
#include "debug_offsets.h"
#include "fields.h"
#include "validate.h"

namespace asyncspy {
namespace {

Result<void> adopt_debug_offsets(Memory& memory, Address runtime, LayoutChoice& choice) {
  std::size_t size = debug_offsets_size(choice.layout.minor);
  if (size == 0) return {};
  std::vector<std::byte> table(size);
  if (auto done = memory.read(runtime, table); !done) return std::unexpected(std::move(done.error()));
  // Micro releases differ from the version file here: that is what the table is for, and no reason to warn.
  ASYNCSPY_TRY(changes, apply_debug_offsets(choice.layout, table));
  (void)changes;
  return {};
}

// The section is in _asyncio*.so, or in the executable when the module is built in.
bool adopt_asyncio_debug(Memory& memory, const std::vector<LoadedImage>& images, LayoutChoice& choice) {
  if (choice.layout.task_enumeration != TaskEnumeration::kLinkedLists) return false;
  for (const LoadedImage& image : images) {
    if (image.asyncio_debug.is_null()) continue;
    std::vector<std::byte> table(kAsyncioDebugSize);
    if (!memory.read(image.asyncio_debug, table)) continue;
    PythonLayout changed = choice.layout;
    auto changes = apply_asyncio_debug(changed, table);
    if (changes) {
      choice.layout = changed;
      return true;
    }
    choice.warnings.push_back(fmt::format("layout: {} ({}), the version file counts", changes.error().what, image.path));
  }
  return false;
}

void note_origins(LayoutChoice& choice, bool has_asyncio_debug) {
  for_each_field(choice.layout, [&](std::string_view field, const auto&) {
    FieldOrigin origin = FieldOrigin::kVersionFile;
    if (is_exported_by_runtime(choice.layout.minor, field)) origin = FieldOrigin::kDebugOffsets;
    if (has_asyncio_debug && is_exported_by_asyncio(field)) origin = FieldOrigin::kAsyncioDebug;
    choice.origins.push_back(origin);
  });
}

std::vector<SelfCheck> run_checks(CheckScope& scope) {
  std::vector<SelfCheck> checks;
  check_values(scope, checks);
  check_members(scope, checks);
  check_threads(scope, checks);
  check_coroutine_getters(scope, checks);
  check_accelerator(scope, checks);
  return checks;
}

bool is_of_accelerator(const SelfCheck& check) { return check.subject.starts_with("task.") || check.subject.starts_with("future."); }
bool failed(const SelfCheck& check) { return check.result == CheckResult::kFailed; }

// Of the image that holds the runtime, if that exports it.
Address find_hash_secret(const std::vector<LoadedImage>& images, Address runtime) {
  const auto image = std::ranges::find(images, runtime, &LoadedImage::runtime);
  return image != images.end() ? image->hash_secret : Address{};
}

// Where only futures and tasks are objected to, their getters know better: a micro release that is not in the version file.
Result<void> repair_accelerator(Memory& memory, Address runtime, Address hash_secret, LayoutChoice& choice) {
  PythonLayout repaired = choice.layout;
  ObjectReader reader{memory, choice.layout};
  ASYNCSPY_TRY(scope, open_scope(reader, runtime, hash_secret));
  ASYNCSPY_TRY(adopted, adopt_getters(scope, repaired));
  std::size_t index = 0;
  std::string list;
  for_each_field(repaired, [&](std::string_view field, const auto& value) {
    if (layout_detail::offset_of(value) != offset_by_name(choice.layout, field)) choice.origins[index] = FieldOrigin::kMachineCode;
    ++index;
  });
  for (const std::string& change : adopted) list += (list.empty() ? "" : ", ") + change;
  choice.layout = repaired;
  choice.warnings.push_back("layout: read out of the getters of _asyncio.Task, since the version file does not fit: " + list);
  return {};
}

Result<void> check_and_repair(Memory& memory, Address runtime, Address hash_secret, LayoutChoice& choice) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    ObjectReader reader{memory, choice.layout};
    ASYNCSPY_TRY(scope, open_scope(reader, runtime, hash_secret));
    ASYNCSPY_TRY(version, check_version_of_sys(scope));
    choice.hex_version = version;
    choice.string_hash = scope.reader.string_hash;
    choice.checks = run_checks(scope);
    auto first = std::find_if(choice.checks.begin(), choice.checks.end(), failed);
    if (first == choice.checks.end()) return {};
    bool only_accelerator = std::all_of(choice.checks.begin(), choice.checks.end(),
                                        [](const SelfCheck& check) { return !failed(check) || is_of_accelerator(check); });
    if (attempt > 0 || !only_accelerator) {
      return fail(ErrorKind::kCorrupt, fmt::format("self-check of {} failed: {}", first->subject, first->detail));
    }
    if (auto repaired = repair_accelerator(memory, runtime, hash_secret, choice); !repaired) return repaired;
  }
  return {};
}

Result<LayoutChoice> begin_choice(Memory& memory, Address runtime, const std::vector<LoadedImage>& images, const PythonLayout& file) {
  LayoutChoice choice;
  choice.layout = file;
  if (auto done = adopt_debug_offsets(memory, runtime, choice); !done) return std::unexpected(std::move(done.error()));
  bool has_asyncio_debug = adopt_asyncio_debug(memory, images, choice);
  note_origins(choice, has_asyncio_debug);
  return choice;
}

Result<LayoutChoice> end_choice(Memory& memory, Address runtime, const std::vector<LoadedImage>& images, LayoutChoice choice) {
  if (auto valid = validate(choice.layout); !valid) return std::unexpected(std::move(valid.error()));
  if (auto done = check_and_repair(memory, runtime, find_hash_secret(images, runtime), choice); !done) return std::unexpected(std::move(done.error()));
  return choice;
}

// What the target exports about itself stays.
Result<void> adopt_debug_info(const std::vector<LoadedImage>& images, Address runtime, LayoutChoice& choice) {
  ASYNCSPY_TRY(debug, read_debug_layout(images, runtime));
  std::vector<bool> exported;
  for (FieldOrigin origin : choice.origins) exported.push_back(origin != FieldOrigin::kVersionFile);
  std::size_t index = 0;
  AdoptedMembers adopted = adopt_debug_layout(debug, [&](std::string_view) { return exported[index++]; }, choice.layout);
  if (adopted.changed.empty()) {
    return fail(ErrorKind::kCorrupt, fmt::format("the debug information in {} says the same as the version file", debug.path));
  }
  for (std::size_t i = 0; i < choice.origins.size(); ++i) {
    if (adopted.answered[i]) choice.origins[i] = FieldOrigin::kDwarf;
  }
  choice.warnings.push_back(fmt::format("layout: taken from the debug information in {}, since the version file does not fit: {}",
                                        debug.path, fmt::join(adopted.changed, ", ")));
  return {};
}

}  // namespace

Result<LayoutChoice> try_layout(Memory& memory, Address runtime, const std::vector<LoadedImage>& images, const PythonLayout& file) {
  ASYNCSPY_TRY(choice, begin_choice(memory, runtime, images, file));
  return end_choice(memory, runtime, images, std::move(choice));
}

Result<LayoutChoice> try_layout_from_debug_info(Memory& memory, Address runtime, const std::vector<LoadedImage>& images,
                                                const PythonLayout& file) {
  ASYNCSPY_TRY(choice, begin_choice(memory, runtime, images, file));
  if (auto done = adopt_debug_info(images, runtime, choice); !done) return std::unexpected(std::move(done.error()));
  return end_choice(memory, runtime, images, std::move(choice));
}

}  // namespace asyncspy
