// Fake quantization of weights: a parameter vector whose selected matrices hold
// only values that the format has. Biases, normalisation weights and position
// embeddings stay as they are.
//
// The output head of the decoder is tied to the token table, one tensor in one
// place. When the head is in the plan the table is rounded for both uses, the
// product and the lookup: that is what a file with one quantized table holds, and
// what saves the bytes. Its output channel is a token (a row of the table).
#pragma once

#include <vector>

#include "xfq/core/matrix.h"
#include "xfq/models/decoder.h"
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
  Vector<float> parameters;           ///< of the model's layout
  std::vector<TensorReport> tensors;  ///< quantized weights only, in the order of the plan
};

QuantizedModel quantize_weights(const std::vector<models::LinearSite>& sites,
                                const Vector<float>& parameters, const Plan& plan);
QuantizedModel quantize_weights(const models::Decoder& decoder, const Vector<float>& parameters,
                                const Plan& plan);

}  // namespace xfq::quant
