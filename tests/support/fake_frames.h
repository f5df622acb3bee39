// Writes code objects, frames, coroutines and generators as a given release would lay them out.
#pragma once

#include <string_view>
#include <vector>

#include "fake_heap.h"

namespace asyncspy {

// Where the bytecode of every fake function can stand, and the lines that belong to it.
inline constexpr int kCallOffset = 4;     // first line + 1
inline constexpr int kAwaitOffset = 20;   // first line + 2; delegates when suspended here
inline constexpr int kYieldOffset = 40;   // first line + 3; a plain yield when suspended here
inline constexpr int kFakeCodeSize = 64;

inline constexpr std::int32_t kCoroutineFlag = 0x80;
inline constexpr std::int32_t kGeneratorFlag = 0x20;
inline constexpr std::int32_t kAsyncGeneratorFlag = 0x200;

enum class FakePhase { kCreated, kAwaiting, kYielding, kRunning, kFinished };

struct FakeFunction {
  std::string_view name;
  std::string_view qualified_name;
  std::string_view file = "/srv/app/service.py";
  int first_line = 100;
  std::int32_t flags = 0;
  // Names of variables; frames have their values in this order. From 3.11 on a variable of one's own that is in a cell has one
  // place, before it has two: name it twice.
  std::vector<std::string_view> locals = {};
  std::vector<std::string_view> cells = {};
  std::vector<std::string_view> frees = {};
  int arguments = 0;
  int keyword_arguments = 0;
};

class FakeFrames {
 public:
  explicit FakeFrames(FakeHeap& heap) : heap_(heap) {}

  Address code(const FakeFunction& function);
  [[nodiscard]] Address bytecode_of(Address code) const;

  // A frame of an ordinary call, at `offset` of its code.
  Address frame(Address code, int offset, Address previous, const std::vector<Address>& locals = {});
  // A frame of the interpreter's own (3.12+: `owner` as the release numbers them); others have none.
  Address shim(Address previous);

  // `type` is "coroutine", "generator" or "async_generator".
  Address generator(std::string_view type, const FakeFunction& function, FakePhase phase, Address delegate = {},
                    const std::vector<Address>& locals = {});
  Address coroutine(std::string_view name, FakePhase phase, Address delegate = {});
  // Its frame structure, and what a walk from it goes on with.
  [[nodiscard]] Address frame_of(Address generator) const;
  void set_previous(Address frame, Address previous);
  // Replaces what a generator that is kAwaiting and has no locals delegates to.
  void set_delegate(Address generator, Address delegate);

 private:
  void set_variables(Address code, const FakeFunction& function);
  [[nodiscard]] bool has_frame_objects() const { return heap_.layout().thread_frame == ThreadFrame::kFrameObject; }
  Address fill_frame_object(Address code, int offset, const std::vector<Address>& values);
  void fill_interpreter_frame(Address frame, Address code, int offset, const std::vector<Address>& values);
  void finish_frame_object(Address frame, FakePhase phase, std::size_t local_count);

  FakeHeap& heap_;
};

}  // namespace asyncspy
