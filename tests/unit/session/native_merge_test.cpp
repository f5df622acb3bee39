#include "native_merge.h"

#include <string>

#include "catch.h"

namespace asyncspy {
namespace {

constexpr const char* kLoop = "_PyEval_EvalFrameDefault";

// Innermost first, each 0x100 bytes of stack, the first at 0x1000.
NativeStack make_stack(const std::vector<const char*>& functions) {
  NativeStack stack;
  std::uint64_t at = 0x1000;
  for (const char* function : functions) {
    NativeFrame& frame = stack.frames.emplace_back();
    frame.function = function;
    frame.stack_start = Address{at};
    frame.stack_end = Address{at + 0x100};
    at += 0x100;
  }
  return stack;
}

// An address in the part of the stack of number `index`, innermost first.
Address anchor(std::uint64_t index) { return Address{0x1080 + index * 0x100}; }

// "main 0, loop* 0, sleep 2", outermost first: * behind what runs Python, then how many Python frames lie outside.
std::string show(const NativeCalls& merged) {
  std::string text;
  for (const NativeCall& call : merged.calls) {
    text += call.frame.function + (call.runs_python ? "*" : "") + " " + std::to_string(call.python_frames) + ", ";
  }
  return text;
}

}  // namespace

TEST_CASE("runs of Python frames go where their anchors lie on the stack") {
  const NativeStack stack = make_stack({"sleep", kLoop, "sort", kLoop, "main"});
  const NativeCalls merged = merge_native_stack(stack, {{3, anchor(3)}, {2, anchor(1)}});
  CHECK(merged.apart.empty());
  CHECK(show(merged) == "main 0, _PyEval_EvalFrameDefault* 0, sort 3, _PyEval_EvalFrameDefault* 3, sleep 5, ");
}

TEST_CASE("anchors do not need the name of the evaluation loop") {
  const NativeCalls merged = merge_native_stack(make_stack({"sleep", "", "", "", "main"}), {{3, anchor(3)}, {2, anchor(1)}});
  CHECK(merged.apart.empty());
  CHECK(show(merged) == "main 0, * 0,  3, * 3, sleep 5, ");
}

TEST_CASE("without anchors each frame has an evaluation loop of its own") {
  const NativeStack stack = make_stack({"sleep", kLoop, "call", kLoop, "main"});
  const NativeCalls merged = merge_native_stack(stack, {{1, {}}, {1, {}}});
  CHECK(merged.apart.empty());
  CHECK(show(merged) == "main 0, _PyEval_EvalFrameDefault* 0, call 1, _PyEval_EvalFrameDefault* 1, sleep 2, ");
}

TEST_CASE("an evaluation loop that has just been entered executes nothing yet") {
  const NativeStack stack = make_stack({kLoop, "call", kLoop, "main"});
  CHECK(show(merge_native_stack(stack, {{1, {}}})) == "main 0, _PyEval_EvalFrameDefault* 0, call 1, _PyEval_EvalFrameDefault 1, ");
  const NativeCalls merged = merge_native_stack(stack, {{4, anchor(2)}});
  CHECK(merged.apart.empty());
  CHECK(show(merged) == "main 0, _PyEval_EvalFrameDefault* 0, call 4, _PyEval_EvalFrameDefault 4, ");
}

TEST_CASE("what does not agree is shown apart, with the reason") {
  SECTION("too few loops") {
    const NativeCalls merged = merge_native_stack(make_stack({"sleep", kLoop, "main"}), {{1, {}}, {1, {}}, {1, {}}});
    CHECK(merged.apart == "1 calls of the evaluation loop, but 3 Python frames");
    CHECK(show(merged) == "main 0, _PyEval_EvalFrameDefault 0, sleep 0, ");
  }
  SECTION("too many loops") {
    CHECK_FALSE(merge_native_stack(make_stack({kLoop, kLoop, kLoop, "main"}), {{1, {}}}).apart.empty());
  }
  SECTION("a loop between two others that Python does not know") {
    const NativeCalls merged = merge_native_stack(make_stack({"sleep", kLoop, kLoop, kLoop, "main"}), {{1, anchor(3)}, {1, anchor(1)}});
    CHECK_FALSE(merged.apart.empty());
  }
  SECTION("an anchor that is not on the stack") {
    CHECK_FALSE(merge_native_stack(make_stack({"sleep", kLoop, "main"}), {{1, Address{0x7777'0000}}}).apart.empty());
  }
  SECTION("anchors in the wrong order") {
    CHECK_FALSE(merge_native_stack(make_stack({"sleep", kLoop, "sort", kLoop, "main"}), {{3, anchor(1)}, {2, anchor(3)}}).apart.empty());
  }
}

TEST_CASE("of a stack that is cut the outer Python frames are still outside of all calls") {
  NativeStack stack = make_stack({"sleep", kLoop, "sort"});
  stack.problem = "the stack could not be read";
  const NativeCalls merged = merge_native_stack(stack, {{3, Address{0x9000}}, {2, anchor(1)}});
  CHECK(merged.apart.empty());
  CHECK(merged.problem == "the stack could not be read");
  CHECK(show(merged) == "sort 3, _PyEval_EvalFrameDefault* 3, sleep 5, ");
  // Without anchors the ones that are missing could be any.
  CHECK_FALSE(merge_native_stack(stack, {{1, {}}, {1, {}}}).apart.empty());
}

TEST_CASE("a thread without Python has its calls in C only") {
  CHECK(show(merge_native_stack(make_stack({"poll", "worker", "start_thread"}), {})) == "start_thread 0, worker 0, poll 0, ");
}

}  // namespace asyncspy
