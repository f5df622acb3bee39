#include "read_task_facts.h"

#include "catch.h"
#include "fake_asyncio.h"
#include "fake_context.h"
#include "layouts_under_test.h"
#include "read_alone.h"

namespace asyncspy {
namespace {

Inspection inspect(FakeHeap& heap) {
  return {.reader = {heap.memory, heap.layout()}, .types = {}, .codes = {}, .names = {}, .text_names = {}};
}

struct Read {
  TaskFacts facts;
  std::vector<Gap> gaps;
  std::vector<std::string> names;
};

Read read(FakeHeap& heap, FakeAsyncio& fake, Address task, std::vector<std::string> context = {}, bool mask = true) {
  Inspection inspection = inspect(heap);
  RawTask raw = read_alone(inspection, fake.classes(), task);
  TaskFactsReader reader(inspection, std::move(context), mask);
  TaskFacts facts = reader.read(raw, TaskFactsReader::Context::kWanted);
  return {std::move(facts), raw.task.gaps, inspection.names.take_names()};
}

std::string listed(const Read& read, const std::vector<SourcePlace>& places) {
  std::string text;
  for (const SourcePlace& place : places) {
    text += read.names.at(place.function) + " " + read.names.at(place.file) + ":" + std::to_string(place.line) + "; ";
  }
  return text;
}

Address exception(FakeHeap& heap, std::string_view type, std::string_view message) {
  return heap.exception(heap.static_type(type, {.bases = {heap.static_type("BaseException")}}), {heap.ascii(message)});
}

Address frame_summary(FakeHeap& heap, Address type, std::string_view file, Address line, std::string_view function) {
  Address made = heap.object(type, 48);
  heap.memory.write(made + 16, heap.ascii(file));
  heap.memory.write(made + 24, line);
  heap.memory.write(made + 32, heap.ascii(function));
  return made;
}

}  // namespace

TEST_CASE("of a task that waits like any other there are no facts") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    FakeAsyncio fake(heap);
    Address task = fake.task({.coroutine = frames.coroutine("f", FakePhase::kAwaiting, fake.future())});
    heap.set(task, layout.future.source_traceback, heap.none());
    Read found = read(heap, fake, task);
    CHECK(found.facts.is_empty());
    CHECK(found.gaps.empty());
  }
}

TEST_CASE("debug mode tells where a task was made and who called its coroutine function") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    FakeAsyncio fake(heap);
    heap.list({});
    Address summaries = heap.slotted_type("traceback", "FrameSummary", {"filename", "lineno", "name"});
    Address stack = heap.list({frame_summary(heap, summaries, "/srv/app.py", heap.integer(7), "main"),
                               frame_summary(heap, summaries, "asyncio/tasks.py", heap.none(), "create_task")});
    heap.set(stack, layout.object.type, heap.heap_type("traceback", "StackSummary", {.bases = {heap.static_type("list")}}));
    Address coroutine = frames.coroutine("f", FakePhase::kAwaiting, fake.future());
    auto origin = [&](std::string_view file, int line, std::string_view function) {
      return heap.tuple({heap.ascii(file), heap.integer(line), heap.ascii(function)});
    };
    heap.set(coroutine, layout.generator.origin, heap.tuple({origin("/srv/app.py", 6, "make"), origin("/srv/app.py", 9, "main")}));
    Address task = fake.task({.coroutine = coroutine});
    heap.set(task, layout.future.source_traceback, stack);
    Read found = read(heap, fake, task);
    CHECK(found.gaps.empty());
    CHECK(listed(found, found.facts.created_at) == "main /srv/app.py:7; create_task asyncio/tasks.py:0; ");
    CHECK(listed(found, found.facts.coroutine_origin) == "main /srv/app.py:9; make /srv/app.py:6; ");
  }
}

TEST_CASE("a finished task tells its result or its exception, and whether anybody asked for that") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeAsyncio fake(heap);
    Address task = fake.task({.state = 2});
    CHECK(read(heap, fake, task).facts.outcome == Outcome{false, "None", false});
    heap.set(task, layout.future.result, heap.dict({{"password", heap.ascii("hunter2")}}));
    CHECK(read(heap, fake, task).facts.outcome == Outcome{false, "{'password': <masked>}", false});
    CHECK(read(heap, fake, task, {}, false).facts.outcome == Outcome{false, "{'password': 'hunter2'}", false});
    heap.set(task, layout.future.exception, exception(heap, "ValueError", "boom"));
    heap.set(task, layout.future.log_traceback, true);
    CHECK(read(heap, fake, task).facts.outcome == Outcome{true, "ValueError: boom", true});
    heap.set(task, layout.future.log_traceback, false);
    CHECK(read(heap, fake, task).facts.outcome == Outcome{true, "ValueError: boom", false});
    Address broken = exception(heap, "ValueError", "boom");
    heap.set(broken, layout.exception.traceback, heap.integer(3));
    heap.set(task, layout.future.exception, broken);
    CHECK(read(heap, fake, task).facts.outcome == Outcome{true, "ValueError: boom", false});
    CHECK(read(heap, fake, task).gaps.at(0).reading == "traceback of exception");
    heap.set(task, layout.future.exception, Address{});
    heap.set(task, layout.future.result, Address{});
    Read found = read(heap, fake, task);
    CHECK_FALSE(found.facts.outcome);
    CHECK(found.gaps.size() == 1);
    Address cancelled = fake.task({.state = 1});
    CHECK(read(heap, fake, cancelled).facts.is_empty());
  }
}

TEST_CASE("a task written in Python tells the same from its attributes") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeAsyncio fake(heap);
    FakeContext contexts(heap);
    Address context = contexts.context(contexts.bitmap_node({{contexts.variable("request_id"), heap.ascii("r-1")}}));
    Address type = heap.instance_type("asyncio.tasks", "Task", {"_coro", "_loop", "_fut_waiter", "_state", "_exception", "_Future__log_traceback", "_context"});
    Address task = heap.instance(type, {heap.none(), heap.none(), heap.none(), heap.ascii("FINISHED"), exception(heap, "ValueError", "boom"), heap.boolean(true), context});
    Read found = read(heap, fake, task, {"request_id"});
    CHECK(found.gaps.empty());
    CHECK(found.facts.outcome == Outcome{true, "ValueError: boom", true});
    CHECK(found.facts.context == std::vector<ContextValue>{{"request_id", "'r-1'"}});
  }
}

TEST_CASE("context variables are those that were asked for, by name, and secrets among them are masked") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeAsyncio fake(heap);
    FakeContext contexts(heap);
    Address root = contexts.bitmap_node({{contexts.variable("user"), heap.ascii("bob")}, {contexts.variable("auth_token"), heap.ascii("hunter2")},
                                         {contexts.variable("other"), heap.none()}});
    Address task = fake.task({});
    heap.set(task, layout.task.context, contexts.context(root));
    CHECK(read(heap, fake, task).facts.context.empty());
    CHECK(read(heap, fake, task, {"user", "absent"}).facts.context == std::vector<ContextValue>{{"user", "'bob'"}});
    CHECK(read(heap, fake, task, {"*"}).facts.context == std::vector<ContextValue>{{"auth_token", "<masked>"}, {"other", "None"}, {"user", "'bob'"}});
    CHECK(read(heap, fake, task, {"auth_token"}, false).facts.context == std::vector<ContextValue>{{"auth_token", "'hunter2'"}});
    heap.set(task, layout.task.context, heap.none());
    CHECK(read(heap, fake, task, {"user"}).gaps.size() == 1);
    CHECK(read(heap, fake, task).gaps.empty());
  }
}

TEST_CASE("frames that are suspended within a handler name what they handle") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    FakeAsyncio fake(heap);
    Address cancelled = heap.exception(heap.heap_type("asyncio.exceptions", "CancelledError", {.bases = {heap.static_type("BaseException")}}), {});
    Address inner = frames.coroutine("inner", FakePhase::kAwaiting, fake.future());
    Address middle = frames.coroutine("middle", FakePhase::kAwaiting, inner);
    Address outer = frames.coroutine("outer", FakePhase::kAwaiting, middle);
    heap.set(outer, layout.generator.handled_exception, exception(heap, "ValueError", "boom"));
    heap.set(middle, layout.generator.handled_exception, heap.none());  // as a handler leaves it behind
    heap.set(inner, layout.generator.handled_exception, cancelled);
    Read found = read(heap, fake, fake.task({.coroutine = outer}));
    CHECK(found.gaps.empty());
    CHECK(found.facts.handling == std::vector<HandledException>{{0, "ValueError: boom", false}, {2, "asyncio.exceptions.CancelledError", true}});
    heap.set(inner, layout.generator.handled_exception, heap.ascii("no exception"));
    found = read(heap, fake, fake.task({.coroutine = outer}));
    CHECK(found.facts.handling.size() == 1);
    REQUIRE(found.gaps.size() == 1);
    CHECK(found.gaps[0].reading == "handled exception");
    Address running = frames.coroutine("busy", FakePhase::kRunning);
    heap.set(running, layout.generator.handled_exception, cancelled);  // it may be in a handler of what it calls
    CHECK(read(heap, fake, fake.task({.coroutine = running})).facts.is_empty());
  }
}

TEST_CASE("facts that make no sense are gaps, and the others are told") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    FakeAsyncio fake(heap);
    Address coroutine = frames.coroutine("f", FakePhase::kAwaiting, fake.future());
    heap.set(coroutine, layout.generator.origin, heap.tuple({heap.tuple({heap.none()})}));
    Address task = fake.task({.coroutine = coroutine, .state = 2});
    heap.set(task, layout.future.source_traceback, Address{0x18});
    Read found = read(heap, fake, task);
    CHECK(found.facts.outcome.has_value());
    REQUIRE(found.gaps.size() == 2);
    CHECK(found.gaps[0].reading == "creation of task");
    CHECK(found.gaps[1].reading == "origin of coroutine");
  }
}

}  // namespace asyncspy
