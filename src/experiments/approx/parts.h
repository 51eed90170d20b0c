// The parts of the experiment. A part names the jobs of a seed; once they have run it
// turns their numbers into metrics, tables, claims and its sentences of the answer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "jobs.h"
#include "options.h"
#include "targets.h"
#include "xfq/core/monitor.h"
#include "xfq/core/record.h"

namespace xfq::experiments::approx {

/// All numbers of one part and one seed.
struct SeedNumbers {
  std::uint64_t seed = 0;
  Numbers numbers;

  double at(const std::string& name) const;
};

class Part {
 public:
  virtual ~Part() = default;
  /// The word of --part.
  virtual std::string name() const = 0;
  /// Names of numbers do not repeat over the jobs of a seed.
  virtual std::vector<Job> jobs(std::uint64_t seed) const = 0;
  /// Adds to the record; returns the part's sentences of the answer. `seeds` holds
  /// those whose jobs have all finished, one at least.
  virtual Text fill(const std::vector<SeedNumbers>& seeds, Monitor& monitor,
                    Record& record) const = 0;
};

// `options` and `file` (nullptr: no --target-file) must outlive the part.
std::unique_ptr<Part> make_nonlinearity(const Options& options);
std::unique_ptr<Part> make_universal(const Options& options, const Target* file);
std::unique_ptr<Part> make_sequence(const Options& options);
std::unique_ptr<Part> make_parallel(const Options& options);
std::unique_ptr<Part> make_features(const Options& options);

/// The number of every seed, in their order.
std::vector<double> over(const std::vector<SeedNumbers>& seeds, const std::string& name);
/// The mean over seeds with its t interval, as a metric.
void add_metric(const std::string& id, const std::string& unit, Better better,
                const std::vector<double>& values, Record& record);

}  // namespace xfq::experiments::approx
