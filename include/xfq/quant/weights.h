// Fake quantization of weights: a parameter vector whose selected matrices hold
// only values that the format has. Biases, normalisation weights and position
// embeddings stay as they are.
//
// The output head of the decoder is tied to the token table, one tensor in one
// place. When the head is in the plan the table is rounded for both uses, the
// product and the lookup: that is what a file with one quantized table holds, and
// what saves the bytes. Its output channel is a token (a row of the table).
#pragma once

#include <optional>
#include <vector>

#include "xfq/core/matrix.h"
#include "xfq/models/decoder.h"
#include "xfq/quant/input_moments.h"
#include "xfq/quant/plan.h"
#include "xfq/quant/tensor_report.h"

namespace xfq::quant {

/// A weight as codes: what integer execution loads.
struct QuantizedWeight {
  Index in = 0;
  Index out = 0;
  Index groups = 0;  ///< scales per output channel, along the input; 0: one for the tensor
  std::vector<std::int32_t> codes;  ///< in the weight's own layout
  std::vector<Scale> scales;        ///< [out, groups], or one
};

/// `weight` in the site's layout. Slices (tensor, channels or groups) are calibrated one by one.
QuantizedWeight quantize_weight(const models::LinearSite& site, const float* weight,
                                const WeightSetting& setting);
/// The float values of the codes, in the same layout.
void dequantize_weight(const models::LinearSite& site, const QuantizedWeight& quantized,
                       const WeightSetting& setting, float* weight);

struct QuantizedModel {
  /// Of the model's layout. A transform is taken back: weights are rotated back, outlier columns
  /// have their fp32 values. Correct for the untransformed input.
  Vector<float> parameters;
  std::vector<TensorReport> tensors;  ///< quantized weights only, in the order of the plan
  /// One per product, of the transformed weight: what execution reads. None where the plan leaves
  /// the weight alone.
  std::vector<std::optional<QuantizedWeight>> weights;
};

/// Rounds to nearest, or to second order (xfq/quant/gptq.h) where `moments` has the inputs' second
/// moments, one per product.
QuantizedModel quantize_weights(const std::vector<models::LinearSite>& sites,
                                const Vector<float>& parameters, const Plan& plan,
                                const std::vector<InputMoments>* moments = nullptr);
QuantizedModel quantize_weights(const models::Decoder& decoder, const Vector<float>& parameters,
                                const Plan& plan,
                                const std::vector<InputMoments>* moments = nullptr);

}  // namespace xfq::quant
