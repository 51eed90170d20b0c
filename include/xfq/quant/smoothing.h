// SmoothQuant (Xiao et al. 2023, "SmoothQuant: accurate and efficient post-training
// quantization for large language models", eq. 3 and 4): range moves from activations into
// weights, channel by channel, where a LayerNorm stands before the product:
//   s_j = max|x_j|^alpha / max|W_j|^(1 - alpha),   x_j / s_j,   s_j W_j
// The model computes the same up to rounding; the division goes into the LayerNorm's weight and
// bias. Here that is the input of attn.c_attn and mlp.c_fc in every block.
#pragma once

#include <vector>

#include "xfq/models/decoder.h"
#include "xfq/quant/observer.h"

namespace xfq::quant {

/// `observations`: of the inputs of all products of this model, in the order of linears().
/// alpha in [0, 1], otherwise throws ErrorKind::usage; .5 is the paper's choice. A channel whose
/// inputs or weights are all 0 keeps s_j = 1; s_j is at least 1e-5.
Vector<float> smooth(const models::Decoder& decoder, const Vector<float>& parameters,
                     const std::vector<Observation>& observations, double alpha = 0.5);

}  // namespace xfq::quant
