#include "fake_frames.h"

#include <array>

namespace asyncspy {
namespace {

constexpr std::uint8_t kResume = 151;  // its number does not matter, its argument does

// Offset 0: first line + 1, kAwaitOffset: + 2, kYieldOffset: + 3, coded as the release would.
std::vector<std::uint8_t> line_table(LineTable coding) {
  constexpr std::uint8_t kRest = kFakeCodeSize - kYieldOffset;
  switch (coding) {
    case LineTable::kLnotab: return {0, 1, kAwaitOffset, 1, kYieldOffset - kAwaitOffset, 1};
    case LineTable::kRanges: return {kAwaitOffset, 1, kYieldOffset - kAwaitOffset, 1, kRest, 1};
    case LineTable::kLocations: break;
  }
  // Entries without columns (code 13) of at most 8 units: a signed varint of the line's change follows, +1 is 2.
  auto entry = [](int units) { return static_cast<std::uint8_t>(0x80 | 13 << 3 | (units - 1)); };
  return {entry(8), 2, entry(2), 0, entry(8), 2, entry(2), 0, entry(8), 2, entry(4), 0};
}

std::vector<std::uint8_t> bytecode(const PythonLayout& layout) {
  std::vector<std::uint8_t> code(kFakeCodeSize, 0);
  code[kAwaitOffset + 2] = layout.yield_from_opcode != 0 ? layout.yield_from_opcode : kResume;
  code[kAwaitOffset + 3] = layout.yield_from_opcode != 0 ? 0 : 3;
  code[kYieldOffset + 2] = layout.yield_from_opcode != 0 ? 1 : kResume;
  code[kYieldOffset + 3] = 1;
  return code;
}

int offset_of(FakePhase phase) {
  return phase == FakePhase::kAwaiting ? kAwaitOffset : phase == FakePhase::kYielding ? kYieldOffset : kCallOffset;
}

std::int8_t state_of(const FrameStates& states, FakePhase phase) {
  switch (phase) {
    case FakePhase::kCreated: return states.created;
    case FakePhase::kAwaiting: return states.suspended_yield_from;
    case FakePhase::kYielding: return states.suspended;
    case FakePhase::kRunning: return states.executing;
    case FakePhase::kFinished: break;
  }
  return states.first_finished;
}

}  // namespace

Address FakeFrames::code(const FakeFunction& function) {
  const CodeLayout& layout = heap_.layout().code;
  std::vector<std::uint8_t> instructions = bytecode(heap_.layout());
  bool is_inline = layout.inline_bytecode.present();
  std::int64_t size = is_inline ? layout.inline_bytecode.offset + kFakeCodeSize : layout.size;
  Address code = heap_.object(heap_.static_type("code"), size);
  heap_.set(code, layout.flags, function.flags);
  heap_.set(code, layout.first_line, function.first_line);
  heap_.set(code, layout.name, heap_.ascii(function.name));
  heap_.set(code, layout.file_name, heap_.ascii(function.file));
  heap_.set(code, layout.qualified_name, heap_.ascii(function.qualified_name));
  heap_.set(code, layout.line_table, heap_.bytes(line_table(heap_.layout().line_table)));
  heap_.set(code, layout.first_traceable, 1);
  set_variables(code, function);
  if (is_inline) {
    heap_.set(code, layout.code_units, kFakeCodeSize / 2);
    heap_.memory.write_bytes(FakeHeap::at(code, layout.inline_bytecode), std::as_bytes(std::span(instructions)));
  } else {
    heap_.set(code, layout.bytecode, heap_.bytes(instructions));
  }
  return code;
}

void FakeFrames::set_variables(Address code, const FakeFunction& function) {
  const CodeLayout& layout = heap_.layout().code;
  heap_.set(code, layout.argcount, function.arguments);
  heap_.set(code, layout.keyword_only_count, function.keyword_arguments);
  auto names = [&](std::initializer_list<std::vector<std::string_view>> lists) {
    std::vector<Address> items;
    for (const auto& list : lists) {
      for (std::string_view name : list) items.push_back(heap_.ascii(name));
    }
    return heap_.tuple(items);
  };
  heap_.set(code, layout.variable_names, names({function.locals}));
  heap_.set(code, layout.cell_names, names({function.cells}));
  heap_.set(code, layout.free_names, names({function.frees}));
  heap_.set(code, layout.localsplus_names, names({function.locals, function.cells, function.frees}));
  std::vector<std::uint8_t> kinds(function.locals.size(), 0x20);
  kinds.insert(kinds.end(), function.cells.size(), 0x40);
  kinds.insert(kinds.end(), function.frees.size(), 0x80);
  heap_.set(code, layout.localsplus_kinds, heap_.bytes(kinds));
}

Address FakeFrames::bytecode_of(Address code) const {
  const PythonLayout& layout = heap_.layout();
  if (layout.code.inline_bytecode.present()) return FakeHeap::at(code, layout.code.inline_bytecode);
  return FakeHeap::at(*heap_.memory.read_value<Address>(FakeHeap::at(code, layout.code.bytecode)), layout.sequence.bytes_data);
}

// `values`: the locals, then what is on the stack.
Address FakeFrames::fill_frame_object(Address code, int offset, const std::vector<Address>& values) {
  const FrameObjectLayout& layout = heap_.layout().frame_object;
  Address frame = heap_.object(heap_.static_type("frame"), layout.localsplus.offset + 8 * static_cast<std::int64_t>(values.size() + 1));
  heap_.set(frame, layout.code, code);
  bool in_units = heap_.layout().instruction_pointer == InstructionPointer::kLastUnits;
  heap_.set(frame, layout.last_instruction, offset > 0 && in_units ? offset / 2 : offset);
  for (std::size_t i = 0; i < values.size(); ++i) heap_.memory.write(FakeHeap::at(frame, layout.localsplus) + i * 8, values[i]);
  return frame;
}

void FakeFrames::fill_interpreter_frame(Address frame, Address code, int offset, const std::vector<Address>& values) {
  const InterpreterFrameLayout& layout = heap_.layout().frame;
  bool tagged = heap_.layout().stack_references == StackReferences::kTagged;
  heap_.set(frame, layout.executable, tagged ? code + 1 : code);
  heap_.set(frame, layout.instruction, bytecode_of(code) + static_cast<std::uint64_t>(offset));
  Address first = FakeHeap::at(frame, layout.localsplus);
  for (std::size_t i = 0; i < values.size(); ++i) heap_.memory.write(first + i * 8, tagged ? values[i] + 1 : values[i]);
  heap_.set(frame, layout.stack_top, values.size());
  heap_.set(frame, layout.stack_pointer, first + values.size() * 8);
}

Address FakeFrames::frame(Address code, int offset, Address previous, const std::vector<Address>& locals) {
  Address frame;
  if (has_frame_objects()) {
    frame = fill_frame_object(code, offset, locals);
    heap_.set(frame, heap_.layout().frame_object.back, previous);
  } else {
    frame = heap_.memory.allocate(static_cast<std::size_t>(heap_.layout().frame.localsplus.offset) + 8 * (locals.size() + 1));
    fill_interpreter_frame(frame, code, offset, locals);
    heap_.set(frame, heap_.layout().frame.previous, previous);
  }
  return frame;
}

Address FakeFrames::shim(Address previous) {
  const PythonLayout& layout = heap_.layout();
  if (layout.first_shim_owner == 127) return previous;
  Address frame = heap_.memory.allocate(static_cast<std::size_t>(layout.frame.localsplus.offset) + 8);
  heap_.set(frame, layout.frame.owner, layout.first_shim_owner);
  heap_.set(frame, layout.frame.previous, previous);
  return frame;
}

// The stack of a suspended frame, above its locals: the delegate on top, or (3.15) below an index.
Address FakeFrames::generator(std::string_view type, const FakeFunction& function, FakePhase phase, Address delegate,
                              const std::vector<Address>& locals) {
  const PythonLayout& layout = heap_.layout();
  std::vector<Address> values = locals;
  if (phase == FakePhase::kAwaiting) values.push_back(delegate);
  if (phase == FakePhase::kAwaiting && layout.delegate == Delegate::kStackPointerBelow) values.emplace_back(0);
  Address code_object = code(function);
  std::int64_t size = has_frame_objects() ? std::max(layout.generator.size, layout.generator.origin.offset + 8)
                                          : layout.generator.inline_frame.offset + layout.frame.localsplus.offset +
                                                8 * static_cast<std::int64_t>(values.size() + 1);
  Address made = heap_.object(heap_.static_type(type), size);
  heap_.set(made, layout.generator.name, heap_.ascii(function.name));
  heap_.set(made, layout.generator.qualified_name, heap_.ascii(function.qualified_name));
  heap_.set(made, layout.generator.frame_state, state_of(layout.frame_states, phase));
  heap_.set(made, layout.generator.running, phase == FakePhase::kRunning);
  if (!has_frame_objects()) {
    Address inside = FakeHeap::at(made, layout.generator.inline_frame);
    fill_interpreter_frame(inside, code_object, offset_of(phase), values);
    heap_.set(inside, layout.frame.owner, 1);
  } else if (phase != FakePhase::kFinished) {
    Address frame = fill_frame_object(code_object, phase == FakePhase::kCreated ? -1 : offset_of(phase), values);
    heap_.set(frame, layout.frame_object.generator, made);
    heap_.set(made, layout.generator.frame, frame);
    finish_frame_object(frame, phase, locals.size());
  }
  return made;
}

void FakeFrames::finish_frame_object(Address frame, FakePhase phase, std::size_t local_count) {
  const FrameObjectLayout& layout = heap_.layout().frame_object;
  Address first = FakeHeap::at(frame, layout.localsplus);
  std::size_t on_stack = phase == FakePhase::kAwaiting ? 1 : 0;
  heap_.set(frame, layout.value_stack, first + local_count * 8);
  heap_.set(frame, layout.stack_top, phase == FakePhase::kRunning ? Address{} : first + (local_count + on_stack) * 8);
  heap_.set(frame, layout.stack_depth, on_stack);
  heap_.set(frame, layout.state, state_of(heap_.layout().frame_states, phase));
}

Address FakeFrames::coroutine(std::string_view name, FakePhase phase, Address delegate) {
  return generator("coroutine", {.name = name, .qualified_name = name, .flags = kCoroutineFlag}, phase, delegate);
}

Address FakeFrames::frame_of(Address generator) const {
  const GeneratorLayout& layout = heap_.layout().generator;
  if (!has_frame_objects()) return FakeHeap::at(generator, layout.inline_frame);
  return *heap_.memory.read_value<Address>(FakeHeap::at(generator, layout.frame));
}

void FakeFrames::set_previous(Address frame, Address previous) {
  heap_.set(frame, heap_.layout().frame_object.back, previous);
  if (!has_frame_objects()) heap_.set(frame, heap_.layout().frame.previous, previous);
}

void FakeFrames::set_delegate(Address generator, Address delegate) {
  const PythonLayout& layout = heap_.layout();
  Address first = has_frame_objects() ? FakeHeap::at(frame_of(generator), layout.frame_object.localsplus)
                                      : FakeHeap::at(frame_of(generator), layout.frame.localsplus);
  heap_.memory.write(first, layout.stack_references == StackReferences::kTagged ? delegate + 1 : delegate);
}

}  // namespace asyncspy
