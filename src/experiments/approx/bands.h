// Which frequencies of a function training finds first (Rahaman et al. 2019, "On the spectral
// bias of neural networks").
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fit.h"
#include "options.h"
#include "parts.h"
#include "xfq/core/monitor.h"
#include "xfq/core/record.h"

namespace xfq::experiments::approx {

/// A network is trained on a sum of sines of equal amplitude and random phases on [-1, 1].
/// How much of each is missing is looked at as training goes on.
class Bands {
 public:
  /// `options` must outlive it.
  explicit Bands(const Options& options) : options_(options) {}

  /// For the identity of the job.
  std::string settings() const;
  Numbers measure(std::uint64_t seed, Monitor& monitor) const;
  /// Adds table and metrics `bands`; returns a sentence of the answer.
  Text fill(const std::vector<SeedNumbers>& seeds, Record& record) const;

 private:
  Recipe recipe() const;

  const Options& options_;
};

}  // namespace xfq::experiments::approx
