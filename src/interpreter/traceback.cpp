#include "traceback.h"

#include "circle.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostEntries = 100'000;  // of the chain
constexpr std::size_t kMostShown = 20;

// The code that a frame object executes: its own (3.7-3.10), or that of the frame structure that it points to.
Result<Address> find_code(const Inspection& inspection, Address frame) {
  const PythonLayout& layout = inspection.layout();
  if (layout.frame_object.code.present()) return inspection.reader.read(frame, layout.frame_object.code);
  ASYNCSPY_TRY(structure, inspection.reader.read(frame, layout.frame_object.frame));
  ASYNCSPY_TRY(code, inspection.reader.read(structure, layout.frame.executable));
  return inspection.reader.untag(code);
}

Result<RaisedAt> read_entry(Inspection& inspection, Address entry) {
  const TracebackLayout& layout = inspection.layout().traceback;
  ASYNCSPY_TRY(view, inspection.reader.view_of(entry, layout.frame, layout.last_instruction, layout.line));
  ASYNCSPY_TRY(code_at, find_code(inspection, view.get(layout.frame)));
  ASYNCSPY_TRY(code, inspection.codes.find(inspection.reader, code_at));
  RaisedAt place;
  place.function = code->function;
  // From 3.12 on the line is worked out when somebody asks for it (Python/traceback.c, tb_lineno_get).
  place.line = view.get(layout.line);
  if (place.line <= 0) place.line = inspection.codes.line_at(inspection.reader, *code, view.get(layout.last_instruction));
  return place;
}

}  // namespace

Result<std::vector<RaisedAt>> read_traceback(Inspection& inspection, Address exception) {
  std::vector<RaisedAt> places;
  ASYNCSPY_TRY(first, inspection.reader.read(exception, inspection.layout().exception.traceback));
  std::vector<Address> entries;
  Circle circle;
  for (Address at = first; !at.is_null();) {
    ASYNCSPY_TRY(type, inspection.types.of(inspection.reader, at));
    if (entries.empty() && type->name == "NoneType") return places;
    if (type->name != "traceback") return fail(ErrorKind::kCorrupt, "not a traceback", {}, at);
    if (entries.size() >= kMostEntries || circle.closes_at(at)) return fail(ErrorKind::kCorrupt, "the traceback does not end", {}, at);
    entries.push_back(at);
    ASYNCSPY_TRY(next, inspection.reader.read(at, inspection.layout().traceback.next));
    at = next;
  }
  for (std::size_t i = entries.size() - std::min(entries.size(), kMostShown); i < entries.size(); ++i) {
    ASYNCSPY_TRY(place, read_entry(inspection, entries[i]));
    places.push_back(place);
  }
  return places;
}

}  // namespace asyncspy
