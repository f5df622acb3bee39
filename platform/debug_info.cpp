#include "debug_info.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <fmt/format.h>
#include <gelf.h>
#include <libelf.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <unordered_map>

#include "elf_image.h"
#include "file_descriptor.h"
#include "system_files.h"

// One pass over the outermost entries of all units: each wanted name is resolved where it is first described in full. A
// typedef counts for the struct behind it. The same struct is described in many units, with one layout.

namespace asyncspy {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kMostEntries = 50'000'000;
constexpr int kMostMembers = 20'000;  // looked at for one question
constexpr int kEntriesPerLookAtClock = 4096;
constexpr std::uint64_t kLargestStruct = std::uint64_t{1} << 24;

struct EndElf {
  void operator()(Elf* elf) const { ::elf_end(elf); }
};
struct EndDwarf {
  void operator()(Dwarf* dwarf) const { ::dwarf_end(dwarf); }
};

// Debug information of one open file. The order of the members is that in which they have to go.
struct OpenDwarf {
  FileDescriptor file;
  std::unique_ptr<Elf, EndElf> elf;
  std::unique_ptr<Dwarf, EndDwarf> dwarf;
};

OpenDwarf open_dwarf(const std::string& path) {
  OpenDwarf opened;
  opened.file = open_regular_file(path);
  if (!opened.file) return opened;
  ::elf_version(EV_CURRENT);
  // Read and not mapped: a file that is cut short meanwhile must yield an error and not a SIGBUS.
  opened.elf.reset(::elf_begin(opened.file.get(), ELF_C_READ, nullptr));
  if (opened.elf && ::elf_kind(opened.elf.get()) == ELF_K_ELF) {
    opened.dwarf.reset(::dwarf_begin_elf(opened.elf.get(), DWARF_C_READ, nullptr));
  }
  return opened;
}

// Also says what the file's build id is: `path` may have been replaced by another build since it was loaded.
bool is_of_build(const std::string& path, const std::string& build_id) {
  if (build_id.empty()) return true;
  FileDescriptor file = open_regular_file(path);
  if (!file) return false;
  auto image = ElfImage::open(std::move(file), path);
  return image && image->build_id() == build_id;
}

std::string place_by_build_id(const std::string& root, const std::string& build_id) {
  return fmt::format("{}/usr/lib/debug/.build-id/{}/{}.debug", root, build_id.substr(0, 2), build_id.substr(2));
}

// What dwz moved out of the file into one that several share: found below the target's root here, and by libdw itself
// below this machine's.
OpenDwarf open_shared_part(Dwarf* dwarf, const std::string& root) {
  const char* name = nullptr;
  const void* id = nullptr;
  const ssize_t size = ::dwelf_dwarf_gnu_debugaltlink(dwarf, &name, &id);
  if (size <= 1 || size > 64) return {};
  std::string build_id;
  for (ssize_t i = 0; i < size; ++i) build_id += fmt::format("{:02x}", static_cast<const unsigned char*>(id)[i]);
  OpenDwarf shared = open_dwarf(place_by_build_id(root, build_id));
  if (shared.dwarf) ::dwarf_setalt(dwarf, shared.dwarf.get());
  return shared;
}

bool is_struct(int tag) { return tag == DW_TAG_structure_type || tag == DW_TAG_union_type; }

// The struct behind a name or a member's type, if it is described in full here.
std::optional<Dwarf_Die> find_struct(Dwarf_Die type) {
  Dwarf_Die peeled;
  if (::dwarf_peel_type(&type, &peeled) != 0 || !is_struct(::dwarf_tag(&peeled))) return std::nullopt;
  if (::dwarf_hasattr(&peeled, DW_AT_declaration) != 0 || ::dwarf_haschildren(&peeled) <= 0) return std::nullopt;
  return peeled;
}

std::optional<Dwarf_Die> type_of(Dwarf_Die& entry) {
  Dwarf_Attribute attribute;
  Dwarf_Die type;
  if (::dwarf_attr_integrate(&entry, DW_AT_type, &attribute) == nullptr) return std::nullopt;
  if (::dwarf_formref_die(&attribute, &type) == nullptr) return std::nullopt;
  return type;
}

std::optional<std::uint64_t> number_of(Dwarf_Die& entry, unsigned name) {
  Dwarf_Attribute attribute;
  Dwarf_Word value = 0;
  if (::dwarf_attr(&entry, name, &attribute) == nullptr || ::dwarf_formudata(&attribute, &value) != 0) return std::nullopt;
  return value;
}

std::uint64_t size_of(Dwarf_Die type) {
  Dwarf_Word size = 0;
  return ::dwarf_aggregate_size(&type, &size) == 0 && size <= kLargestStruct ? size : 0;
}

// Bits from the start of the struct that holds the member.
struct BitPlace {
  std::uint64_t position = 0;
  std::uint64_t width = 0;  // 0: no bit field
};

std::optional<BitPlace> place_of(Dwarf_Die& member) {
  const std::uint64_t offset = number_of(member, DW_AT_data_member_location).value_or(0);  // members of unions have none
  const std::uint64_t width = number_of(member, DW_AT_bit_size).value_or(0);
  if (offset > kLargestStruct || width > 64) return std::nullopt;
  BitPlace place{offset * 8, width};
  if (const auto position = number_of(member, DW_AT_data_bit_offset)) place.position = *position;
  if (const auto from_top = number_of(member, DW_AT_bit_offset)) {  // DWARF 2 and 3: counted from the highest bit
    const auto type = type_of(member);
    const std::uint64_t storage = number_of(member, DW_AT_byte_size).value_or(type ? size_of(*type) : 0) * 8;
    if (*from_top + width > storage) return std::nullopt;
    place.position += storage - *from_top - width;
  }
  if (place.position > kLargestStruct * 8) return std::nullopt;
  return place;
}

struct FoundMember {
  BitPlace place;
  std::optional<Dwarf_Die> type;
};

// First among the struct's own members, then in its nameless parts and in what it begins with, and so on inward.
std::optional<FoundMember> find_member(const Dwarf_Die& start, std::string_view wanted) {
  struct Part {
    Dwarf_Die type;
    std::uint64_t position;
  };
  std::deque<Part> parts = {{start, 0}};
  for (int looked_at = 0; !parts.empty() && looked_at < kMostMembers;) {
    Part part = parts.front();
    parts.pop_front();
    Dwarf_Die member;
    if (::dwarf_child(&part.type, &member) != 0) continue;
    do {
      ++looked_at;
      if (::dwarf_tag(&member) != DW_TAG_member) continue;
      auto place = place_of(member);
      if (!place) continue;
      place->position += part.position;
      const char* name = ::dwarf_diename(&member);
      const auto type = type_of(member);
      if (name != nullptr && name == wanted) return FoundMember{*place, type};
      if (name != nullptr && place->position != part.position) continue;
      if (const auto inner = type ? find_struct(*type) : std::nullopt) parts.push_back({*inner, place->position});
    } while (looked_at < kMostMembers && ::dwarf_siblingof(&member, &member) == 0);
  }
  return std::nullopt;
}

std::string_view struct_name(std::string_view question) { return question.substr(0, question.find('.')); }

std::optional<StructMember> follow(const Dwarf_Die& outermost, std::string_view question) {
  FoundMember found{{}, outermost};
  for (std::size_t dot = question.find('.'); dot != std::string_view::npos;) {
    const std::size_t next = question.find('.', dot + 1);
    const auto inside = found.type ? find_struct(*found.type) : std::nullopt;
    if (!inside) return std::nullopt;
    auto member = find_member(*inside, question.substr(dot + 1, next == std::string_view::npos ? next : next - dot - 1));
    if (!member) return std::nullopt;
    member->place.position += found.place.position;
    found = *member;
    dot = next;
  }
  StructMember result{found.place.position / 8, 0, 0};
  const std::uint64_t shift = found.place.position % 8;
  if (found.place.width == 0) {
    result.size = found.type ? size_of(*found.type) : 0;
  } else if (shift + found.place.width <= 32) {
    result.bit_mask = static_cast<std::uint32_t>(((std::uint64_t{1} << found.place.width) - 1) << shift);
  } else {
    return std::nullopt;
  }
  return result;
}

class StructSearch {
 public:
  StructSearch(std::span<const std::string_view> questions, Clock::time_point until) : until_(until) {
    for (const std::string_view question : questions) wanted_.try_emplace(struct_name(question));
    missing_ = wanted_.size();
  }

  // False when it took too long.
  bool scan(Dwarf* dwarf) {
    Dwarf_Off offset = 0;
    Dwarf_Off next = 0;
    std::size_t header = 0;
    for (; missing_ > 0 && ::dwarf_nextcu(dwarf, offset, &next, &header, nullptr, nullptr, nullptr) == 0 && next > offset; offset = next) {
      Dwarf_Die unit;
      Dwarf_Die entry;
      if (::dwarf_offdie(dwarf, offset + header, &unit) == nullptr || ::dwarf_child(&unit, &entry) != 0) continue;
      do {
        if (entries_++ % kEntriesPerLookAtClock == 0 && (entries_ > kMostEntries || Clock::now() > until_)) return false;
        note(entry);
      } while (missing_ > 0 && ::dwarf_siblingof(&entry, &entry) == 0);
    }
    return true;
  }

  [[nodiscard]] StructAnswer answer(std::string_view question) const {
    const auto& found = wanted_.at(struct_name(question));
    if (!found) return {};
    return {true, follow(*found, question)};
  }

 private:
  void note(Dwarf_Die& entry) {
    const int tag = ::dwarf_tag(&entry);
    if (tag != DW_TAG_typedef && !is_struct(tag)) return;
    const char* name = ::dwarf_diename(&entry);
    if (name == nullptr) return;
    const auto wanted = wanted_.find(name);
    if (wanted == wanted_.end() || wanted->second) return;
    wanted->second = find_struct(entry);
    if (wanted->second) --missing_;
  }

  std::unordered_map<std::string_view, std::optional<Dwarf_Die>> wanted_;
  std::size_t missing_ = 0;
  int entries_ = 0;
  Clock::time_point until_;
};

}  // namespace

std::vector<std::string> list_debug_files_by_id(const std::string& build_id, const std::string& root) {
  if (build_id.size() <= 2) return {};
  std::vector<std::string> places = {place_by_build_id(root, build_id)};
  if (!root.empty()) places.push_back(place_by_build_id("", build_id));
  return places;
}

std::vector<std::string> list_debug_files(const LoadedImage& image) {
  std::vector<std::string> places;
  auto add = [&](const std::string& place) {
    if (std::ranges::find(places, place) == places.end() && is_of_build(place, image.build_id)) places.push_back(place);
  };
  add(image.root + image.path);
  add(image.path);  // maps of a process with another root directory show paths as seen from here
  for (const std::string& place : list_debug_files_by_id(image.build_id, image.root)) add(place);
  return places;
}

Result<StructAnswers> find_struct_members(const LoadedImage& image, std::span<const std::string_view> questions,
                                          std::chrono::milliseconds most) {
  const Clock::time_point until = Clock::now() + most;
  for (const std::string& path : list_debug_files(image)) {
    OpenDwarf opened = open_dwarf(path);
    Dwarf* dwarf = opened.dwarf.get();
    Dwarf_Off next = 0;
    std::size_t header = 0;
    if (dwarf == nullptr || ::dwarf_nextcu(dwarf, 0, &next, &header, nullptr, nullptr, nullptr) != 0) continue;
    OpenDwarf shared = open_shared_part(dwarf, image.root);
    Dwarf* second = shared.dwarf ? shared.dwarf.get() : ::dwarf_getalt(dwarf);
    StructSearch search(questions, until);
    if (!search.scan(dwarf) || (second != nullptr && !search.scan(second))) {
      return fail(ErrorKind::kTimeout, fmt::format("{}: its debug information takes longer than {} ms to read", path, most.count()));
    }
    StructAnswers result{path, {}};
    for (const std::string_view question : questions) result.answers.push_back(search.answer(question));
    return result;
  }
  return fail(ErrorKind::kUnreadable, fmt::format("{}: no debug information of it is here", image.path));
}

}  // namespace asyncspy
