// The claims of question 24 and their rules, from plain numbers to verdicts. Thresholds
// were fixed before the first run; README.md says where each comes from. Vectors hold
// one number a seed.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "xfq/core/record.h"

namespace xfq::experiments::approx {

struct NonlinearityNumbers {
  /// Worst over depths: (loss of the deep linear network - of least squares) / the latter.
  std::vector<double> excess_over_ols;
  /// Worst over networks with a polynomial activation: what a polynomial of degree k^L
  /// leaves of the network's output, rms over rms.
  std::vector<double> beyond_degree;
  /// Worst over the other activations: log2(error of the best polynomial of the largest
  /// such degree / error of the network), mean squares.
  std::vector<double> gain_over_polynomial;
};
Claim nonlinearity_needed(const NonlinearityNumbers& numbers);

struct WideLayerNumbers {
  /// Largest |sup error - 1 / (4 N^2)| of one-layer interpolants of x^2 with N pieces.
  double interpolation_deviation = 0;
  /// Largest |sup error - 2^(-2m-2)| of networks of m layers, m up to 12.
  double square_deviation = 0;
  /// Slope of log mean square on log width, one-layer networks trained on a Barron target.
  std::vector<double> trained_slope;
  /// log2 of (width that one layer needs on the sawtooth with k + 1 folds) / (with k),
  /// the smallest over k.
  double width_doublings = 0;
  /// Parameters of one layer over those of the deep network, both with sup error
  /// 2^(-2m-2) on x^2, at the largest m.
  double parameter_ratio = 0;
};
Claim one_wide_layer_suffices(const WideLayerNumbers& numbers);

struct ParallelNumbers {
  /// Largest |output on p threads - output on one| over all p.
  double output_difference = 0;
  /// Operations of a forward pass over the longest chain of operations that wait for
  /// each other: how many processors it could keep busy (Brent 1974).
  double work_over_span = 0;
};
Claim parallelism(const ParallelNumbers& numbers);

struct FeatureNumbers {
  /// log2(mean square of the best hand-made or random features / of learned features) at
  /// equal parameters, by kind of target.
  std::vector<double> analytic;
  std::vector<double> single_index;
};
Claim learned_features(const FeatureNumbers& numbers);

/// By size of the training set ("64 examples"): log2(mean square of the better of frozen
/// random layers and stagewise training / of joint training).
using EndToEndNumbers = std::vector<std::pair<Text, std::vector<double>>>;
Claim end_to_end(const EndToEndNumbers& numbers);

struct FlexibilityNumbers {
  /// Per seed the ratios (network / best specialised method, mean squares) of the kinds
  /// of input, in any order; at least two kinds.
  std::vector<std::vector<double>> ratios;
};
Claim flexibility(const FlexibilityNumbers& numbers);

}  // namespace xfq::experiments::approx
