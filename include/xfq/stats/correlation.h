// Correlations, with bootstrap intervals.
//
// x and y hold one value per item; sizes must agree and values be finite,
// otherwise ErrorKind::run. A correlation is none (empty) when it is not defined:
// fewer than two items, or one side constant.
#pragma once

#include <optional>
#include <vector>

#include "xfq/stats/intervals.h"

namespace xfq::stats {

/// Ranks 1..n; equal values share the average of their ranks.
std::vector<double> average_ranks(const std::vector<double>& values);

std::optional<double> pearson(const std::vector<double>& x, const std::vector<double>& y);
/// Pearson correlation of the average ranks.
std::optional<double> spearman(const std::vector<double>& x, const std::vector<double>& y);
/// Kendall's tau-b in O(n log n) (Knight 1966): (concordant - discordant) pairs
/// over sqrt((pairs not tied in x) (pairs not tied in y)).
std::optional<double> kendall(const std::vector<double>& x, const std::vector<double>& y);
/// Partial Spearman correlation of x and y given z:
/// (r_xy - r_xz r_yz) / sqrt((1 - r_xz^2) (1 - r_yz^2)). Also none when the ranks
/// of z determine those of x or y (|r| within 1e-12 of 1).
std::optional<double> partial_spearman(const std::vector<double>& x, const std::vector<double>& y,
                                       const std::vector<double>& z);

// The same with an interval; items are resampled together with all their values.
// Items are the observations, not seeds (Estimate::over_seeds is false).
Estimate pearson_bootstrap(const std::vector<double>& x, const std::vector<double>& y,
                           const Bootstrap& options = {});
Estimate spearman_bootstrap(const std::vector<double>& x, const std::vector<double>& y,
                            const Bootstrap& options = {});
Estimate kendall_bootstrap(const std::vector<double>& x, const std::vector<double>& y,
                           const Bootstrap& options = {});
Estimate partial_spearman_bootstrap(const std::vector<double>& x, const std::vector<double>& y,
                                    const std::vector<double>& z, const Bootstrap& options = {});

}  // namespace xfq::stats
