#include "traceback.h"

#include "catch.h"
#include "fake_frames.h"
#include "layouts_under_test.h"

namespace asyncspy {
namespace {

class Raised {
 public:
  explicit Raised(const PythonLayout& layout) : heap(layout), frames(heap) {
    error = heap.exception(heap.static_type("ValueError", {.bases = {heap.static_type("BaseException")}}), {});
  }

  Address entry(std::string_view function, std::int32_t line, Address next) {
    const PythonLayout& layout = heap.layout();
    Address frame = frames.frame(frames.code({.name = function, .qualified_name = function}), kCallOffset, {});
    if (!layout.frame_object.code.present()) {
      Address object = heap.object(heap.static_type("frame"), layout.frame_object.frame.offset + 8);
      heap.set(object, layout.frame_object.frame, frame);
      frame = object;
    }
    Address made = heap.object(heap.static_type("traceback"), layout.traceback.line.offset + 4);
    heap.set(made, layout.traceback.next, next);
    heap.set(made, layout.traceback.frame, frame);
    heap.set(made, layout.traceback.last_instruction, kAwaitOffset);
    heap.set(made, layout.traceback.line, line);
    heap.set(error, layout.exception.traceback, made);
    return made;
  }

  Result<std::string> read() {
    Inspection inspection{.reader = {heap.memory, heap.layout()}, .types = {}, .codes = {}, .names = {}, .text_names = {}};
    ASYNCSPY_TRY(places, read_traceback(inspection, error));
    std::string text;
    for (const RaisedAt& place : places) text += inspection.codes.functions().at(place.function).name + ":" + std::to_string(place.line) + " ";
    return text;
  }

  FakeHeap heap;
  FakeFrames frames;
  Address error;
};

}  // namespace

TEST_CASE("a traceback tells the functions that an exception came through, and their lines") {
  FOR_EACH_LAYOUT(layout) {
    Raised raised(layout);
    CHECK(raised.read().value().empty());
    Address inner = raised.entry("inner", 7, {});
    Address middle = raised.entry("middle", -1, inner);  // nobody has asked for its line
    raised.entry("outer", 3, middle);
    CHECK(raised.read().value() == "outer:3 middle:102 inner:7 ");
    raised.heap.set(raised.error, layout.exception.traceback, raised.heap.none());
    CHECK(raised.read().value().empty());
  }
}

TEST_CASE("of a long traceback the end is shown") {
  FOR_EACH_LAYOUT(layout) {
    Raised raised(layout);
    Address entry;
    for (int line = 100; line > 0; --line) entry = raised.entry("f", line, entry);
    CHECK(raised.read().value().starts_with("f:81 f:82 "));
    CHECK(raised.read().value().ends_with("f:99 f:100 "));
  }
}

TEST_CASE("a traceback that leads back into itself, or to something else, is refused") {
  FOR_EACH_LAYOUT(layout) {
    Raised raised(layout);
    Address entry = raised.entry("f", 1, {});
    raised.heap.set(entry, layout.traceback.next, entry);
    CHECK(raised.read().error().kind == ErrorKind::kCorrupt);
    raised.heap.set(entry, layout.traceback.next, raised.heap.integer(3));
    CHECK(raised.read().error().kind == ErrorKind::kCorrupt);
    raised.heap.set(entry, layout.traceback.next, Address{});
    raised.heap.set(entry, layout.traceback.frame, raised.heap.tuple({raised.heap.none(), raised.heap.none()}));
    CHECK_FALSE(raised.read());
  }
}

}  // namespace asyncspy
