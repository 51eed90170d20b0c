// How well a score ranks units: rank correlation with what ablation found, in three arrangements.
//   within      inside every layer, then the mean over layers
//   raw         all units together, scores as they are
//   normalised  all units together, scores divided by their layer's Euclidean norm (Molchanov et
//               al. 2017, section 2.3)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "xfq/importance/units.h"
#include "xfq/stats/intervals.h"

namespace xfq::importance {

enum class Arrangement { within, raw, normalised };
std::string to_string(Arrangement arrangement);
inline constexpr Arrangement kArrangements[] = {Arrangement::within, Arrangement::raw,
                                                Arrangement::normalised};

/// Scores divided by the Euclidean norm of their layer's scores; a layer of zeros stays.
std::vector<double> normalise_layers(const Units& units, const std::vector<double>& scores);

/// Spearman's correlation. Layers on which it is not defined (one side constant) do not enter
/// the mean; none when it is defined nowhere.
std::optional<double> spearman(const Units& units, const std::vector<double>& scores,
                               const std::vector<double>& truth, Arrangement arrangement);
std::optional<double> kendall(const Units& units, const std::vector<double>& scores,
                              const std::vector<double>& truth, Arrangement arrangement);

/// spearman() with a percentile bootstrap interval over units; resample r draws from
/// Stream(seed, "stats.bootstrap", r). Ranks are found once: a resample costs O(units).
stats::Estimate spearman_bootstrap(const Units& units, const std::vector<double>& scores,
                                   const std::vector<double>& truth, Arrangement arrangement,
                                   std::int64_t resamples, std::uint64_t seed);
/// The same for kendall(), O(units log units) each.
stats::Estimate kendall_bootstrap(const Units& units, const std::vector<double>& scores,
                                  const std::vector<double>& truth, Arrangement arrangement,
                                  std::int64_t resamples, std::uint64_t seed);

/// Split-half reliability of a score or of the truth: the correlation r of its two halves inside
/// layers, stepped up to the whole by Spearman and Brown's 2 r / (1 + r). None when r is not
/// defined; never above 1, and r itself where it is negative. sqrt(reliability of the score *
/// reliability of the truth) is the highest correlation that the two could show if they measured
/// the same.
std::optional<double> split_half(const Units& units, const std::vector<double>& first,
                                 const std::vector<double>& second);

/// Share of the `count` largest of `truth` that are among the `count` largest of `scores`; by
/// chance it is count / units. Equal values: the lower unit first.
double top_overlap(const std::vector<double>& scores, const std::vector<double>& truth,
                   std::int64_t count);

/// Units from the lowest to the highest value; equal values: the lower unit first.
std::vector<std::size_t> ascending(const std::vector<double>& values);

}  // namespace xfq::importance
