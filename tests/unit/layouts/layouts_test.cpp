#include <algorithm>
#include <set>

#include "catch.h"
#include "fields.h"
#include "layouts_under_test.h"
#include "validate.h"

namespace asyncspy {
namespace {

template <class T>
std::int32_t offset_of(const Field<T>& field) { return field.offset; }
std::int32_t offset_of(const Flag& flag) { return flag.offset; }
std::int32_t offset_of(const std::int32_t& size) { return size; }

}  // namespace

TEST_CASE("every release from 3.7 to 3.15 has a layout of its own number, and no other has one") {
  for (unsigned minor = 0; minor < 40; ++minor) {
    INFO("3." << minor);
    auto layouts = find_layouts(minor);
    CHECK(layouts.empty() == (minor < 7 || minor > 15));
    for (const PythonLayout& layout : layouts) {
      CHECK(layout.minor == minor);
      CHECK_FALSE(layout.measured_from.empty());
    }
  }
}

TEST_CASE("two layouts of one release differ") {
  for (unsigned minor = 7; minor <= 15; ++minor) {
    auto layouts = find_layouts(minor);
    for (std::size_t i = 1; i < layouts.size(); ++i) {
      bool differ = false;
      std::vector<std::int32_t> first;
      for_each_field(layouts[0], [&](std::string_view, const auto& field) { first.push_back(offset_of(field)); });
      std::size_t at = 0;
      for_each_field(layouts[i], [&](std::string_view, const auto& field) { differ = first[at++] != offset_of(field) || differ; });
      CHECK(differ);
    }
  }
}

TEST_CASE("every layout is complete and can be valid") {
  FOR_EACH_LAYOUT(layout) {
    for_each_field(layout, [](std::string_view name, const auto& field) {
      INFO(name);
      CHECK(offset_of(field) != kUnsetOffset);
    });
    CHECK(validate(layout).has_value());
  }
}

TEST_CASE("a layout has the members that its behaviours need") {
  FOR_EACH_LAYOUT(layout) {
    CHECK(layout.frame.stack_pointer.present() ==
          (layout.delegate == Delegate::kStackPointer || layout.delegate == Delegate::kStackPointerBelow));
    CHECK(layout.frame_object.stack_top.present() == (layout.delegate == Delegate::kYieldFromStackTop));
    CHECK(layout.frame_object.stack_depth.present() == (layout.delegate == Delegate::kYieldFromStackDepth));
    CHECK((layout.yield_from_opcode != 0) == (layout.thread_frame == ThreadFrame::kFrameObject));
    CHECK(layout.cframe.current_frame.present() == (layout.thread_frame == ThreadFrame::kCFrame));
    CHECK(layout.cframe.previous.present() == layout.cframe.current_frame.present());
    CHECK(layout.generator.frame_state.present() == (layout.generator_state == GeneratorState::kOwnState));
    CHECK(layout.dict.values_valid.present() == (layout.instance_dict == InstanceDict::kInlineValues));
    CHECK(layout.thread.running_loop.present() == (layout.running_loop == RunningLoop::kThreadState));
    CHECK(layout.accel.holder_loop.present() == (layout.running_loop == RunningLoop::kThreadDictHolder));
    CHECK(layout.task.node.present() == (layout.task_enumeration == TaskEnumeration::kLinkedLists));
    CHECK(layout.dict.keys_kind.present() == (layout.dict_keys == DictKeys::kKinds));
    CHECK(layout.runtime.gil_last_holder.present() != layout.interpreter.gil.present());
  }
}

TEST_CASE("the enumeration of fields names each one once") {
  std::set<std::string_view> names;
  std::size_t count = 0;
  for_each_field(*all_layouts().front(), [&](std::string_view name, const auto&) {
    names.insert(name);
    ++count;
  });
  CHECK(names.size() == count);
  CHECK(count > 150);
}

TEST_CASE("a member beyond the largest copy of an object is refused by name") {
  FOR_EACH_LAYOUT(layout) {
    PythonLayout moved = layout;
    moved.future.loop = kLargestObjectView - 7;
    auto refused = validate(moved);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == ErrorKind::kUnsupported);
    CHECK(refused.error().what.find("future.loop") != std::string::npos);
    moved.future.loop = kLargestObjectView - 8;
    CHECK(validate(moved).has_value());
  }
}

}  // namespace asyncspy
