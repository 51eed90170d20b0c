// Probes: what can be read from a model's states by somebody who asks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xfq/core/monitor.h"
#include "xfq/corpus/sentence_pairs.h"
#include "xfq/models/encoder.h"

namespace xfq::experiments::nsp {

/// What a model makes of pairs.
struct PairAnswers {
  /// States of the last layer [pairs, 2 dim]: that of <cls>, then the mean over the row.
  Matrix<float> states;
  std::vector<double> log_odds;  ///< by its head: of the first class against all others
};
PairAnswers ask(const models::Encoder& encoder, const float* parameters,
                const corpus::PairData& data, const corpus::PairSplit& split,
                const std::vector<corpus::SentencePair>& pairs);

/// Log-odds of the first class against all others, from logits [classes].
double log_odds(const float* logits, Index classes);

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
