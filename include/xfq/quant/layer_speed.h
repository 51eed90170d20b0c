// Measured speed of a model's products: fp32 against 8-bit integers, each from floats to floats
// (quantize, multiply, dequantize, bias). For a result's `cost`: the only numbers here that
// differ from run to run.
#pragma once

#include <string>
#include <vector>

#include "xfq/core/record.h"
#include "xfq/models/decoder.h"

namespace xfq::quant {

struct LayerSpeed {
  std::vector<std::string> names;  ///< of the weights with this shape
  Index rows = 0;
  Index in = 0;
  Index out = 0;
  // Medians over repeats, seconds of CPU time per call on one thread.
  double fp32_s = 0;
  double int8_static_s = 0;   ///< scale per tensor, known before
  double int8_dynamic_s = 0;  ///< scale per token, found in the call
  // fp32 / int8, the median of ratios of neighbouring measurements, with the distribution-free
  // 95 % interval of the median over repeats.
  double static_speedup = 0;
  Interval static_ci;
  double dynamic_speedup = 0;
  Interval dynamic_ci;
};

/// One row per shape among `sites`, for inputs of `rows` tokens. The three contenders take turns,
/// `repeats` >= 6 times, each for about `seconds` of CPU time; all together it takes
/// 3 * shapes * repeats * seconds. Values do not matter for speed: they are made up.
std::vector<LayerSpeed> measure_layer_speed(const std::vector<models::LinearSite>& sites,
                                            Index rows, int repeats = 9, double seconds = 0.002);

}  // namespace xfq::quant
