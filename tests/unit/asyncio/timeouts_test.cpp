#include "timeouts.h"

#include "catch.h"
#include "fake_asyncio.h"
#include "layouts_under_test.h"

namespace asyncspy {
namespace {

class Scene {
 public:
  explicit Scene(const PythonLayout& layout) : heap(layout), fake(heap) {}

  void index(Address callback, const std::vector<Address>& arguments, double when) {
    Inspection inspection{.reader = {heap.memory, heap.layout()}, .types = {}, .codes = {}, .names = {}, .text_names = {}};
    Handle handle = read_handle(inspection, fake.timer(heap.real(when), callback, arguments)).value();
    index_timeout(inspection, handle, describe_callable(inspection, callback), timeouts);
  }

  FakeHeap heap;
  FakeAsyncio fake;
  std::unordered_map<Address, Timeout> timeouts;
};

}  // namespace

TEST_CASE("a timeout belongs to the task that its object names, the earliest one counts") {
  FOR_EACH_LAYOUT(layout) {
    Scene scene(layout);
    Address task = scene.fake.task({});
    Address type = scene.heap.instance_type("asyncio.timeouts", "Timeout", {"_task"});
    for (double when : {20.0, 12.5, 30.0}) {
      Address scope = scene.heap.instance(type, {task});
      scene.index(scene.heap.method(scene.heap.function("Timeout._on_timeout"), scope), {}, when);
    }
    REQUIRE(scene.timeouts.contains(task));
    CHECK(scene.timeouts.at(task).when == 12.5);
    CHECK(scene.timeouts.at(task).construct == "asyncio.timeout");
  }
}

TEST_CASE("wait_for's timer gives up the future that its task awaits; a sleep and a keep-alive give up nothing") {
  FOR_EACH_LAYOUT(layout) {
    Scene scene(layout);
    Address waiter = scene.fake.future(), slept = scene.fake.future(), task = scene.fake.task({});
    scene.index(scene.heap.function("_release_waiter"), {waiter}, 7);
    scene.index(scene.fake.set_result_function(), {slept}, 8);
    Address handler = scene.heap.instance(scene.heap.instance_type("service", "Handler", {"_task"}), {task});
    scene.index(scene.heap.method(scene.heap.function("Handler.keep_alive"), handler), {}, 9);
    REQUIRE(scene.timeouts.contains(waiter));
    CHECK(scene.timeouts.at(waiter).construct == "asyncio.wait_for");
    CHECK_FALSE(scene.timeouts.contains(slept));
    CHECK_FALSE(scene.timeouts.contains(task));
  }
}

}  // namespace asyncspy
