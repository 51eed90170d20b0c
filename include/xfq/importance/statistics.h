// What data say about every unit: sums over tokens and sequences from which scores are made, and
// histograms of the units' values. Sequences alternate between two halves of the data, so that
// every score can be computed twice from different text (split-half reliability).
//
// Padding is left out everywhere. Units wider than one column (heads) enter as vectors: |a| is
// their Euclidean norm, g a the inner product.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "xfq/importance/units.h"

namespace xfq::importance {

/// Called between batches; throws when work should stop.
using StopCheck = std::function<void()>;

/// Sums over one half of the data, one entry per unit unless said otherwise; g is the gradient of
/// the sum of the losses.
struct UnitSums {
  std::int64_t tokens = 0;
  std::int64_t sequences = 0;
  std::vector<double> a, a_square_column;  ///< by column: sum of a and of a^2
  std::vector<double> a_norm;              ///< sum over tokens of |a|
  std::vector<double> a_square;            ///< |a|^2
  std::vector<double> g_norm;              ///< |g|
  std::vector<double> g_square;            ///< |g|^2
  std::vector<double> ga_abs;              ///< |g a|
  std::vector<double> ga_square;           ///< (g a)^2
  std::vector<double> gate_abs;            ///< sum over sequences of |sum over tokens of g a|
  std::vector<double> gate_square;         ///< the same, squared
  std::vector<double> curvature;           ///< sum of h a^2, h as in gather_curvature
  std::vector<float> lowest, highest;      ///< by column; infinite while there are no tokens

  void resize(const Units& units);
  void merge(const UnitSums& other);
};

using Halves = std::array<UnitSums, 2>;

/// One forward and backward pass over the batches; `removed` as in UnitTap::remove.
Halves gather(const Network& network, const float* parameters, const std::vector<Batch>& batches,
              const Units& units, const StopCheck& stop, const std::vector<bool>& removed = {});

/// Adds the curvature: h = E g^2 with targets drawn from the model's own predictions, the diagonal
/// of the Gauss-Newton matrix of the loss in the units' values. Here h a^2 is summed column by
/// column. One forward pass to draw, one forward and backward pass. Draws from
/// Stream(seed, "importance/labels", batch).
void gather_curvature(const Network& network, const float* parameters,
                      const std::vector<Batch>& batches, const Units& units, std::uint64_t seed,
                      const StopCheck& stop, const std::vector<bool>& removed, Halves& halves);

/// How a unit's values are cut into bins.
///   shared  equal bins from the layer's smallest to its largest value: one grid for all units
///   clipped the same over the layer's mean +- 4 standard deviations; what lies beyond is in the
///           outermost bins
///   own     equal bins from the unit's own smallest to its own largest value
struct Binning {
  enum class Range { shared, clipped, own };
  Range range = Range::shared;
  Index bins = 64;
};
std::string to_string(Binning::Range range);

/// Histograms of every column's values, by half.
class ValueCounts {
 public:
  /// Ranges come from the sums over the same data.
  ValueCounts(const Units& units, const Halves& halves, std::vector<Binning> binnings);

  /// Adds one value per column of a layer.
  void add(int half, Index layer, const float* values);

  const std::vector<Binning>& binnings() const { return binnings_; }
  /// Entropy in nats of every unit's values under binning b; with Miller-Madow's correction, or
  /// without. half: 0, 1, or -1 for both. A head's is the mean over its columns. A unit without
  /// spread has entropy 0.
  std::vector<double> entropies(std::size_t b, bool miller_madow, int half = -1) const;
  /// Share of values with |a| of at least a tenth of the layer's root mean square; one minus the
  /// share of near-zero values (APoZ, Hu et al. 2016, for an activation without exact zeros).
  std::vector<double> active_shares(int half = -1) const;

 private:
  struct Grid {
    float lo = 0;
    float scale = 0;  // bins / (hi - lo), 0 without spread
  };
  std::size_t slot(int half, std::size_t column, Index bins) const;

  Units units_;
  std::vector<Binning> binnings_;
  std::vector<std::vector<Grid>> grids_;           // [binning][layer * columns]
  std::vector<std::vector<std::int32_t>> counts_;  // [binning][half][column][bin]
  std::vector<float> thresholds_;                  // [layer]
  std::vector<std::int64_t> active_;               // [half][column]
  std::array<std::int64_t, 2> tokens_{};           // values per column
};

/// One forward pass over the same batches.
ValueCounts count_values(const Network& network, const float* parameters,
                         const std::vector<Batch>& batches, const Units& units,
                         const Halves& halves, const std::vector<Binning>& binnings,
                         const StopCheck& stop, const std::vector<bool>& removed = {});

/// Mean value of every column, over both halves: what mean ablation puts in a unit's place.
std::vector<float> mean_values(const Halves& halves);

}  // namespace xfq::importance
