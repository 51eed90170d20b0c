// How noisy the gradient of a batch is: tr(Sigma), |G|^2 and the simple noise scale
// B_simple = tr(Sigma) / |G|^2 of McCandlish et al. 2018, "An empirical model of
// large-batch training", eq. 2.8-2.9 and appendix A.
//
// The unit of independence is the sequence. The gradient of sequence i is
//   g_i = (1 / n) sum over its predictions of the gradient of -log p,
// n the mean number of predictions of a sequence of the sample, so that the mean of g_i
// is the gradient of the mean loss. G is its expectation and Sigma its covariance; the
// mean over B independent sequences has covariance Sigma / B.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "xfq/corpus/language.h"
#include "xfq/models/decoder.h"
#include "xfq/stats/intervals.h"
#include "xfq/train/optimizer.h"

namespace xfq::train {

/// Gradients of independent sequences, averaged over units of a few.
struct GradientSample {
  Index unit = 0;                      ///< sequences a unit
  Matrix<float> units;                 ///< [units, P] mean gradient of each
  std::vector<double> sequence_norms;  ///< |g_i|^2 of every sequence, in order of the units

  std::int64_t sequences() const { return static_cast<std::int64_t>(sequence_norms.size()); }
};

/// `units` times `unit` rows of the training split, drawn independently as for training batch
/// number `batch` of run `seed`, each with a backward pass of its own.
GradientSample sample_gradients(const models::Decoder& decoder, const Vector<float>& parameters,
                                const corpus::LanguageData& data, std::uint64_t seed,
                                std::uint64_t batch, Index units, Index unit);

/// The sample and the products of its units' gradients, from which every average over
/// units has its norm and its cosines.
class GradientNoise {
 public:
  /// The sample must outlive this. Two units or more.
  explicit GradientNoise(const GradientSample& sample);
  explicit GradientNoise(GradientSample&& sample) = delete;

  /// From all per-sequence gradients, unbiased:
  ///   tr(Sigma) = (sum |g_i|^2 - N |mean|^2) / (N - 1),  |G|^2 = |mean|^2 - tr(Sigma) / N
  struct Exact {
    double trace = 0;
    double squared_norm = 0;
    std::optional<double> b_simple;  ///< sequences; none when |G|^2 is not above 0
  };
  Exact exact() const;

  /// What needs no per-sequence gradients: the norms of a small and of a big batch,
  ///   |G|^2 = (B_b |g_b|^2 - B_s |g_s|^2) / (B_b - B_s)
  ///   tr(Sigma) = (|g_s|^2 - |g_b|^2) / (1/B_s - 1/B_b),
  /// both averaged over pairs before the division. Pair k draws `big` of the units without
  /// replacement (stream (seed, "noise_pair", k)); the small batch is the first of them.
  struct TwoBatch {
    stats::Estimate b_simple;      ///< ratio of means over pairs; over_seeds is false
    double negative_share = 0;     ///< pairs whose |G|^2 is below 0
    std::int64_t small_batch = 0;  ///< sequences
    std::int64_t big_batch = 0;
  };
  TwoBatch two_batch(Index big, std::int64_t pairs, std::uint64_t seed) const;

  /// Variance E |g_B - G|^2 of the mean over B sequences.
  struct Variance {
    std::int64_t batch = 0;
    double variance = 0;
    double expected = 0;  ///< what theory says, from the variance of single units
  };
  /// Over disjoint groups of independent units, B = unit, 2 unit, ... while at least
  /// kLeastGroups remain. Expected: tr(Sigma) / B.
  std::vector<Variance> variance_with_replacement() const;
  /// Over `draws` random subsets of the units, taken as the whole population of D sequences:
  /// the mean of |g_B - mean of all|^2. Expected: tr(Sigma) (1/B - 1/D).
  std::vector<Variance> variance_without_replacement(std::int64_t draws, std::uint64_t seed) const;
  static constexpr Index kLeastGroups = 8;

  /// Cosine of the mean over B sequences with G: mean over disjoint groups of
  /// g_B . g_rest / (|g_B| |G|), with g_rest the mean over all other units (the product is
  /// an unbiased estimate of |G|^2) and |G| from exact(). Empty when |G|^2 is not above 0.
  struct Cosine {
    std::int64_t batch = 0;
    double cosine = 0;
    double expected = 0;  ///< 1 / sqrt(1 + B_simple / B)
  };
  std::vector<Cosine> cosines() const;

  /// The same for the updates that an optimizer would make: cosine of the update for a group
  /// with the update for all other units. `update` maps a gradient [P] to an update [P].
  /// There is no curve to expect: the update is not linear in the gradient.
  using Update = std::function<void(const Vector<float>& gradient, Vector<float>& update)>;
  std::vector<Cosine> update_cosines(const Update& update) const;

 private:
  Index units() const { return sample_.units.rows(); }
  /// Product of the means of two sets of units.
  double product(const std::vector<Index>& a, const std::vector<Index>& b) const;
  std::vector<Index> all_but(Index begin, Index count) const;

  const GradientSample& sample_;
  Matrix<double> products_;  ///< [units, units]
  Vector<float> mean_;       ///< [P]
  double mean_norm_ = 0;     ///< |mean_|^2
};

/// The direction in which the optimizer would move the weights for this gradient, before
/// weight decay: clipped, mixed with the moments after `updates` updates, and for Adam
/// divided by the root of the second moment.
GradientNoise::Update optimizer_update(const OptimizerConfig& config, std::int64_t updates,
                                       const Vector<float>& first_moment,
                                       const Vector<float>& second_moment);

}  // namespace xfq::train
