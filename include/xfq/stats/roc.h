// Quality of binary classifiers.
//
// `scores[i]` is larger where item i is more likely positive; `labels[i]` is true
// for positives. Sizes must agree and scores be finite, otherwise ErrorKind::run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "xfq/stats/intervals.h"

namespace xfq::stats {

/// Area under the ROC curve: P(positive scores higher) + P(equal) / 2, O(n log n).
/// None without both a positive and a negative.
std::optional<double> auc(const std::vector<double>& scores, const std::vector<bool>& labels);

/// AUC with the interval of DeLong et al. (1988), by the ranks of Sun and Xu (2014),
/// cut to [0, 1]; two of each class or more. Where positives and negatives are fully
/// separated the estimated variance is zero although the true one need not be: the
/// far end is then Wilson's bound for min(positives, negatives) successes in as many
/// trials. Items are the observations (over_seeds is false), n their number.
Estimate auc_delong(const std::vector<double>& scores, const std::vector<bool>& labels,
                    double level = 0.95);

struct Confusion {
  std::int64_t true_positive = 0;
  std::int64_t false_positive = 0;
  std::int64_t true_negative = 0;
  std::int64_t false_negative = 0;

  std::int64_t total() const {
    return true_positive + false_positive + true_negative + false_negative;
  }
  // None where the denominator is zero.
  std::optional<double> accuracy() const;           ///< (TP + TN) / total
  std::optional<double> balanced_accuracy() const;  ///< mean of both classes' recall
  std::optional<double> f1() const;                 ///< 2 TP / (2 TP + FP + FN)
  std::optional<double> mcc() const;                ///< Matthews correlation coefficient
};

/// An item is called positive when its score is at least `threshold`.
Confusion confusion(const std::vector<double>& scores, const std::vector<bool>& labels,
                    double threshold = 0.5);

/// One point of a reliability curve: the items whose probability falls into a bin.
struct CalibrationBin {
  double probabilities = 0;  ///< their sum
  std::int64_t positives = 0;
  std::int64_t count = 0;
};

/// The bins of calibration_error, empty ones included.
std::vector<CalibrationBin> calibration_bins(const std::vector<double>& probabilities,
                                             const std::vector<bool>& labels, std::size_t bins);

/// Expected calibration error of probabilities of the positive class: over `bins`
/// bins of equal width on [0, 1], the average by items of |share of positives - mean
/// probability|. The binary, class-wise form of Guo et al. (2017): not the confidence of
/// the class called. Probabilities outside [0, 1] throw ErrorKind::run. None without items.
std::optional<double> calibration_error(const std::vector<double>& probabilities,
                                        const std::vector<bool>& labels, std::size_t bins = 15);

}  // namespace xfq::stats
