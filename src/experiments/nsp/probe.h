// Probes: what can be read from a model's states by somebody who asks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xfq/core/monitor.h"
#include "xfq/corpus/sentence_pairs.h"
#include "xfq/models/encoder.h"

namespace xfq::experiments::nsp {

/// States of the last layer for every pair [pairs, 2 dim]: that of <cls>, then the mean
/// over the row.
Matrix<float> pair_states(const models::Encoder& encoder, const float* parameters,
                          const corpus::PairData& data, const corpus::PairSplit& split,
                          const std::vector<corpus::SentencePair>& pairs);

/// Softmax regression on standardised states. Fits on all rows at once.
class LinearProbe {
 public:
  /// labels in 0 .. classes - 1.
  LinearProbe(const Matrix<float>& states, const std::vector<std::int32_t>& labels, Index classes,
              Monitor& monitor);

  /// [rows, classes].
  Matrix<float> logits(const Matrix<float>& states) const;

 private:
  Matrix<float> standardise(const Matrix<float>& states) const;

  std::vector<double> mean_, scale_;
  nn::ParameterLayout layout_;
  nn::Linear linear_;
  Vector<float> parameters_;
};

}  // namespace xfq::experiments::nsp
