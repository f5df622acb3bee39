#include "loaded_images.h"

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "dynamic_symbols.h"
#include "elf_image.h"
#include "memory_scan.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostImages = 4096;
constexpr std::uint64_t kMostScanned = std::uint64_t{64} << 20;  // bytes of data
constexpr std::size_t kMostPlaces = 16;                          // the mark is also in programs that look for it
constexpr std::array kMark = {'x', 'd', 'e', 'b', 'u', 'g', 'p', 'y'};  // Include/internal/pycore_debug_offsets.h

// Indices into kSymbols.
enum Symbol : std::size_t { kRuntime, kVersion, kInterpreterHead, kHashSecret, kAsyncioDebug, kFirstOfPypy };

constexpr std::array kSymbols = std::to_array<std::string_view>(
    {"_PyRuntime", "Py_Version", "PyInterpreterState_Head", "_Py_HashSecret", "_Py_AsyncioDebug", "pypy_main_startup",
     "pypy_execute_source", "pypy_setup_home", "PyPy_IsInitialized", "PyPyObject_Repr"});

// One mapped file, or one of several places where it is mapped.
struct Candidate {
  const Mapping* first = nullptr;   // of file offset 0, or null
  const Mapping* anchor = nullptr;  // executable if there is one
  int rank = 0;                     // lower: looked at earlier
};

constexpr int kLikely = 2;  // ranks up to this are always looked at

int rank_of(const Mapping& mapping, const std::string& executable) {
  const std::string_view path = mapping.path;
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (name.starts_with("libpython") || name.starts_with("libpypy")) return 0;
  if (path == executable || name.starts_with("python") || name.starts_with("pypy")) return 1;
  if (name.starts_with("_asyncio.")) return kLikely;
  // Extension modules are named NAME.cpython-312-x86_64-linux-gnu.so: that says nothing.
  if (name.find("python") != std::string_view::npos && name.find(".cpython-") == std::string_view::npos) return 3;
  return mapping.executable ? 4 : 5;
}

std::vector<Candidate> find_candidates(const std::string& executable, const std::vector<Mapping>& mappings) {
  std::map<std::pair<std::string_view, std::uint64_t>, std::size_t> known;
  std::vector<Candidate> candidates;
  for (const Mapping& mapping : mappings) {
    if (mapping.inode == 0 || !mapping.readable || !mapping.path.starts_with('/')) continue;
    const auto [entry, added] = known.try_emplace({mapping.path, mapping.inode}, candidates.size());
    if (added) {
      if (candidates.size() == kMostImages) break;
      candidates.push_back({});
    }
    Candidate& candidate = candidates[entry->second];
    if (mapping.file_offset == 0 && candidate.first == nullptr) candidate.first = &mapping;
    const bool better = candidate.anchor == nullptr || (mapping.executable && !candidate.anchor->executable);
    if (better) candidate.anchor = &mapping;
  }
  for (Candidate& candidate : candidates) candidate.rank = rank_of(*candidate.anchor, executable);
  std::ranges::stable_sort(candidates, {}, &Candidate::rank);
  return candidates;
}

LoadedImage make_image(const Candidate& candidate, std::uint64_t bias,
                       const std::vector<std::optional<std::uint64_t>>& found) {
  const auto place = [&](std::size_t symbol) { return found[symbol] ? Address{bias + *found[symbol]} : Address{}; };
  LoadedImage image;
  image.path = candidate.anchor->path;
  image.bias = bias;
  image.runtime = place(kRuntime);
  image.version = place(kVersion);
  image.interpreter_head = place(kInterpreterHead);
  image.hash_secret = place(kHashSecret);
  image.asyncio_debug = place(kAsyncioDebug);
  image.looks_like_pypy = std::any_of(found.begin() + kFirstOfPypy, found.end(), [](auto& one) { return one; });
  return image;
}

std::optional<LoadedImage> examine_file(FileDescriptor file, const Candidate& candidate) {
  const Mapping& anchor = *candidate.anchor;
  auto elf = ElfImage::open(std::move(file), anchor.path);
  if (!elf) return std::nullopt;
  const auto bias = find_bias(elf->segments(), anchor.start.value(), anchor.file_offset, anchor.executable);
  if (!bias) return std::nullopt;
  LoadedImage image = make_image(candidate, *bias, elf->find_symbols(kSymbols));
  image.build_id = elf->build_id();
  const auto place_section = [&](Address& place, std::string_view name) {
    if (!place.is_null()) return;
    if (const auto address = elf->section_address(name)) place = Address{*bias + *address};
  };
  place_section(image.runtime, ".PyRuntime");
  place_section(image.asyncio_debug, ".AsyncioDebug");
  return image;
}

std::optional<LoadedImage> examine_memory(const Candidate& candidate, Memory& memory) {
  if (candidate.first == nullptr) return std::nullopt;
  const auto symbols = DynamicSymbols::read(memory, candidate.first->start);
  if (!symbols) return std::nullopt;
  return make_image(candidate, symbols->bias(), symbols->find_symbols(memory, kSymbols));
}

// Of the accelerator only the debug information is wanted where it exports nothing (up to 3.13).
bool is_accelerator(const Candidate& candidate) { return candidate.rank == kLikely; }

bool is_of_interest(const LoadedImage& image) {
  return !image.runtime.is_null() || !image.version.is_null() || !image.asyncio_debug.is_null() ||
         !image.interpreter_head.is_null() || image.looks_like_pypy;
}

std::vector<LoadedImage> find_by_content(const std::string& executable, const std::vector<Mapping>& mappings,
                                         const MappedFiles& files, Memory& memory) {
  std::vector<LoadedImage> images;
  for (const Address place : find_word(memory, mappings, std::bit_cast<std::uint64_t>(kMark), kMostScanned, kMostPlaces)) {
    const auto around = std::ranges::find_if(mappings, [&](const Mapping& one) { return one.start <= place && place < one.end; });
    LoadedImage image;
    image.path = around != mappings.end() && around->path.starts_with('/') ? around->path : executable;
    image.root = files.root();
    image.runtime = place;
    images.push_back(std::move(image));
  }
  return images;
}

}  // namespace

std::vector<LoadedImage> find_loaded_images(const std::string& executable, const std::vector<Mapping>& mappings,
                                            MappedFiles& files, Memory& memory) {
  std::vector<LoadedImage> images;
  bool runtime_found = false;
  for (const Candidate& candidate : find_candidates(executable, mappings)) {
    if (runtime_found && candidate.rank > kLikely) break;
    FileDescriptor file = files.open({candidate.anchor, candidate.first});
    auto image = file ? examine_file(std::move(file), candidate) : examine_memory(candidate, memory);
    if (!image || !(is_of_interest(*image) || is_accelerator(candidate))) continue;
    image->root = files.root();
    runtime_found = runtime_found || !image->runtime.is_null() || image->looks_like_pypy;
    images.push_back(std::move(*image));
  }
  if (!runtime_found) {
    for (LoadedImage& image : find_by_content(executable, mappings, files, memory)) images.push_back(std::move(image));
  }
  std::ranges::stable_partition(images, [](const LoadedImage& image) { return !image.runtime.is_null(); });
  return images;
}

}  // namespace asyncspy
