#include "xfq/train/pool.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "xfq/core/error.h"

namespace xfq::train {

Index machine_threads() {
  return std::max<Index>(1, static_cast<Index>(std::thread::hardware_concurrency()));
}

std::vector<std::exception_ptr> run_pool(Index count, Index threads,
                                         const std::function<void(Index)>& job) {
  std::vector<std::exception_ptr> failures(static_cast<std::size_t>(count));
  std::atomic<Index> next{0};
  std::atomic<bool> failed{false};
  const auto work = [&] {
    for (Index i = next++; i < count; i = next++) {
      std::exception_ptr& failure = failures[static_cast<std::size_t>(i)];
      try {
        if (failed) throw Error(ErrorKind::interrupted, "not started");
        job(i);
      } catch (...) {
        failure = std::current_exception();
        failed = true;
      }
    }
  };
  const Index wanted = std::min(count, threads > 0 ? threads : machine_threads());
  std::vector<std::thread> pool;
  for (Index t = 1; t < wanted; ++t) pool.emplace_back(work);
  work();
  for (std::thread& thread : pool) thread.join();
  return failures;
}

void run_pool_or_throw(Index count, Index threads, const std::function<void(Index)>& job) {
  const auto failures = run_pool(count, threads, job);
  std::exception_ptr interruption;
  for (const std::exception_ptr& failure : failures) {
    if (!failure) continue;
    try {
      std::rethrow_exception(failure);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::interrupted) throw;
      if (!interruption) interruption = failure;
    }
  }
  if (interruption) std::rethrow_exception(interruption);
}

}  // namespace xfq::train
