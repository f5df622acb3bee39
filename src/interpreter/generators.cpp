#include "generators.h"

#include "frames.h"

namespace asyncspy {
namespace {

struct Position {
  GeneratorPhase phase = GeneratorPhase::kFinished;
  Address frame;
  std::int8_t state = 0;  // gi_frame_state or f_state, where there is one
};

GeneratorPhase phase_of(const FrameStates& states, std::int8_t state) {
  if (state == states.created) return GeneratorPhase::kCreated;
  if (state == states.executing) return GeneratorPhase::kRunning;
  if (state >= states.first_finished) return GeneratorPhase::kFinished;
  return GeneratorPhase::kSuspended;
}

// 3.7-3.9: no state is stored. The frame is dropped (null, or None for a moment) when the generator ends.
Result<Position> locate_by_flags(Inspection& inspection, const ObjectView& view) {
  const PythonLayout& layout = inspection.layout();
  Position position;
  position.frame = view.get(layout.generator.frame);
  if (position.frame.is_null()) return position;
  ASYNCSPY_TRY(type, inspection.types.of(inspection.reader, position.frame));
  if (type->name != "frame") {
    position.frame = {};
    return position;
  }
  if (view.get(layout.generator.running) != 0) {
    position.phase = GeneratorPhase::kRunning;
    return position;
  }
  ASYNCSPY_TRY(last, inspection.reader.read(position.frame, layout.frame_object.last_instruction));
  position.phase = last < 0 ? GeneratorPhase::kCreated : GeneratorPhase::kSuspended;
  return position;
}

Result<Position> locate(Inspection& inspection, const ObjectView& view) {
  const PythonLayout& layout = inspection.layout();
  Position position;
  switch (layout.generator_state) {
    case GeneratorState::kFrameAndRunningFlag: return locate_by_flags(inspection, view);
    case GeneratorState::kFrameObjectState: {
      position.frame = view.get(layout.generator.frame);
      if (position.frame.is_null()) return position;
      ASYNCSPY_TRY(state, inspection.reader.read(position.frame, layout.frame_object.state));
      position.state = state;
      break;
    }
    case GeneratorState::kOwnState:
      position.frame = view.address() + static_cast<std::uint64_t>(layout.generator.inline_frame.offset);
      position.state = view.get(layout.generator.frame_state);
      break;
  }
  position.phase = phase_of(layout.frame_states, position.state);
  if (position.phase == GeneratorPhase::kFinished) position.frame = {};
  return position;
}

Result<std::uint8_t> byte_of_code(Inspection& inspection, const RawFrame& raw, std::int64_t offset) {
  if (offset < 0 || offset >= raw.code->size) return fail(ErrorKind::kCorrupt, "instruction outside its code", {}, raw.address);
  return inspection.reader.memory.read_value<std::uint8_t>(raw.code->start + static_cast<std::uint64_t>(offset));
}

// Number of values on the frame's stack plus locals (3.11-3.13), checked.
Result<Address> read_stack_top_value(Inspection& inspection, Address frame) {
  const InterpreterFrameLayout& layout = inspection.layout().frame;
  ASYNCSPY_TRY(top, inspection.reader.read(frame, layout.stack_top));
  if (top < 1 || top > (1 << 20)) return fail(ErrorKind::kCorrupt, "stack of a suspended frame is not plausible", {}, frame);
  return read_local(inspection, frame, static_cast<std::size_t>(top) - 1);
}

Result<Address> read_below_stack_pointer(Inspection& inspection, Address frame, std::uint64_t words) {
  ASYNCSPY_TRY(pointer, inspection.reader.read(frame, inspection.layout().frame.stack_pointer));
  ASYNCSPY_TRY(value, inspection.reader.memory.read_value<Address>(pointer - words * 8));
  return inspection.reader.untag(value);
}

// What a suspended generator yields from or awaits; null when it suspended at a plain yield.
Result<Address> read_delegate(Inspection& inspection, const RawFrame& raw, std::int8_t state) {
  const PythonLayout& layout = inspection.layout();
  bool state_says_yield_from = state >= layout.frame_states.suspended_yield_from && state < layout.frame_states.executing;
  switch (layout.delegate) {
    case Delegate::kYieldFromStackTop: {
      ASYNCSPY_TRY(opcode, byte_of_code(inspection, raw, raw.offset + 2));
      if (opcode != layout.yield_from_opcode) return Address{};
      ASYNCSPY_TRY(top, inspection.reader.read(raw.address, layout.frame_object.stack_top));
      return inspection.reader.memory.read_value<Address>(top - 8);
    }
    case Delegate::kYieldFromStackDepth: {
      ASYNCSPY_TRY(opcode, byte_of_code(inspection, raw, raw.offset + 2));
      if (opcode != layout.yield_from_opcode) return Address{};
      ASYNCSPY_TRY(depth, inspection.reader.read(raw.address, layout.frame_object.stack_depth));
      ASYNCSPY_TRY(stack, inspection.reader.read(raw.address, layout.frame_object.value_stack));
      if (depth < 1 || depth > (1 << 20)) return fail(ErrorKind::kCorrupt, "stack of a suspended frame is not plausible", {}, raw.address);
      return inspection.reader.memory.read_value<Address>(stack + static_cast<std::uint64_t>(depth - 1) * 8);
    }
    case Delegate::kResumeArgument: {
      // RESUME after `yield from` has argument 2, after `await` 3 (Lib/dis documentation; the low bits are stable).
      ASYNCSPY_TRY(argument, byte_of_code(inspection, raw, raw.offset + 3));
      if ((argument & 3) < 2) return Address{};
      return read_stack_top_value(inspection, raw.address);
    }
    case Delegate::kFrameState:
      return state_says_yield_from ? read_stack_top_value(inspection, raw.address) : Result<Address>{Address{}};
    case Delegate::kStackPointer:
      return state_says_yield_from ? read_below_stack_pointer(inspection, raw.address, 1) : Result<Address>{Address{}};
    case Delegate::kStackPointerBelow:
      return state_says_yield_from ? read_below_stack_pointer(inspection, raw.address, 2) : Result<Address>{Address{}};
  }
  return Address{};
}

}  // namespace

FrameKind frame_kind_of(std::int32_t code_flags) {
  if ((code_flags & 0x80) != 0) return FrameKind::kCoroutine;
  if ((code_flags & 0x200) != 0) return FrameKind::kAsyncGenerator;
  return FrameKind::kGenerator;
}

Result<Generator> read_generator(Inspection& inspection, Address object, FrameKind kind) {
  const GeneratorLayout& layout = inspection.layout().generator;
  ASYNCSPY_TRY(view, inspection.reader.view_of(object, layout.frame, layout.running, layout.frame_state, layout.handled_exception));
  ASYNCSPY_TRY(position, locate(inspection, view));
  Generator generator;
  generator.address = object;
  generator.phase = position.phase;
  generator.frame = position.frame;
  generator.shown.kind = kind;
  generator.shown.object = object;
  if (position.frame.is_null()) return generator;
  ASYNCSPY_TRY(raw, read_frame(inspection, position.frame));
  if (raw.is_shim) return fail(ErrorKind::kCorrupt, "a generator without code", {}, object);
  generator.shown = show_frame(inspection, raw);
  generator.shown.kind = kind;
  generator.shown.object = object;
  if (position.phase == GeneratorPhase::kSuspended) {
    generator.handled = view.get(layout.handled_exception);
    ASYNCSPY_TRY(delegate, read_delegate(inspection, raw, position.state));
    generator.delegate = delegate;
  }
  return generator;
}

}  // namespace asyncspy
