// The calibration methods, one a file. Each gets counts that are not empty over
// a range that is not 0 and returns the threshold on |x|.
#pragma once

#include "xfq/quant/calibration.h"

namespace xfq::quant {

double percentile_threshold(const Observation& observation, double percentile);
double mse_threshold(const Observation& observation, const NumberFormat& format);
double kl_threshold(const Observation& observation, const NumberFormat& format);
double aciq_threshold(const Observation& observation, const NumberFormat& format);

Range minmax_range(const Observation& observation, const NumberFormat& format);
/// [-threshold, threshold]; for an affine format its intersection with what was
/// seen, with 0.
Range clipped_range(const Observation& observation, const NumberFormat& format, double threshold);

}  // namespace xfq::quant
