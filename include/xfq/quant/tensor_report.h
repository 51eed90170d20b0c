// What a report says about one quantized tensor.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "xfq/core/matrix.h"
#include "xfq/quant/number_format.h"
#include "xfq/quant/observer.h"

namespace xfq::quant {

/// A row of a result's tables: a weight, or the input of a product.
struct TensorReport {
  std::string name;    ///< of the weight
  std::string format;  ///< NumberFormat::name()
  Index rows = 0;      ///< weights: [in, out] or, tied, [out, in]; activations: rows calibrated on
  Index cols = 0;
  double min = 0;
  double max = 0;
  double standard_deviation = 0;
  std::optional<double> excess_kurtosis;  ///< none when all values are equal
  double share_beyond_six_sigma = 0;
  std::optional<double> channel_ratio;  ///< largest channel |x| over the median channel's
  std::optional<double> sqnr_db;        ///< none when there is no error, or no signal
  std::optional<double> clip_share;
  std::optional<double> code_entropy_bits;
  std::optional<Range> range;  ///< that the scale covers; none where there are many scales
  std::int64_t bytes = 0;      ///< weights: codes and scales; activations: 0
  double effective_bits = 0;   ///< weights: 8 bytes / values; activations: the format's bits
  /// The weight is the token table: the lookup uses the rounded rows as well.
  bool shared_with_lookup = false;
};

/// The columns that describe the data: name, format, and min .. channel_ratio.
TensorReport describe(const Observation& observation, const std::string& name,
                      const NumberFormat& format);

}  // namespace xfq::quant
