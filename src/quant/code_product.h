// One matrix product on codes, as floats or as 8-bit integers; see xfq/quant/execution.h.
#pragma once

#include <cstdint>
#include <vector>

#include "xfq/kernels/int8.h"
#include "xfq/nn/tap.h"
#include "xfq/quant/execution.h"
#include "xfq/quant/weights.h"

namespace xfq::quant {

class CodeProduct {
 public:
  /// `weight` are the codes of the transformed weight, `fp32` the weight in the site's layout, of
  /// which the outlier columns are read. integer_refusal(plan) must be empty.
  CodeProduct(const models::LinearSite& site, const SitePlan& plan, const QuantizedWeight& weight,
              const float* fp32, Execution how);

  /// product.y = the product of the codes of product.x (transformed: rotated, or 0 at the outlier
  /// columns). `scales`: one, or one per row. `kept`: the fp32 values of the outlier columns,
  /// [rows, columns].
  void run(const nn::Product<float>& product, const std::vector<Scale>& scales, const float* kept);

 private:
  void run_fake(const nn::Product<float>& product, const std::vector<Scale>& scales);
  void run_integer(const nn::Product<float>& product, const std::vector<Scale>& scales);
  // y = (step_i * step_o) * sum + bias for one row of sums.
  template <class Sum>
  void dequantize_row(const Sum* sums, float step, const float* bias, float* y) const;

  Index in_ = 0;
  Index out_ = 0;
  NumberFormat activation_;
  Execution how_ = Execution::fake;
  Index depth_ = 0;           // longest exact sum in float
  std::vector<float> steps_;  // [out]
  std::vector<float> codes_;  // fake: [in, out], centred
  kernels::PackedWeights packed_;
  std::vector<std::int32_t> zero_points_;  // integer: of the packed codes, [out]; empty: all 0
  std::vector<float> outliers_;            // [outlier columns, out] in fp32
  // Of one batch.
  std::vector<float> x_codes_, partial_;
  std::vector<std::uint8_t> x_bytes_;
  std::vector<std::int32_t> sums_;
};

}  // namespace xfq::quant
