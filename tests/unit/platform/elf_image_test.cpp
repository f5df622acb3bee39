#include "elf_image.h"

#include <dlfcn.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>

#include "bytes_memory.h"
#include "catch.h"
#include "dynamic_symbols.h"
#include "live_memory.h"
#include "loaded_images.h"
#include "process_maps.h"
#include "system_files.h"

// Found in this very program by the tests: a runtime by its name, the section by its name.
extern "C" {
__attribute__((used, visibility("default"))) int _PyRuntime = 0x1234;
__attribute__((used, section(".AsyncioDebug"))) int asyncspy_test_section = 0x5678;
}

namespace asyncspy {
namespace {

struct Library {
  std::string path;
  std::uint64_t bias = 0;
};

// The C library as it is loaded here; the loader's own answer is the truth that the tests compare with.
Library find_libc() {
  Dl_info info{};
  link_map* map = nullptr;
  REQUIRE(::dladdr1(reinterpret_cast<void*>(&::getpid), &info, reinterpret_cast<void**>(&map), RTLD_DL_LINKMAP) != 0);
  // As maps shows it: without symbolic links.
  return {std::filesystem::canonical(map->l_name), map->l_addr};
}

std::uint64_t address_in(const Library& library, const char* name) {
  void* handle = ::dlopen(library.path.c_str(), RTLD_NOW | RTLD_NOLOAD);
  REQUIRE(handle != nullptr);
  const auto address = reinterpret_cast<std::uint64_t>(::dlsym(handle, name));
  ::dlclose(handle);
  return address;
}

}  // namespace

TEST_CASE("dynamic symbols of a real library are where the loader says") {
  const Library libc = find_libc();
  auto image = ElfImage::open(open_regular_file(libc.path), libc.path);
  REQUIRE(image);
  constexpr std::array kNames = std::to_array<std::string_view>({"no_such_symbol", "getpid", "environ"});
  const auto found = image->find_symbols(kNames);
  REQUIRE(found.size() == 3);
  CHECK_FALSE(found[0]);
  REQUIRE(found[1]);
  CHECK(libc.bias + *found[1] == address_in(libc, "getpid"));
  CHECK(found[2]);
  CHECK(image->section_address(".text"));
  CHECK_FALSE(image->section_address(".AsyncioDebug"));
  CHECK(image->build_id().size() == 40);
  CHECK(image->build_id().find_first_not_of("0123456789abcdef") == std::string::npos);
}

TEST_CASE("each mapping of a library gives the same bias") {
  const Library libc = find_libc();
  auto image = ElfImage::open(open_regular_file(libc.path), libc.path);
  REQUIRE(image);
  const auto maps = read_process_maps(::getpid());
  REQUIRE(maps);
  int seen = 0;
  for (const Mapping& mapping : *maps) {
    if (mapping.path != libc.path || !mapping.readable) continue;
    ++seen;
    CHECK(find_bias(image->segments(), mapping.start.value(), mapping.file_offset, mapping.executable) == libc.bias);
  }
  CHECK(seen >= 3);
}

TEST_CASE("a program at a fixed place has no bias, and an offset outside of all segments gives none") {
  const std::array segments = {ElfSegment{0, 0x400000, 0x1234, 0x1234, false},
                               ElfSegment{0x1234, 0x402234, 0x1000, 0x1000, true}};
  CHECK(find_bias(segments, 0x400000, 0, false) == 0);
  // Both segments share the page at 0x1000 of the file: the rights decide.
  CHECK(find_bias(segments, 0x402000, 0x1000, true) == 0);
  CHECK(find_bias(segments, 0x401000, 0x1000, false) == 0);
  CHECK_FALSE(find_bias(segments, 0x500000, 0x10000, true));
}

TEST_CASE("what is not an ELF file is an error") {
  CHECK_FALSE(ElfImage::open({}, "nothing"));
  std::FILE* file = std::tmpfile();
  REQUIRE(file != nullptr);
  std::fputs(
      "\x7f"
      "ELF but not really",
      file);
  std::fflush(file);
  const auto image = ElfImage::open(FileDescriptor(::dup(::fileno(file))), "broken");
  std::fclose(file);
  REQUIRE_FALSE(image);
  CHECK(image.error().what.starts_with("broken: "));
}

TEST_CASE("symbols are found in memory when there is no file") {
  const Library libc = find_libc();
  LiveMemory memory(::getpid());
  const auto symbols = DynamicSymbols::read(memory, Address{libc.bias});
  REQUIRE(symbols);
  CHECK(symbols->bias() == libc.bias);
  constexpr std::array kNames = std::to_array<std::string_view>({"getpid", "no_such_symbol", "write"});
  const auto found = symbols->find_symbols(memory, kNames);
  REQUIRE(found.size() == 3);
  REQUIRE(found[0]);
  CHECK(libc.bias + *found[0] == address_in(libc, "getpid"));
  CHECK_FALSE(found[1]);
  CHECK(found[2]);
}

TEST_CASE("garbage in place of an image is an error, not a crash") {
  BytesMemory memory;
  memory.put(Address{0x1000}, std::array<std::byte, 4096>{});
  CHECK_FALSE(DynamicSymbols::read(memory, Address{0x1000}));
  CHECK_FALSE(DynamicSymbols::read(memory, Address{0x9000}));
}

TEST_CASE("a program that embeds a runtime under its own name is found, with its sections") {
  const auto maps = read_process_maps(::getpid());
  REQUIRE(maps);
  LiveMemory memory(::getpid());
  LiveMappedFiles files(::getpid(), memory);
  const std::string executable = read_system_link("/proc/self/exe");
  // Once as the executable, once as a file of which nothing is expected.
  for (const std::string& given : {executable, std::string("/other")}) {
    const auto images = find_loaded_images(given, *maps, files, memory);
    REQUIRE(images.size() == 1);
    CHECK(images[0].path == executable);
    CHECK(images[0].runtime == Address{reinterpret_cast<std::uint64_t>(&_PyRuntime)});
    CHECK(images[0].asyncio_debug == Address{reinterpret_cast<std::uint64_t>(&asyncspy_test_section)});
    CHECK_FALSE(images[0].looks_like_pypy);
    CHECK(images[0].version.is_null());
  }
}

}  // namespace asyncspy
