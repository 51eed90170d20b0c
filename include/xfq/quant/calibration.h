// Calibration: from what was observed to the range that a format should cover.
//
//   minmax        everything seen. Affine formats take both ends.
//   percentile:P  the P-th percentile of |x|, 0 < P <= 100, interpolated inside its bin
//   mse           the clip threshold with the least mean squared error of the format
//   kl            the clip threshold with the least divergence between the histogram
//                 and what 2^(b-1) levels make of it (Migacz 2017, "8-bit inference with
//                 TensorRT")
//   aciq          the clip threshold that is optimal for a Laplace or a normal density,
//                 whichever is likelier (Banner et al. 2019, "Post training 4-bit quantization of
//                 convolutional networks for rapid-deployment", ACIQ)
//
// All but minmax search a threshold T on |x|; a symmetric or float format gets
// [-T, T], an affine one the intersection of [-T, T] with [min, max], widened to
// include 0. `mse` judges just that intersection, with the signs as they were seen.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xfq/quant/number_format.h"
#include "xfq/quant/observer.h"

namespace xfq::quant {

enum class CalibrationMethod { minmax, percentile, mse, kl, aciq };

struct Calibration {
  CalibrationMethod method = CalibrationMethod::minmax;
  double percentile = 99.99;  ///< percentile only
};

/// "minmax", "percentile:99.9" ("percentile" alone: 99.99), "mse", "kl", "aciq". Throws
/// ErrorKind::usage naming --calibration, with the nearest word.
Calibration parse_calibration(const std::string& text);
std::string to_string(const Calibration& calibration);

/// The range; contains 0. Data of nothing but zeros gives [0, 0].
Range calibrate(const Calibration& calibration, const Observation& observation,
                const NumberFormat& format);

// --- kl ----------------------------------------------------------------------

/// Divergence against threshold, for every candidate that was tried.
struct KlSearch {
  struct Candidate {
    double threshold = 0;   ///< (bins + 1/2) * bin width
    double divergence = 0;  ///< nats
  };
  std::vector<Candidate> curve;  ///< ascending thresholds; may be empty, see kl_search
  double threshold = 0;          ///< the least divergence, the lowest threshold on a tie
};

/// The published search over a histogram of |x|. For i = levels .. bins-1:
///   P = the first i bins with all mass beyond added to the last one of them;
///   Q = the first i bins, without that mass, merged into `levels` levels; each level's
///       sum is spread evenly over those of its bins that are not empty;
///   both are normalised; the divergence is KL(P || Q) in nats.
/// The first i with the least divergence wins, its threshold is (i + 1/2) bin widths.
/// What the publication leaves open, and what is done here:
///   remainder: level l takes the bins floor(l i / levels) .. floor((l + 1) i / levels) - 1, so
///     that sizes differ by one bin at most;
///   smoothing: only the last bin can have P > 0 and Q = 0; Q then gets kKlEpsilon there
///     and is normalised again. (MXNet gives an epsilon to every empty bin of P and of Q.)
///   sign: the histogram is of |x|, as published; ONNX Runtime searches a window around zero in
///     a signed one.
/// When bins <= levels (12 bits and more with 2048 bins), nothing is to be searched:
/// the curve is empty and the threshold is the end of the histogram.
/// With few values most bins of the tail are empty, which Q copies for free: low thresholds
/// then look cheap. Below some 1e5 values per histogram mistrust it; for single channels or
/// groups of a weight it clips nearly everything.
/// Takes O(bins * levels) time: sums over levels come from running sums.
KlSearch kl_search(const std::vector<std::int64_t>& counts, double bin_width, int levels);
inline constexpr double kKlEpsilon = 1e-6;

/// Q of the search, not normalised: `counts` merged into levels and spread again.
std::vector<double> merge_to_levels(const std::vector<std::int64_t>& counts, int levels);

/// Levels that kl_search gets for a format: 2^(bits - 1).
int kl_levels(const NumberFormat& format);

// --- mse ---------------------------------------------------------------------

/// Mean squared error of rounding the observed values into a format at a scale, with
/// values spread evenly inside their bins and the integral over a bin exact. (So it also
/// holds where steps are much narrower than bins.)
double expected_squared_error(const Observation& observation, const NumberFormat& format,
                              const Scale& scale);

// --- aciq --------------------------------------------------------------------

/// Clip thresholds that minimise clipping plus rounding noise, in units of b = E|x| and
/// of sigma, for a uniform code of `intervals` steps over [-T, T]. The paper's 2^M
/// intervals give 2.83, 3.89, 5.03 (Laplace) and 1.71, 2.15, 2.55 (normal) at M = 2, 3, 4;
/// calibrate() passes the format's own number of intervals.
double aciq_laplace_clip(std::int32_t intervals);
double aciq_normal_clip(std::int32_t intervals);

}  // namespace xfq::quant
