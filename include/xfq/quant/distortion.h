// What quantization did to a set of values: counts and sums that merge.
// Squared error hides where it sits: a clipped outlier and a thousand coarse
// small values may cost the same. Hence the clip share beside the SQNR, and the
// entropy of the codes for the bits that carry nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "xfq/core/matrix.h"
#include "xfq/quant/number_format.h"

namespace xfq::quant {

class Distortion {
 public:
  explicit Distortion(const NumberFormat& format);

  /// Values as they were and the scale they were rounded at.
  void add(const float* x, Index size, const Scale& scale);
  /// The same with codes that were found otherwise (GPTQ).
  void add(const float* x, const std::int32_t* codes, Index size, const Scale& scale);
  /// Formats must agree.
  void merge(const Distortion& other);

  std::int64_t count() const { return count_; }
  double signal() const { return signal_; }  ///< sum of x^2
  double noise() const { return noise_; }    ///< sum of (x - x^)^2
  /// 10 log10(signal / noise); none when either is 0.
  std::optional<double> sqnr_db() const;
  /// Share of values beyond the last code; none without values.
  std::optional<double> clip_share() const;
  /// Entropy of the codes in bits, at most the format's bits; none without values.
  std::optional<double> code_entropy_bits() const;

 private:
  NumberFormat format_;
  std::int64_t count_ = 0;
  std::int64_t clipped_ = 0;
  double signal_ = 0;
  double noise_ = 0;
  std::vector<std::int64_t> codes_;
};

}  // namespace xfq::quant
