// A running average of weights whose window grows with the run, so that every point of
// a run at a constant rate can be read as the end of a run (Zhang et al. 2024, "How does
// critical batch size scale in pre-training?", who average in place of a decaying rate).
#pragma once

#include <cstdint>

#include "xfq/core/matrix.h"

namespace xfq::train {

/// The power-function average of Karras et al. 2024, eq. 2:
///   a_1 = w_1,  a_t = a_{t-1} + min(1, (gamma + 1) / t) (w_t - a_{t-1})
/// The weight of w_s in a_t is about (gamma + 1) s^gamma / t^(gamma + 1), so that its mean
/// age is t / (gamma + 2). gamma follows from that share: gamma = 1 / share - 2.
class WeightAverage {
 public:
  /// share: mean age of what is averaged over the length of the run, in [0, 1/2];
  /// 0 keeps the last weights, 1/2 the plain mean of all.
  explicit WeightAverage(double share);

  /// `updates` = 1, 2, ... in turn.
  void add(std::int64_t updates, const Vector<float>& weights);

  const Vector<float>& weights() const { return average_; }

 private:
  double gamma_plus_1_;  // infinite for share 0
  Vector<float> average_;
};

}  // namespace xfq::train
