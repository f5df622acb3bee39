#include "locals.h"

#include <fmt/format.h>

#include "containers.h"
#include "secrets.h"
#include "text.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostPlaces = 2'000;     // local variables of one function; more are taken for garbage
constexpr std::size_t kMostVariables = 100;    // of one frame that are shown
constexpr std::size_t kMostRemembered = 200'000;

// Include/internal/pycore_code.h: CO_FAST_CELL, CO_FAST_FREE; Include/code.h: CO_VARARGS, CO_VARKEYWORDS.
constexpr std::uint8_t kCellKind = 0x40;
constexpr std::uint8_t kFreeKind = 0x80;
constexpr std::int32_t kVarargsFlag = 0x4;
constexpr std::int32_t kKeywordsFlag = 0x8;

// A reference to a small integer that is no object (3.14+, Include/internal/pycore_stackref.h).
constexpr std::uint64_t kTagMask = 3;
constexpr std::uint64_t kTaggedInteger = 3;

}  // namespace

void LocalsReader::attach(std::span<Frame> frames, std::span<const Address> addresses) {
  for (std::size_t i = 0; i < frames.size() && i < addresses.size(); ++i) {
    if (addresses[i].is_null() || frames[i].locals != kNoLocals) continue;
    frames[i].locals = static_cast<std::uint32_t>(all_.size());
    all_.push_back(read(addresses[i]));
  }
}

FrameLocals LocalsReader::read(Address frame) {
  auto values = read_values(frame);
  if (values) return std::move(*values);
  FrameLocals locals;
  locals.gap = values.error().what;
  return locals;
}

Result<FrameLocals> LocalsReader::read_values(Address frame) {
  const PythonLayout& layout = inspection_.layout();
  const ObjectReader& reader = inspection_.reader;
  const bool is_object = layout.thread_frame == ThreadFrame::kFrameObject;
  ASYNCSPY_TRY(code, reader.read(frame, is_object ? layout.frame_object.code : layout.frame.executable));
  ASYNCSPY_TRY(places, places_of(reader.untag(code)));
  const Bytes first = is_object ? layout.frame_object.localsplus : layout.frame.localsplus;
  std::vector<Address> stored(places->size());
  if (!stored.empty()) {
    auto done = reader.memory.read(frame + static_cast<std::uint64_t>(first.offset), std::as_writable_bytes(std::span(stored)));
    if (!done) return std::unexpected(std::move(done.error()));
  }
  FrameLocals locals;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    if (stored[i].is_null()) continue;
    const Place& place = (*places)[i];
    if (locals.variables.size() == kMostVariables) {
      ++locals.left_out;
    } else if (std::string value = show(place, stored[i]); !value.empty()) {
      locals.variables.push_back({place.name, std::move(value), place.kind});
    }
  }
  return locals;
}

std::string LocalsReader::show(const Place& place, Address stored) {
  const PythonLayout& layout = inspection_.layout();
  if (layout.stack_references == StackReferences::kTagged && (stored.value() & kTagMask) == kTaggedInteger) {
    return fmt::format("{}", static_cast<std::int64_t>(stored.value()) >> 2);
  }
  Address object = inspection_.reader.untag(stored);
  if (object.is_null()) return {};
  if (place.is_cell) {
    // An argument lies there bare until its cell is made.
    auto type = inspection_.types.of(inspection_.reader, object);
    if (type && (*type)->name == "cell") {
      auto content = inspection_.reader.read(object, layout.function.cell_value);
      if (!content) return "<unreadable>";
      object = *content;
      if (object.is_null()) return {};
    }
  }
  if (is_secret_name(place.name)) return representer_.represent(object, place.name);
  auto known = shown_.find(object);
  if (known != shown_.end()) return known->second;
  std::string text = representer_.represent(object);
  if (shown_.size() < kMostRemembered) shown_.emplace(object, text);
  return text;
}

Result<const std::vector<LocalsReader::Place>*> LocalsReader::places_of(Address code) {
  auto known = places_.find(code);
  if (known == places_.end()) {
    ASYNCSPY_TRY(checked, inspection_.codes.find(inspection_.reader, code));  // that it is a code object
    (void)checked;
    ASYNCSPY_TRY(places, read_places(code));
    known = places_.emplace(code, std::move(places)).first;
  }
  return &known->second;
}

Result<std::vector<LocalsReader::Place>> LocalsReader::read_places(Address code) {
  ASYNCSPY_TRY(arguments, count_arguments(code));
  ASYNCSPY_TRY(places, inspection_.layout().code.localsplus_names.present() ? read_joined_places(code) : read_separate_places(code));
  for (std::size_t i = 0; i < arguments && i < places.size(); ++i) {
    if (places[i].kind == VariableKind::kLocal) places[i].kind = VariableKind::kArgument;
  }
  return std::move(places);
}

// Arguments come first: positional ones, keyword-only ones, *args, **kwargs (Objects/codeobject.c).
Result<std::size_t> LocalsReader::count_arguments(Address code) {
  const CodeLayout& layout = inspection_.layout().code;
  ASYNCSPY_TRY(view, inspection_.reader.view_of(code, layout.argcount, layout.keyword_only_count, layout.flags));
  const std::int32_t positional = view.get(layout.argcount);
  const std::int32_t keyword_only = view.get(layout.keyword_only_count);
  const std::int32_t flags = view.get(layout.flags);
  if (positional < 0 || positional > 1'000'000 || keyword_only < 0 || keyword_only > 1'000'000) {
    return fail(ErrorKind::kCorrupt, "number of arguments is not plausible", {}, code);
  }
  const std::int32_t collecting = ((flags & kVarargsFlag) != 0 ? 1 : 0) + ((flags & kKeywordsFlag) != 0 ? 1 : 0);
  return static_cast<std::size_t>(positional + keyword_only + collecting);
}

Result<void> LocalsReader::add_names(Address tuple, VariableKind kind, bool is_cell, std::vector<Place>& places) {
  ASYNCSPY_TRY(names, read_tuple(inspection_.reader, tuple, kMostPlaces + 1));
  if (places.size() + names.size() > kMostPlaces) return fail(ErrorKind::kCorrupt, "number of variables is not plausible", {}, tuple);
  for (Address name : names) {
    ASYNCSPY_TRY(text, read_text(inspection_.reader, name));
    places.push_back({text, kind, is_cell});
  }
  return {};
}

Result<std::vector<LocalsReader::Place>> LocalsReader::read_separate_places(Address code) {
  const CodeLayout& layout = inspection_.layout().code;
  ASYNCSPY_TRY(view, inspection_.reader.view_of(code, layout.variable_names, layout.cell_names, layout.free_names));
  std::vector<Place> places;
  Result<void> done = add_names(view.get(layout.variable_names), VariableKind::kLocal, false, places);
  if (done) done = add_names(view.get(layout.cell_names), VariableKind::kLocal, true, places);
  if (done) done = add_names(view.get(layout.free_names), VariableKind::kClosure, true, places);
  if (!done) return std::unexpected(std::move(done.error()));
  // The cell of an argument has the argument's name, and the argument itself is gone (Python/ceval.c, _PyEval_EvalCodeWithName).
  ASYNCSPY_TRY(arguments, count_arguments(code));
  for (std::size_t i = 0; i < arguments && i < places.size(); ++i) {
    for (std::size_t k = arguments; k < places.size(); ++k) {
      if (places[k].is_cell && places[k].name == places[i].name) places[k].kind = VariableKind::kArgument;
    }
  }
  return places;
}

Result<std::vector<LocalsReader::Place>> LocalsReader::read_joined_places(Address code) {
  const CodeLayout& layout = inspection_.layout().code;
  const SequenceLayout& sequence = inspection_.layout().sequence;
  ASYNCSPY_TRY(view, inspection_.reader.view_of(code, layout.localsplus_names, layout.localsplus_kinds));
  std::vector<Place> places;
  auto done = add_names(view.get(layout.localsplus_names), VariableKind::kLocal, false, places);
  if (!done) return std::unexpected(std::move(done.error()));
  Address kinds_at = view.get(layout.localsplus_kinds);
  ASYNCSPY_TRY(size, inspection_.reader.read(kinds_at, sequence.bytes_size));
  if (size != static_cast<std::int64_t>(places.size())) return fail(ErrorKind::kCorrupt, "variables and their kinds differ in number", {}, code);
  std::vector<std::uint8_t> kinds(places.size());
  done = inspection_.reader.memory.read(kinds_at + static_cast<std::uint64_t>(sequence.bytes_data.offset), std::as_writable_bytes(std::span(kinds)));
  if (!done) return std::unexpected(std::move(done.error()));
  for (std::size_t i = 0; i < places.size(); ++i) {
    places[i].is_cell = (kinds[i] & (kCellKind | kFreeKind)) != 0;
    if ((kinds[i] & kFreeKind) != 0) places[i].kind = VariableKind::kClosure;
  }
  return places;
}

}  // namespace asyncspy
