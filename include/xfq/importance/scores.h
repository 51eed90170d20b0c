// Scores: one number per unit, larger for what should matter more. With a the unit's value at a
// token, g the gradient of the summed loss with respect to it, E the mean over tokens:
//
//   gradient        E |g|
//   gradient-norm   sqrt(E g^2)
//   activation      E |a|
//   mean            |E a|
//   rms             sqrt(E a^2)
//   variance, std   of a
//   active          share of values that are not near zero (statistics.h)
//   entropy-shared  entropy of a's histogram over bins that a layer's units share
//   entropy-own     the same over the unit's own range: blind to magnitude
//   taylor          E |g a|: first-order change of the loss when the unit goes (Molchanov et al.
//                   2017, eq. 8)
//   taylor-squared  E (g a)^2
//   gate            mean over sequences of |dL/dm|, m a factor on the unit (Michel et al. 2019)
//   fisher          the same squared (Molchanov et al. 2019, eq. 8; Theis et al. 2018)
//   obd             1/2 E h a^2, h the curvature of the loss (LeCun et al. 1990), Gauss-Newton
//   conductance     E |integral of g da| along the path that opens the layer (conductance.h)
//   magnitude       sum of |w| over the unit's outgoing weights (channel: the weights that read it)
//   wanda           magnitude * rms (Sun et al. 2024)
//   shapley         sampled Shapley value of the unit for the loss (shapley.h)
//   random          nothing
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "xfq/importance/statistics.h"

namespace xfq::importance {

const std::vector<std::string>& score_names();

struct Score {
  std::string name;
  std::vector<double> values;                 ///< by unit
  std::array<std::vector<double>, 2> halves;  ///< from either half of the data alone
  // Passes over the score's text.
  std::int64_t forward_passes = 0;
  std::int64_t backward_passes = 0;
  std::int64_t tokens = 0;  ///< in that text; 0: none is read
};

struct ScoreOptions {
  std::vector<std::string> names;
  Index bins = 64;
  Index conductance_nodes = 8;  ///< to begin with
  Index conductance_sequences = 16;
  Index shapley_orders = 2;
  Index shapley_sequences = 2;
  std::uint64_t seed = 1;
};

/// What the scores leave beside their values.
struct ScoreSet {
  std::vector<Score> scores;  ///< in the order of the names
  Halves sums;
  /// Largest relative error of completeness over layers: |sum of the contributions - loss
  /// difference| / |loss difference|; 0 without conductance.
  double completeness_error = 0;
};

/// The scores of a model whose `removed` units (UnitTap::remove) are off; their own scores mean
/// nothing. Draws from the streams (seed, "importance/...").
ScoreSet compute_scores(const Network& network, const float* parameters,
                        const std::vector<Batch>& batches, const Units& units,
                        const ScoreOptions& options, const StopCheck& stop,
                        const std::vector<bool>& removed = {});

/// The first `sequences` sequences.
std::vector<Batch> first_sequences(const std::vector<Batch>& batches, Index sequences);

}  // namespace xfq::importance
