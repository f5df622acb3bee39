#include "locals.h"

#include "catch.h"
#include "failing_memory.h"
#include "fake_frames.h"
#include "layouts_under_test.h"

namespace asyncspy {
namespace {

Inspection inspect(FakeHeap& heap) {
  return {.reader = {heap.memory, heap.layout()}, .types = {}, .codes = {}, .names = {}, .text_names = {}};
}

FrameLocals read_one(Inspection& inspection, Address frame) {
  LocalsReader reader(inspection, {});
  Frame shown;
  reader.attach(std::span(&shown, 1), std::span(&frame, 1));
  REQUIRE(shown.locals == 0);
  std::vector<FrameLocals> all = reader.take();
  REQUIRE(all.size() == 1);
  return all[0];
}

std::string listed(const FrameLocals& locals) {
  std::string text;
  for (const Variable& variable : locals.variables) {
    text += variable.kind == VariableKind::kArgument ? "argument " : variable.kind == VariableKind::kClosure ? "closure " : "local ";
    text += variable.name + "=" + variable.value + "; ";
  }
  return text + locals.gap;
}

}  // namespace

TEST_CASE("arguments, locals and what a function closes over are told apart, and what is unbound is left out") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    Inspection inspection = inspect(heap);
    FakeFunction function{.name = "f", .qualified_name = "f", .flags = 0x4 | 0x8, .locals = {"a", "key", "args", "kwargs", "x", "unbound"},
                          .cells = {"shared", "empty"}, .frees = {"outer"}, .arguments = 1, .keyword_arguments = 1};
    std::vector<Address> values = {heap.integer(1), heap.integer(2), heap.tuple({}), heap.dict(std::vector<FakeEntry>{}), heap.ascii("v"), Address{},
                                   heap.cell(heap.integer(3)), heap.cell(Address{}), heap.cell(heap.integer(4))};
    FrameLocals locals = read_one(inspection, frames.frame(frames.code(function), kCallOffset, {}, values));
    CHECK(listed(locals) == "argument a=1; argument key=2; argument args=(); argument kwargs={}; local x='v'; local shared=3; closure outer=4; ");
    CHECK(locals.left_out == 0);
  }
}

TEST_CASE("an argument in a cell is an argument, also before its cell is made") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    Inspection inspection = inspect(heap);
    bool separate = layout.code.variable_names.present();
    FakeFunction function{.name = "f", .qualified_name = "f", .arguments = 1};
    if (separate) function.locals = {"a"};
    function.cells = {"a"};
    std::vector<Address> values = {heap.cell(heap.integer(7))};
    if (separate) values.insert(values.begin(), Address{});
    Address code = frames.code(function);
    CHECK(listed(read_one(inspection, frames.frame(code, kCallOffset, {}, values))) == "argument a=7; ");
    std::vector<Address> bare = {heap.integer(7)};
    if (separate) bare.emplace_back();
    CHECK(listed(read_one(inspection, frames.frame(code, kCallOffset, {}, bare))) == "argument a=7; ");
  }
}

TEST_CASE("locals of suspended coroutines are those of their frames") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    Inspection inspection = inspect(heap);
    Address future = heap.object(heap.heap_type("app", "Future"), 64);
    FakeFunction function{.name = "f", .qualified_name = "f", .flags = kCoroutineFlag, .locals = {"password", "user"}, .arguments = 1};
    Address coroutine = frames.generator("coroutine", function, FakePhase::kAwaiting, future, {heap.ascii("hunter2"), heap.ascii("bob")});
    CHECK(listed(read_one(inspection, frames.frame_of(coroutine))) == "argument password=<masked>; local user='bob'; ");
    LocalsReader unmasked(inspection, {.mask = false});
    Frame shown;
    Address frame = frames.frame_of(coroutine);
    unmasked.attach(std::span(&shown, 1), std::span(&frame, 1));
    CHECK(listed(unmasked.take().at(0)) == "argument password='hunter2'; local user='bob'; ");
  }
}

TEST_CASE("an integer that is kept in the reference itself is read from there (3.14+)") {
  FOR_EACH_LAYOUT(layout) {
    if (layout.stack_references != StackReferences::kTagged) continue;
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    Inspection inspection = inspect(heap);
    FakeFunction function{.name = "f", .qualified_name = "f", .locals = {"i", "j", "n"}};
    Address frame = frames.frame(frames.code(function), kCallOffset, {}, {heap.integer(0), heap.integer(0), heap.integer(0)});
    Address first = FakeHeap::at(frame, layout.frame.localsplus);
    heap.memory.write(first, std::int64_t{41 * 4 + 3});
    heap.memory.write(first + 8, std::int64_t{-5 * 4 + 3});
    heap.memory.write(first + 16, std::int64_t{1});  // null
    CHECK(listed(read_one(inspection, frame)) == "local i=41; local j=-5; ");
  }
}

TEST_CASE("a frame whose variables can not be read says why, and one value that can not be read is only that") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    Address bad = heap.integer(1);
    Address code = frames.code({.name = "f", .qualified_name = "f", .locals = {"a", "b"}});
    Address frame = frames.frame(code, kCallOffset, {}, {bad, heap.integer(2)});
    FailingMemory failing(heap.memory);
    failing.fail_at(FakeHeap::at(bad, layout.object.type));
    Inspection inspection{.reader = {failing, layout}, .types = {}, .codes = {}, .names = {}, .text_names = {}};
    CHECK(listed(read_one(inspection, frame)) == "local a=<unreadable>; local b=2; ");
    CHECK(failing.all_were_asked());

    Inspection other = inspect(heap);
    CHECK(read_one(other, Address{0x10}).variables.empty());
    CHECK_FALSE(read_one(other, Address{0x10}).gap.empty());
    Pointer names = layout.code.localsplus_names.present() ? layout.code.localsplus_names : layout.code.variable_names;
    heap.set(code, names, Address{0x18});
    Inspection fresh = inspect(heap);
    CHECK_FALSE(read_one(fresh, frame).gap.empty());
  }
}

TEST_CASE("numbers of variables and arguments that no function has are refused") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    FakeFunction function{.name = "f", .qualified_name = "f", .locals = {"a"}};
    Address code = frames.code(function);
    Address frame = frames.frame(code, kCallOffset, {}, {heap.integer(1)});
    for (std::int32_t count : {-1, 2'000'000'000, INT32_MIN}) {
      heap.set(code, layout.code.argcount, count);
      Inspection inspection = inspect(heap);
      CHECK(read_one(inspection, frame).gap == "number of arguments is not plausible");
    }
    heap.set(code, layout.code.argcount, 0);
    Pointer names = layout.code.localsplus_names.present() ? layout.code.localsplus_names : layout.code.variable_names;
    heap.set(code, names, heap.tuple(std::vector<Address>(3000, heap.ascii("x"))));
    Inspection inspection = inspect(heap);
    CHECK(read_one(inspection, frame).gap == "number of variables is not plausible");
  }
}

TEST_CASE("of a frame with very many variables the first hundred are shown, and the number of the rest") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    Inspection inspection = inspect(heap);
    Address code = frames.code({.name = "f", .qualified_name = "f", .locals = std::vector<std::string_view>(150, "x")});
    FrameLocals locals = read_one(inspection, frames.frame(code, kCallOffset, {}, std::vector<Address>(150, heap.none())));
    CHECK(locals.variables.size() == 100);
    CHECK(locals.left_out == 50);
  }
}

TEST_CASE("frames without a structure of their own have no locals, and locals are read once") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    Inspection inspection = inspect(heap);
    LocalsReader reader(inspection, {});
    Address frame = frames.frame(frames.code({.name = "f", .qualified_name = "f"}), kCallOffset, {});
    std::vector<Frame> shown(3);
    std::vector<Address> addresses = {Address{}, frame, frame};
    shown[2].locals = 17;
    reader.attach(shown, addresses);
    CHECK(shown[0].locals == kNoLocals);
    CHECK(shown[1].locals == 0);
    CHECK(shown[2].locals == 17);
    CHECK(reader.take().size() == 1);
  }
}

}  // namespace asyncspy
