// Long tails in a model: outlier channels, calibration text, and who survives them.
//
// Real activations of a small model have tails but no outlier channels. These are made by a
// rescaling that leaves the fp32 function alone: two channels of every normalisation in a block
// times S, the rows of the following weight divided by S (quant/outliers.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "subject.h"
#include "xfq/core/record.h"

namespace xfq::experiments::quantize {

/// 8 bits throughout.
struct OutlierRow {
  double factor = 1;   ///< S
  std::string method;  ///< see outlier_methods()
  Score score;
  std::optional<double> activation_sqnr_db;  ///< mean over products
  double logit_difference = 0;  ///< largest change of an fp32 logit by the rescaling: rounding
};

/// What is tried at every S:
///   minmax, percentile:99.99, mse, kl   one static activation range, weights per channel
///   tensor                              minmax with one scale per weight
///   token                               activation scales per row, at run time
///   smooth                              minmax after smoothing
///   outlier-columns, hadamard           token with outlier columns in fp32, token rotated
const std::vector<std::string>& outlier_methods();

std::vector<OutlierRow> measure_outliers(const Subject& subject);

/// Ranges found on fewer or more tokens than --calibration-tokens; 8 bits.
struct CalibrationSizeRow {
  std::int64_t tokens = 0;
  std::string calibration;
  Score score;
  std::optional<double> activation_sqnr_db;
};
std::vector<CalibrationSizeRow> measure_calibration_size(const Subject& subject);

/// S of the dynamic part.
inline constexpr double kDynamicOutliers = 30;

/// Static and dynamic scales on the text that they were calibrated for, on another one, and with
/// outlier channels; 8 bits.
struct DynamicRow {
  std::string circumstance;  ///< "matched", "shifted" (calibrated on random tokens), "outliers"
  std::string scales;        ///< "static", "tensor", "token"; the last two at run time
  Score score;
};
std::vector<DynamicRow> measure_dynamic(const Subject& subject);

struct SeedResult;
Table outliers_table(const std::vector<SeedResult>& seeds);
Table calibration_size_table(const std::vector<SeedResult>& seeds);
Table dynamic_table(const std::vector<SeedResult>& seeds);

}  // namespace xfq::experiments::quantize
