// The truth that scores are held against: every unit is taken out of the model alone, and the
// model is run again as far as the unit reaches. Exact up to rounding, no approximation.
//
// What a unit touches: a neuron adds a * w to the residual stream, so its block's output changes
// by (a' - a) w and only the blocks above run again; a head re-runs its own block, a channel the
// blocks above.
//
// Two measures, in nats per predicted token:
//   nll  loss without the unit - loss with it; negative where the model is better off without
//   kl   KL(p || p') of the predictions with (p) and without the unit (p'); never negative, and
//        far steadier than nll, since it does not depend on which token happened to come
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "xfq/core/record.h"
#include "xfq/importance/statistics.h"

namespace xfq::importance {

/// What stands in the place of the unit's values.
///   zero      0
///   mean      the unit's mean over other text
///   resample  its values at other tokens of the batch, in random order
enum class Replacement { zero, mean, resample };
/// "zero", "mean", "resample".
const std::vector<std::string>& replacement_names();
Replacement parse_replacement(const std::string& name);

/// "nll", "kl".
const std::vector<std::string>& measure_names();

/// What taking out a unit did; sums over the sequences of either half (they alternate).
class Effect {
 public:
  /// A sequence with its number of predictions and sums of changes, nats.
  void add(int half, std::int64_t predictions, double nll, double kl);

  /// Nats per prediction; half: 0, 1, or -1 for both.
  double nll(int half = -1) const { return mean(&Sums::nll, half); }
  double kl(int half = -1) const { return mean(&Sums::kl, half); }
  double measure(const std::string& name, int half = -1) const;
  /// Of nll, 95 %, over sequences: the t interval of the linearised ratio of sums. None for fewer
  /// than two sequences.
  std::optional<Interval> nll_interval() const;

 private:
  struct Sums {
    double predictions = 0, nll = 0, kl = 0;
  };
  double mean(double Sums::*sum, int half) const;

  std::array<Sums, 2> halves_;
  std::int64_t sequences_ = 0;
  double nll_square_ = 0, nll_predictions_ = 0, predictions_square_ = 0;  // over sequences
};

/// The effect of every unit. `means` (by column, mean_values()) is read for Replacement::mean
/// alone. Resampling draws from Stream(seed, "importance/resample", batch).
std::vector<Effect> ablate(const Network& network, const float* parameters,
                           const std::vector<Batch>& batches, const Units& units,
                           Replacement replacement, const std::vector<float>& means,
                           std::uint64_t seed, const StopCheck& stop);

/// Changes of predictions, row by row, from logits before and after.
class PredictionChange {
 public:
  /// before [rows, vocab]; targets [rows], all >= 0.
  PredictionChange(Index vocab, const float* before, std::vector<std::int32_t> targets);

  Index rows() const { return static_cast<Index>(targets_.size()); }
  /// Row r of `after` is after(r) [vocab]. nll and kl [rows] are assigned.
  template <class RowOf>
  void compare(const RowOf& after, double* nll, double* kl) {
    for (Index r = 0; r < rows(); ++r) load(r, after(r));
    evaluate(nll, kl);
  }

 private:
  void load(Index row, const float* after);
  void evaluate(double* nll, double* kl);

  Index vocab_;
  std::vector<std::int32_t> targets_;
  Vector<float> before_, probabilities_;  // [rows, vocab]
  Vector<float> difference_, exponential_;
};

}  // namespace xfq::importance
