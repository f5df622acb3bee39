#include "frames.h"

#include <algorithm>

#include "circle.h"
#include "frame_division.h"
#include "generators.h"

namespace asyncspy {
namespace {

// More than any recursion limit in use; a walk of this length over garbage ends quickly all the same.
constexpr std::size_t kMaxFrames = 200'000;

std::uint64_t unsigned_offset(std::int32_t offset) { return static_cast<std::uint64_t>(offset); }

// 3.7-3.10, Include/frameobject.h and Include/cpython/frameobject.h.
Result<RawFrame> read_frame_object(Inspection& inspection, Address address) {
  const FrameObjectLayout& layout = inspection.layout().frame_object;
  ASYNCSPY_TRY(view, inspection.reader.view_of(address, layout.code, layout.back, layout.generator, layout.last_instruction));
  ASYNCSPY_TRY(code, inspection.codes.find(inspection.reader, view.get(layout.code)));
  RawFrame raw;
  raw.address = address;
  raw.previous = view.get(layout.back);
  raw.code = code;
  raw.generator = view.get(layout.generator);
  raw.offset = view.get(layout.last_instruction);
  if (inspection.layout().instruction_pointer == InstructionPointer::kLastUnits && raw.offset > 0) raw.offset *= 2;
  return raw;
}

// 3.11+, Include/internal/pycore_frame.h (3.14+: pycore_interpframe_structs.h).
Result<RawFrame> read_interpreter_frame(Inspection& inspection, Address address) {
  constexpr std::int8_t kOwnedByGenerator = 1;
  const InterpreterFrameLayout& layout = inspection.layout().frame;
  ASYNCSPY_TRY(view, inspection.reader.view_of(address, layout.previous, layout.owner, layout.executable, layout.instruction));
  RawFrame raw;
  raw.address = address;
  raw.previous = view.get(layout.previous);
  std::int8_t owner = view.get(layout.owner);
  if (owner < 0 || owner > 8) return fail(ErrorKind::kCorrupt, "not a frame", {}, address);
  if (owner >= inspection.layout().first_shim_owner) {
    raw.is_shim = true;
    return raw;
  }
  Address executable = inspection.reader.untag(view.get(layout.executable));
  ASYNCSPY_TRY(code, inspection.codes.find(inspection.reader, executable));
  raw.code = code;
  raw.offset = static_cast<std::int64_t>(view.get(layout.instruction).value() - code->start.value());
  if (raw.offset < -64 || raw.offset > code->size) return fail(ErrorKind::kCorrupt, "instruction pointer outside its code", {}, address);
  if (owner == kOwnedByGenerator) {
    raw.generator = address - unsigned_offset(inspection.layout().generator.inline_frame.offset);
  } else {
    ASYNCSPY_TRY(first, inspection.reader.read(executable, inspection.layout().code.first_traceable));
    raw.is_complete = raw.offset >= std::int64_t{first} * 2;
  }
  return raw;
}

// The generator's own qualified name, as an index into names, where it differs from that of its code.
std::uint32_t find_own_name(Inspection& inspection, Address generator, Code& code) {
  auto pointer = inspection.reader.read(generator, inspection.layout().generator.qualified_name);
  if (!pointer || pointer->is_null()) return kNoFunction;
  if (*pointer == code.last_own_name) return code.last_own_index;
  std::uint32_t index = find_name_of_text(inspection, *pointer);
  bool same = index != kNoFunction && inspection.names.name(index) == inspection.codes.functions()[code.function].qualified_name;
  code.last_own_name = *pointer;
  code.last_own_index = same ? kNoFunction : index;
  return code.last_own_index;
}

}  // namespace

Result<RawFrame> read_frame(Inspection& inspection, Address frame) {
  return inspection.layout().thread_frame == ThreadFrame::kFrameObject ? read_frame_object(inspection, frame)
                                                                       : read_interpreter_frame(inspection, frame);
}

Frame show_frame(Inspection& inspection, const RawFrame& raw) {
  Frame frame;
  frame.function = raw.code->function;
  frame.line = raw.offset < 0 ? raw.code->first_line : inspection.codes.line_at(inspection.reader, *raw.code, raw.offset);
  if (!raw.generator.is_null()) {
    frame.kind = frame_kind_of(raw.code->flags);
    frame.object = raw.generator;
    frame.name = find_own_name(inspection, raw.generator, *raw.code);
  }
  return frame;
}

StackWalk walk_stack(Inspection& inspection, Address innermost, Address cframe) {
  StackWalk walk;
  RunDivision division(inspection, cframe);
  std::size_t steps = 0;
  Circle circle;
  for (Address at = innermost; !at.is_null(); ++steps) {
    if (steps >= kMaxFrames || circle.closes_at(at)) {
      walk.gaps.push_back({"thread stack", "the chain of frames does not end", at});
      break;
    }
    auto raw = read_frame(inspection, at);
    if (!raw) {
      walk.gaps.push_back({"thread stack", raw.error().what, at});
      break;
    }
    if (raw->is_shim) ++walk.shims;
    const bool is_shown = !raw->is_shim && raw->is_complete;
    division.pass(*raw, is_shown);
    if (is_shown) {
      Frame shown = show_frame(inspection, *raw);
      shown.running = true;
      walk.frames.push_back({shown, at});
    }
    at = raw->previous;
  }
  std::reverse(walk.frames.begin(), walk.frames.end());
  walk.runs = division.finish();
  return walk;
}

Result<Address> read_local(const Inspection& inspection, Address frame, std::size_t index) {
  const PythonLayout& layout = inspection.layout();
  bool is_object = layout.thread_frame == ThreadFrame::kFrameObject;
  Bytes first = is_object ? layout.frame_object.localsplus : layout.frame.localsplus;
  ASYNCSPY_TRY(value, inspection.reader.memory.read_value<Address>(frame + unsigned_offset(first.offset) + index * 8));
  return inspection.reader.untag(value);
}

}  // namespace asyncspy
