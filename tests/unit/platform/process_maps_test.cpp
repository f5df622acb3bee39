#include "process_maps.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "catch.h"

namespace asyncspy {

TEST_CASE("a mapping's line yields place, rights, file and path") {
  const auto maps = parse_process_maps("7f0000001000-7f0000003000 r-xs 00002000 fd:01 1234   /usr/lib/a b (x).so\n");
  REQUIRE(maps.size() == 1);
  CHECK(maps[0].start == Address{0x7f0000001000});
  CHECK(maps[0].end == Address{0x7f0000003000});
  CHECK((maps[0].readable && !maps[0].writable && maps[0].executable && maps[0].shared));
  CHECK(maps[0].file_offset == 0x2000);
  CHECK(maps[0].inode == 1234);
  CHECK(maps[0].path == "/usr/lib/a b (x).so");
  CHECK_FALSE(maps[0].deleted);
}

TEST_CASE("a deleted path loses the remark and keeps its spaces and newlines") {
  const auto maps = parse_process_maps("1000-2000 r--p 00000000 00:01 9 /tmp/my lib\\012x (deleted) (deleted)\n");
  REQUIRE(maps.size() == 1);
  CHECK(maps[0].deleted);
  CHECK(maps[0].path == "/tmp/my lib\nx (deleted)");
}

TEST_CASE("lines that make no sense are left out and the others kept") {
  const auto maps = parse_process_maps(
      "garbage\n2000-1000 r--p 0 00:00 0\n1000-2000 r- 0 00:00 0\nzz-2000 r--p 0 00:00 0\n"
      "1000-2000 rw-p 00000000 00:00 0 \n3000-4000 rw-p 00000000 00:00 0 [heap]");
  REQUIRE(maps.size() == 2);
  CHECK(maps[0].path.empty());
  CHECK(maps[1].path == "[heap]");
}

TEST_CASE("the maps of this process hold the code that runs") {
  const auto maps = read_process_maps(::getpid());
  REQUIRE(maps);
  const auto here = reinterpret_cast<std::uint64_t>(&parse_process_maps);
  CHECK(std::ranges::any_of(*maps, [&](const Mapping& mapping) {
    return mapping.executable && mapping.start.value() <= here && here < mapping.end.value();
  }));
}

TEST_CASE("files whose names look like the kernel's remarks keep their names, and deleted ones are told") {
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / ("asyncspy-maps-" + std::to_string(::getpid()));
  std::filesystem::create_directory(folder);
  for (const char* name : {"plain", "lib (deleted)", "a\\012b", "a\nb", "a\\012b (deleted)", "a\nb (deleted)"}) {
    const std::string path = folder / name;
    INFO(path);
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT, 0600);
    REQUIRE(file >= 0);
    REQUIRE(::ftruncate(file, 4096) == 0);
    void* place = ::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, file, 0);
    ::close(file);
    REQUIRE(place != MAP_FAILED);
    const auto look = [&] {
      const auto maps = read_process_maps(::getpid());
      REQUIRE(maps);
      const auto found = std::ranges::find(*maps, Address{reinterpret_cast<std::uint64_t>(place)}, &Mapping::start);
      REQUIRE(found != maps->end());
      return *found;
    };
    CHECK(look().path == path);
    CHECK_FALSE(look().deleted);
    std::filesystem::remove(path);
    CHECK(look().deleted);
    ::munmap(place, 4096);
  }
  std::filesystem::remove_all(folder);
}

}  // namespace asyncspy
