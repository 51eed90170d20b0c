// p-values: paired t-test, Welch's test, paired permutation test, Holm's correction.
//
// Verdicts come from intervals (claims.h); these serve tables that compare many
// arms. Non-finite values and sizes that do not agree throw ErrorKind::run.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace xfq::stats {

/// Two-sided p-value of the paired t-test of mean(a - b) = 0. None below two pairs.
/// Differences that are all equal give 0, or 1 when they are all zero.
std::optional<double> paired_t_p(const std::vector<double>& a, const std::vector<double>& b);

/// Two-sided p-value of Welch's test of mean(a) = mean(b), independent samples. None
/// below two observations on a side; samples without spread give 0 or 1.
std::optional<double> welch_p(const std::vector<double>& a, const std::vector<double>& b);

/// Up to so many pairs, all sign flips are enumerated.
inline constexpr std::size_t kExactPermutationPairs = 16;

/// Two-sided p-value of the paired permutation (sign-flip) test of "a - b is
/// symmetric around zero", with |sum of differences| as statistic. Up to
/// kExactPermutationPairs pairs: exact, the share of the 2^n flips that reach the
/// observed one. Above: (1 + reached) / (1 + resamples), resample r drawn from
/// Stream(seed, "stats.permutation", r). Sums that differ by rounding count as equal.
/// None without pairs. The smallest exact p is 2^(1-n): below six pairs no result
/// is under 0.05.
std::optional<double> permutation_p(const std::vector<double>& a, const std::vector<double>& b,
                                    std::int64_t resamples = 9999, std::uint64_t seed = 1);

/// Holm (1979) step-down adjusted p-values, in the order of the input: comparing each
/// with alpha keeps the chance of any false rejection below alpha. p in [0, 1].
std::vector<double> holm(const std::vector<double>& p);

}  // namespace xfq::stats
