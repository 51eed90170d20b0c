// ROC, confusion counts and calibration error.
#include "xfq/stats/roc.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "checks.h"
#include "xfq/core/error.h"
#include "xfq/stats/correlation.h"
#include "xfq/stats/moments.h"
#include "xfq/stats/quantiles.h"

namespace xfq::stats {
namespace {

void check_items(const std::vector<double>& scores, const std::vector<bool>& labels) {
  check_same_size(scores.size(), labels.size(), "scores and labels");
  check_finite(scores, "scores");
}

std::optional<double> ratio(double numerator, double denominator) {
  if (denominator == 0) return std::nullopt;
  return numerator / denominator;
}

// For each positive the share of negatives it beats (a tie counts half), and for each
// negative the share of positives that beat it: DeLong's structural components.
struct Components {
  std::vector<double> positive;
  std::vector<double> negative;
};

Components components(const std::vector<double>& scores, const std::vector<bool>& labels) {
  std::vector<double> positives;
  std::vector<double> negatives;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    (labels[i] ? positives : negatives).push_back(scores[i]);
  }
  const std::vector<double> all_ranks = average_ranks(scores);
  const std::vector<double> positive_ranks = average_ranks(positives);
  const std::vector<double> negative_ranks = average_ranks(negatives);
  const auto m = static_cast<double>(positives.size());
  const auto n = static_cast<double>(negatives.size());
  Components result;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (labels[i]) {
      const std::size_t k = result.positive.size();
      result.positive.push_back((all_ranks[i] - positive_ranks[k]) / n);
    } else {
      const std::size_t k = result.negative.size();
      result.negative.push_back(1 - (all_ranks[i] - negative_ranks[k]) / m);
    }
  }
  return result;
}

Moments moments_of(const std::vector<double>& values) {
  Moments moments;
  moments.add(values.data(), values.size());
  return moments;
}

}  // namespace

std::optional<double> auc(const std::vector<double>& scores, const std::vector<bool>& labels) {
  check_items(scores, labels);
  const std::vector<double> ranks = average_ranks(scores);
  double rank_sum = 0;
  double m = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (labels[i]) {
      rank_sum += ranks[i];
      m += 1;
    }
  }
  const double n = static_cast<double>(scores.size()) - m;
  return ratio(rank_sum - m * (m + 1) / 2, m * n);
}

Estimate auc_delong(const std::vector<double>& scores, const std::vector<bool>& labels,
                    double level) {
  check_level(level);
  Estimate estimate;
  estimate.level = level;
  estimate.over_seeds = false;
  estimate.n = static_cast<std::int64_t>(scores.size());
  estimate.value = auc(scores, labels);
  const auto m = static_cast<std::int64_t>(std::count(labels.begin(), labels.end(), true));
  const std::int64_t fewest = std::min(m, estimate.n - m);
  if (fewest < 2) {
    estimate.reason =
        phrase("{} positives and {} negatives, an interval needs 2 of each", {m, estimate.n - m});
    return estimate;
  }
  const double area = *estimate.value;
  if (area == 0 || area == 1) {
    estimate.ci = wilson(area == 1 ? fewest : 0, fewest, level).ci;
    return estimate;
  }
  const Components parts = components(scores, labels);
  const double error_positive = moments_of(parts.positive).standard_error();
  const double error_negative = moments_of(parts.negative).standard_error();
  estimate.standard_error = std::hypot(error_positive, error_negative);
  const double half_width = normal_quantile(0.5 + 0.5 * level) * estimate.standard_error;
  estimate.ci = Interval{std::max(0.0, area - half_width), std::min(1.0, area + half_width)};
  return estimate;
}

std::optional<double> Confusion::accuracy() const {
  return ratio(static_cast<double>(true_positive + true_negative), static_cast<double>(total()));
}

std::optional<double> Confusion::balanced_accuracy() const {
  const auto sensitivity = ratio(static_cast<double>(true_positive),
                                 static_cast<double>(true_positive + false_negative));
  const auto specificity = ratio(static_cast<double>(true_negative),
                                 static_cast<double>(true_negative + false_positive));
  if (!sensitivity || !specificity) return std::nullopt;
  return 0.5 * (*sensitivity + *specificity);
}

std::optional<double> Confusion::f1() const {
  return ratio(2 * static_cast<double>(true_positive),
               static_cast<double>(2 * true_positive + false_positive + false_negative));
}

std::optional<double> Confusion::mcc() const {
  const auto tp = static_cast<double>(true_positive);
  const auto fp = static_cast<double>(false_positive);
  const auto tn = static_cast<double>(true_negative);
  const auto fn = static_cast<double>(false_negative);
  return ratio(tp * tn - fp * fn,
               std::sqrt(tp + fp) * std::sqrt(tp + fn) * std::sqrt(tn + fp) * std::sqrt(tn + fn));
}

Confusion confusion(const std::vector<double>& scores, const std::vector<bool>& labels,
                    double threshold) {
  check_items(scores, labels);
  Confusion counts;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const bool called = scores[i] >= threshold;
    if (labels[i]) {
      ++(called ? counts.true_positive : counts.false_negative);
    } else {
      ++(called ? counts.false_positive : counts.true_negative);
    }
  }
  return counts;
}

namespace {

/// The bin of equal width that a probability falls into.
std::size_t bin_of(double probability, std::size_t bins) {
  if (bins == 0) throw_run("calibration over 0 bins, expected 1 or more");
  if (!(probability >= 0 && probability <= 1)) {
    throw_run(fmt::format("probability {}, expected 0 to 1", probability));
  }
  return std::min(static_cast<std::size_t>(probability * static_cast<double>(bins)), bins - 1);
}

}  // namespace

std::vector<CalibrationBin> calibration_bins(const std::vector<double>& probabilities,
                                             const std::vector<bool>& labels, std::size_t bins) {
  check_items(probabilities, labels);
  std::vector<CalibrationBin> out(bins);
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    CalibrationBin& bin = out[bin_of(probabilities[i], bins)];
    bin.probabilities += probabilities[i];
    bin.positives += labels[i] ? 1 : 0;
    ++bin.count;
  }
  return out;
}

std::optional<double> calibration_error(const std::vector<double>& probabilities,
                                        const std::vector<bool>& labels, std::size_t bins) {
  check_items(probabilities, labels);
  if (probabilities.empty()) return std::nullopt;
  // Per bin, the sum of (label - probability); its magnitude is count * |gap|.
  std::vector<double> gap(bins, 0);
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    const double p = probabilities[i];
    gap[bin_of(p, bins)] += (labels[i] ? 1.0 : 0.0) - p;
  }
  double sum = 0;
  for (const double value : gap) sum += std::abs(value);
  return sum / static_cast<double>(probabilities.size());
}

}  // namespace xfq::stats
