#include "parallel.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace asyncspy {
namespace {

constexpr std::size_t kMostThreads = 4;

}  // namespace

void work_together(std::size_t threads, const std::function<void()>& work) {
  const std::size_t most = std::min<std::size_t>(kMostThreads, std::max(1U, std::thread::hardware_concurrency()));
  std::mutex failing;
  std::exception_ptr failure;
  const auto guarded_work = [&] {
    try {
      work();
    } catch (...) {
      const std::scoped_lock lock(failing);
      if (!failure) failure = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> helpers;
    try {
      for (std::size_t i = 1; i < std::min(most, threads); ++i) helpers.emplace_back(guarded_work);
    } catch (const std::system_error&) {
      // No more threads are allowed: those that there are do it.
    }
    guarded_work();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace asyncspy
