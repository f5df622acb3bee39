#include "await_chain.h"

#include "catch.h"
#include "failing_memory.h"
#include "fake_frames.h"
#include "layouts_under_test.h"

namespace asyncspy {
namespace {

Inspection inspect(FakeHeap& heap) {
  return {.reader = {heap.memory, heap.layout()}, .types = {}, .codes = {}, .names = {}, .text_names = {}};
}

Address pointing(FakeHeap& heap, std::string_view type, Pointer member, Address to) {
  Address object = heap.object(heap.static_type(type), member.offset + 8);
  heap.set(object, member, to);
  return object;
}

}  // namespace

TEST_CASE("a chain of coroutines ends at the future that the innermost awaits") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    Inspection inspection = inspect(heap);
    Address future = heap.object(heap.static_type("_asyncio.Future"), layout.future.size);
    Address iterator = pointing(heap, "_asyncio.FutureIter", layout.awaitable.future_iterator_future, future);
    Address inner = frames.coroutine("inner", FakePhase::kAwaiting, iterator);
    Address outer = frames.coroutine("outer", FakePhase::kAwaiting, inner);
    AwaitChain chain = walk_await_chain(inspection, outer);
    CHECK(chain.end == ChainEnd::kFuture);
    CHECK(chain.awaited == future);
    CHECK(chain.gaps.empty());
    REQUIRE(chain.frames.size() == 2);
    REQUIRE(chain.frame_addresses.size() == 2);
    CHECK(chain.frames[0].object == outer);
    CHECK(chain.frames[0].line == 102);
    CHECK(chain.frames[1].object == inner);
    CHECK(chain.frame_addresses[1] == frames.frame_of(inner));
  }
}

TEST_CASE("a future in the place of its iterator, and a subclass of one, end a chain alike") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    Inspection inspection = inspect(heap);
    Address c_future = heap.static_type("_asyncio.Future");
    Address python_future = heap.heap_type("asyncio.futures", "Future");
    for (Address type : {c_future, heap.heap_type("app", "MyFuture", {.bases = {c_future}}), python_future,
                         heap.heap_type("app", "OtherFuture", {.bases = {python_future}})}) {
      Address future = heap.object(type, layout.future.size);
      AwaitChain chain = walk_await_chain(inspection, frames.coroutine("waits", FakePhase::kAwaiting, future));
      CHECK(chain.end == ChainEnd::kFuture);
      CHECK(chain.awaited == future);
    }
  }
}

TEST_CASE("each kind of link is followed to the coroutine behind it") {
  FOR_EACH_LAYOUT(layout) {
    const AwaitableLayout& awaitable = layout.awaitable;
    const std::pair<std::string_view, Pointer> kinds[] = {
        {"coroutine_wrapper", awaitable.coroutine_wrapper_coroutine},
        {"async_generator_asend", awaitable.asend_generator},
        {"async_generator_athrow", awaitable.athrow_generator},
        {"anext_awaitable", awaitable.anext_wrapped},
    };
    for (const auto& [name, member] : kinds) {
      if (!member.present()) continue;
      INFO(name);
      FakeHeap heap(layout);
      FakeFrames frames(heap);
      Inspection inspection = inspect(heap);
      Address inner = frames.generator("async_generator", {.name = "rows", .qualified_name = "rows", .flags = kAsyncGeneratorFlag}, FakePhase::kYielding);
      AwaitChain chain = walk_await_chain(inspection, frames.coroutine("outer", FakePhase::kAwaiting, pointing(heap, name, member, inner)));
      CHECK(chain.end == ChainEnd::kPlainYield);
      REQUIRE(chain.frames.size() == 2);
      CHECK(chain.frames[1].object == inner);
      CHECK(chain.frames[1].kind == FrameKind::kAsyncGenerator);
    }
  }
}

TEST_CASE("a generator between coroutines is a frame of the chain") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    Inspection inspection = inspect(heap);
    Address inner = frames.coroutine("inner", FakePhase::kYielding);
    Address wrapper = pointing(heap, "coroutine_wrapper", layout.awaitable.coroutine_wrapper_coroutine, inner);
    Address middle = frames.generator("generator", {.name = "__await__", .qualified_name = "Thing.__await__", .flags = kGeneratorFlag}, FakePhase::kAwaiting, wrapper);
    AwaitChain chain = walk_await_chain(inspection, frames.coroutine("outer", FakePhase::kAwaiting, middle));
    REQUIRE(chain.frames.size() == 3);
    CHECK(chain.frames[1].kind == FrameKind::kGenerator);
    CHECK(chain.end == ChainEnd::kPlainYield);
  }
}

TEST_CASE("a chain ends as its innermost coroutine stands") {
  struct Row {
    FakePhase phase;
    ChainEnd end;
    std::size_t frames;
  };
  FOR_EACH_LAYOUT(layout) {
    for (Row row : {Row{FakePhase::kCreated, ChainEnd::kNotStarted, 2}, Row{FakePhase::kYielding, ChainEnd::kPlainYield, 2},
                    Row{FakePhase::kRunning, ChainEnd::kRunning, 2}, Row{FakePhase::kFinished, ChainEnd::kFinished, 1}}) {
      FakeHeap heap(layout);
      FakeFrames frames(heap);
      Inspection inspection = inspect(heap);
      Address inner = frames.coroutine("inner", row.phase);
      AwaitChain chain = walk_await_chain(inspection, frames.coroutine("outer", FakePhase::kAwaiting, inner));
      CHECK(chain.end == row.end);
      CHECK(chain.frames.size() == row.frames);
      CHECK(chain.frame_addresses.size() == row.frames);
    }
  }
}

TEST_CASE("no coroutine is a finished chain") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    Inspection inspection = inspect(heap);
    CHECK(walk_await_chain(inspection, Address{}).end == ChainEnd::kFinished);
  }
}

TEST_CASE("an awaitable of an unknown type is the last, opaque link, by its name") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    Inspection inspection = inspect(heap);
    Address odd = heap.object(heap.heap_type("native", "Awaitable"), 64);
    AwaitChain chain = walk_await_chain(inspection, frames.coroutine("outer", FakePhase::kAwaiting, odd));
    CHECK(chain.end == ChainEnd::kUnknownLink);
    REQUIRE(chain.frames.size() == 2);
    CHECK(chain.frames[1].kind == FrameKind::kOpaque);
    CHECK(inspection.names.name(chain.frames[1].type_name) == "native.Awaitable");
  }
}

TEST_CASE("a Cython coroutine is opaque and the chain goes on behind it") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    Inspection inspection = inspect(heap);
    Address type = heap.static_type("_cython_3_0_8.coroutine", {.members = {{"cr_await", 48}, {"__module__", 88}}});
    Address inner = frames.coroutine("inner", FakePhase::kYielding);
    Address cython = heap.object(type, 128);
    heap.memory.write(cython + 48, inner);
    heap.memory.write(cython + 80, heap.ascii("native_step"));
    AwaitChain chain = walk_await_chain(inspection, frames.coroutine("outer", FakePhase::kAwaiting, cython));
    REQUIRE(chain.frames.size() == 3);
    CHECK(inspection.names.name(chain.frames[1].name) == "native_step");
    CHECK(chain.frames[2].object == inner);
    heap.memory.write(cython + 48, heap.none());
    CHECK(walk_await_chain(inspection, cython).end == ChainEnd::kUnknownLink);
  }
}

TEST_CASE("coroutines that await each other in a circle end the walk soon, with a gap") {
  FOR_EACH_LAYOUT(layout) {
    for (int length : {1, 2, 7}) {
      FakeHeap heap(layout);
      FakeFrames frames(heap);
      Inspection inspection = inspect(heap);
      Address first = frames.coroutine("first", FakePhase::kAwaiting, heap.none());
      Address last = first;
      for (int i = 1; i < length; ++i) last = frames.coroutine("more", FakePhase::kAwaiting, last);
      frames.set_delegate(first, last);
      AwaitChain chain = walk_await_chain(inspection, frames.coroutine("outside", FakePhase::kAwaiting, last));
      CHECK(chain.end == ChainEnd::kBroken);
      CHECK(chain.gaps.size() == 1);
      CHECK(chain.frames.size() < 100);
      CHECK(chain.frames.size() == chain.frame_addresses.size());
    }
  }
}

TEST_CASE("wrappers without a frame that go round end the walk too") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    Inspection inspection = inspect(heap);
    Pointer member = layout.awaitable.coroutine_wrapper_coroutine;
    Address one = pointing(heap, "coroutine_wrapper", member, {});
    heap.set(one, member, pointing(heap, "coroutine_wrapper", member, one));
    AwaitChain chain = walk_await_chain(inspection, one);
    CHECK(chain.end == ChainEnd::kBroken);
    CHECK(chain.gaps.size() == 1);
  }
}

TEST_CASE("a link that can not be read breaks the chain with a gap and keeps what was found") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    Address inner = frames.coroutine("inner", FakePhase::kYielding);
    Address outer = frames.coroutine("outer", FakePhase::kAwaiting, inner);
    FailingMemory failing(heap.memory);
    failing.fail_at(FakeHeap::at(inner, layout.object.type));
    Inspection inspection{.reader = {failing, layout}, .types = {}, .codes = {}, .names = {}, .text_names = {}};
    AwaitChain chain = walk_await_chain(inspection, outer);
    CHECK(failing.all_were_asked());
    CHECK(chain.end == ChainEnd::kBroken);
    CHECK(chain.frames.size() == 1);
    REQUIRE(chain.gaps.size() == 1);
    CHECK(chain.gaps[0].at == inner);
  }
}

TEST_CASE("a deep chain is walked to its end") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    Inspection inspection = inspect(heap);
    Address at = frames.coroutine("innermost", FakePhase::kYielding);
    for (int i = 0; i < 300; ++i) at = frames.coroutine("level", FakePhase::kAwaiting, at);
    AwaitChain chain = walk_await_chain(inspection, at);
    CHECK(chain.end == ChainEnd::kPlainYield);
    CHECK(chain.frames.size() == 301);
  }
}

}  // namespace asyncspy
