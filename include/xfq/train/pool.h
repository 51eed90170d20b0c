// The pool that runs independent jobs side by side. Threads go around whole runs
// (seeds, arms, sweep points), never inside a matrix product; a job's result does
// not depend on which thread runs it or when.
#pragma once

#include <exception>
#include <functional>
#include <vector>

#include "xfq/core/matrix.h"

namespace xfq::train {

/// Runs job(0) ... job(count - 1) on at most `threads` threads (0: as many as the
/// machine has). Returns what each job threw, nullptr where it ended well. After
/// a failure no further job starts; those have an ErrorKind::interrupted.
std::vector<std::exception_ptr> run_pool(Index count, Index threads,
                                         const std::function<void(Index)>& job);

/// The same, but throws the first failure by job number. A failure of the run
/// itself goes before an interruption.
void run_pool_or_throw(Index count, Index threads, const std::function<void(Index)>& job);

/// The number of threads that `threads` = 0 stands for.
Index machine_threads();

}  // namespace xfq::train
