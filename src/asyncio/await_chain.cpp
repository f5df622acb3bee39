#include "await_chain.h"

#include "circle.h"
#include "frames.h"
#include "generators.h"
#include "instance.h"
#include "text.h"

namespace asyncspy {
namespace {

// Deeper than any recursion limit lets a program await; cuts cycles over garbage.
constexpr std::size_t kMaxLinks = 100'000;

std::string own_name_of_cython(Inspection& inspection, const Type& type, Address object) {
  if (type.cython.qualified_name >= 0) {
    auto name_at = inspection.reader.memory.read_value<Address>(object + static_cast<std::uint64_t>(type.cython.qualified_name));
    if (name_at && !name_at->is_null()) {
      if (auto name = read_text(inspection.reader, *name_at)) return *name;
    }
  }
  return type.name;
}

// A link without a Python frame.
Frame opaque_frame(Inspection& inspection, const Type& type, Address object) {
  Frame frame;
  frame.kind = FrameKind::kOpaque;
  frame.object = object;
  frame.type_name = inspection.names.index_of(type.name);
  frame.name = type.kind == TypeKind::kCythonCoroutine
                   ? inspection.names.index_of(own_name_of_cython(inspection, type, object))
                   : frame.type_name;
  return frame;
}

class ChainWalk {
 public:
  explicit ChainWalk(Inspection& inspection) : inspection_(inspection) {
    constexpr std::size_t kUsualDepth = 4;
    chain_.frames.reserve(kUsualDepth);
    chain_.frame_addresses.reserve(kUsualDepth);
  }

  AwaitChain run(Address coroutine) {
    Address at = coroutine;
    Circle circle;
    for (std::size_t links = 0; !at.is_null(); ++links) {
      if (links >= kMaxLinks || circle.closes_at(at)) {
        broken("the chain does not end", at);
        break;
      }
      auto next = step(at);
      if (!next) {
        broken(next.error().what, at);
        break;
      }
      at = *next;
    }
    return std::move(chain_);
  }

 private:
  void broken(std::string why, Address at) {
    chain_.end = ChainEnd::kBroken;
    chain_.gaps.push_back({"await chain", std::move(why), at});
  }

  // Handles one link and yields the next, or null at the end.
  Result<Address> step(Address object) {
    ASYNCSPY_TRY(type, inspection_.types.of(inspection_.reader, object));
    const AwaitableLayout& layout = inspection_.layout().awaitable;
    switch (type->kind) {
      case TypeKind::kCoroutine: return step_generator(object, FrameKind::kCoroutine);
      case TypeKind::kGenerator: return step_generator(object, FrameKind::kGenerator);
      case TypeKind::kAsyncGenerator: return step_generator(object, FrameKind::kAsyncGenerator);
      case TypeKind::kCoroutineWrapper: return inspection_.reader.read(object, layout.coroutine_wrapper_coroutine);
      case TypeKind::kAsyncGeneratorSend: return inspection_.reader.read(object, layout.asend_generator);
      case TypeKind::kAsyncGeneratorThrow: return inspection_.reader.read(object, layout.athrow_generator);
      case TypeKind::kAnextAwaitable: return inspection_.reader.read(object, layout.anext_wrapped);
      case TypeKind::kFutureIterator: {
        ASYNCSPY_TRY(future, inspection_.reader.read(object, layout.future_iterator_future));
        chain_.end = ChainEnd::kFuture;
        chain_.awaited = future;
        return Address{};
      }
      case TypeKind::kCythonCoroutine: return step_cython(*type, object);
      case TypeKind::kOther: break;
    }
    if (inspection_.types.inherits(inspection_.reader, *type, "_asyncio.Future") ||
        inspection_.types.inherits(inspection_.reader, *type, "asyncio.futures.Future")) {
      chain_.end = ChainEnd::kFuture;
      chain_.awaited = object;
      return Address{};
    }
    add(opaque_frame(inspection_, *type, object), {});
    chain_.end = ChainEnd::kUnknownLink;
    return find_wrapped(*type, object);
  }

  // A class that wraps a coroutine and passes send() and throw() on to it, as aiohttp's _RequestContextManager does: it keeps it
  // as `_coro`. One that is no coroutine, or has not begun, is not what is awaited through it.
  Result<Address> find_wrapped(const Type& type, Address object) {
    auto wrapped = find_attribute(inspection_.reader, inspection_.types, type, object, "_coro");
    if (!wrapped || !*wrapped) return Address{};
    auto wrapped_type = inspection_.types.of(inspection_.reader, **wrapped);
    if (!wrapped_type || (*wrapped_type)->kind != TypeKind::kCoroutine) return Address{};
    auto generator = read_generator(inspection_, **wrapped, FrameKind::kCoroutine);
    bool is_under_way = generator && (generator->phase == GeneratorPhase::kSuspended || generator->phase == GeneratorPhase::kRunning);
    return is_under_way ? **wrapped : Address{};
  }

  Result<Address> step_generator(Address object, FrameKind kind) {
    ASYNCSPY_TRY(generator, read_generator(inspection_, object, kind));
    switch (generator.phase) {
      case GeneratorPhase::kFinished:
        chain_.end = ChainEnd::kFinished;
        return Address{};
      case GeneratorPhase::kCreated: chain_.end = ChainEnd::kNotStarted; break;
      case GeneratorPhase::kRunning:
        generator.shown.running = true;
        chain_.end = ChainEnd::kRunning;
        break;
      case GeneratorPhase::kSuspended: chain_.end = ChainEnd::kPlainYield; break;
    }
    if (!generator.handled.is_null()) chain_.handled.push_back({static_cast<std::uint32_t>(chain_.frames.size()), generator.handled});
    add(generator.shown, generator.frame);
    return generator.delegate;
  }

  Result<Address> step_cython(const Type& type, Address object) {
    add(opaque_frame(inspection_, type, object), {});
    chain_.end = ChainEnd::kUnknownLink;
    ASYNCSPY_TRY(next, inspection_.reader.memory.read_value<Address>(object + static_cast<std::uint64_t>(type.cython.delegate)));
    if (next.is_null()) return next;
    ASYNCSPY_TRY(next_type, inspection_.types.of(inspection_.reader, next));
    return next_type->name == "NoneType" ? Address{} : next;
  }

  void add(const Frame& frame, Address frame_address) {
    chain_.frames.push_back(frame);
    chain_.frame_addresses.push_back(frame_address);
  }

  Inspection& inspection_;
  AwaitChain chain_;
};

}  // namespace

AwaitChain walk_await_chain(Inspection& inspection, Address coroutine) {
  if (coroutine.is_null()) {
    AwaitChain chain;
    chain.end = ChainEnd::kFinished;  // a done task has dropped its coroutine
    return chain;
  }
  return ChainWalk(inspection).run(coroutine);
}

}  // namespace asyncspy
