// The head of a record, independent runs side by side, and what is left of them after an
// interruption.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "xfq/core/error.h"
#include "xfq/core/monitor.h"
#include "xfq/core/record.h"
#include "xfq/experiments/experiment.h"
#include "xfq/train/pool.h"

namespace xfq::experiments {

/// A record that says which question it answers. Only `smoke` is no evidence.
Record start_record(const char* schema, int question_number, const char* question_title,
                    Profile profile);

/// Throws ErrorKind::interrupted when the user wants to stop.
void stop_if_asked(const Monitor& monitor, const std::string& label);

/// Results of run_jobs, by job number; none where the job was interrupted.
template <class Result>
using JobResults = std::vector<std::optional<Result>>;

/// Rethrows the first failure that is not an interruption.
void rethrow_failures(const std::vector<std::exception_ptr>& failures);

/// Runs job(0) ... job(count - 1) on the pool. Throws what a job threw, unless it was
/// interrupted: then its slot stays empty.
template <class Result>
JobResults<Result> run_jobs(Index count, Index threads, const std::function<Result(Index)>& job) {
  JobResults<Result> results(static_cast<std::size_t>(count));
  rethrow_failures(train::run_pool(
      count, threads, [&](Index i) { results[static_cast<std::size_t>(i)] = job(i); }));
  return results;
}

/// Throws ErrorKind::interrupted: nothing to show before `what`.
[[noreturn]] void throw_interrupted(const std::string& what, bool cache);

/// Says in the record that only `finished` of `planned` runs are in it, when they are
/// fewer; `cache` is --cache, which decides what a second try begins with. Throws
/// ErrorKind::interrupted when there is none.
void note_interruption(std::int64_t finished, std::int64_t planned, bool cache, Record& record);

/// The results that exist, in order; the record says when some are missing.
template <class Result>
std::vector<Result> finished(JobResults<Result> results, bool cache, Record& record) {
  std::vector<Result> kept;
  for (auto& result : results) {
    if (result) kept.push_back(std::move(*result));
  }
  note_interruption(static_cast<std::int64_t>(kept.size()),
                    static_cast<std::int64_t>(results.size()), cache, record);
  return kept;
}

}  // namespace xfq::experiments
