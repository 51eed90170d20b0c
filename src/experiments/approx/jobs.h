// A job: one piece of work of one seed whose outcome is a list of named numbers. Jobs
// run side by side; what a job yields is kept in the cache of trained models, under a
// hash of everything that shapes it, so that a second run trains nothing again.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "xfq/core/monitor.h"
#include "xfq/train/model_cache.h"

namespace xfq::experiments::approx {

/// Named numbers of one job or of a whole seed: "barron.32.mse".
using Numbers = std::map<std::string, double>;

/// Names under which a job reports what training it did; they add up over jobs.
inline constexpr const char* kRows = "cost.rows";
inline constexpr const char* kFlops = "cost.flops";

struct Job {
  std::string label;     ///< for progress: "universal barron:6, seed 1"
  std::string identity;  ///< everything that shapes the numbers, in words
  std::function<Numbers(Monitor&)> run;
};

struct JobNumbers {
  Numbers numbers;
  bool from_cache = false;
};

/// Runs the job, or takes its numbers from the cache (nullptr: no cache).
JobNumbers run_job(const Job& job, train::ModelCache* cache, Monitor& monitor);

}  // namespace xfq::experiments::approx
