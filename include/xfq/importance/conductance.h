// Conductance of a layer's units along the path that opens the layer (Dhamdhere et al. 2019;
// integrated gradients of Sundararajan et al. 2017 with the layer in the place of the input): all
// values a of one layer move from a baseline b to what they are, b + m (a - b), m from 0 to 1, and
//
//   contribution of a unit at a token = (a - b) * integral over m of g dm.
//
// Completeness: over all units and tokens the contributions sum to loss(m = 1) - loss(m = 0).
// The baseline is 0 for neurons and heads. A residual stream of zeros is no model's state, and a
// LayerNorm undoes every scale down to its epsilon, so for channels it is the mean.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "xfq/importance/statistics.h"

namespace xfq::importance {

struct Conductance {
  std::array<std::vector<double>, 2> absolute;  ///< by half: sum over tokens of |contribution|
  std::array<std::int64_t, 2> tokens{};
  // By layer, over all tokens.
  std::vector<double> contributions;    ///< their sum, signed
  std::vector<double> loss_difference;  ///< loss(1) - loss(0), nats
  std::int64_t gradient_passes = 0;     ///< over the text, rounded up

  /// Largest |contributions - loss_difference| / |loss_difference| over layers.
  double completeness_error() const;
};

/// Contributions are complete to this share of the loss difference.
inline constexpr double kCompleteness = 1e-4;
inline constexpr Index kMostNodes = 256;

/// Gauss-Legendre quadrature with `nodes` points, 1 to kMostNodes. Attention switches within small
/// stretches of the path, so the points are doubled, batch by batch and layer by layer, until the
/// contributions are complete to a tenth of kCompleteness or there are kMostNodes. A forward and a
/// backward pass for each point, one forward pass for each layer and one more. baseline: by column;
/// empty: 0.
Conductance conductance(const Network& network, const float* parameters,
                        const std::vector<Batch>& batches, const Units& units,
                        const std::vector<float>& baseline, Index nodes, const StopCheck& stop,
                        const std::vector<bool>& removed = {});

/// Points and weights of Gauss-Legendre quadrature on [0, 1].
struct Quadrature {
  std::vector<double> points, weights;
};
Quadrature gauss_legendre(Index nodes);

}  // namespace xfq::importance
