// Where a result was made and what it cost.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "xfq/core/record.h"

namespace xfq::cli {

/// "0.1.0".
std::string version_number();
/// "0.1.0", or "0.1.0 (3f2a9c1d0b4e)" when built from a repository.
std::string version_text();

/// version, git, compiler, flags, isa, kernel, threads, os. What the experiment
/// has filled in keeps its value; entries of other names follow.
std::vector<std::pair<std::string, Value>> complete_environment(
    const std::vector<std::pair<std::string, Value>>& known, std::int64_t threads);

/// Wall and processor time from construction on.
class Stopwatch {
 public:
  Stopwatch();
  /// Writes wall_s, cpu_s and peak_rss_bytes.
  void fill(Cost& cost) const;

 private:
  std::chrono::steady_clock::time_point wall_;
  double cpu_s_;
};

}  // namespace xfq::cli
