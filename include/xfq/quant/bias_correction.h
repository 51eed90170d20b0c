// Bias correction (Nagel et al. 2019, "Data-free quantization through weight equalization and
// bias correction", section 4.2, the empirical form): rounding shifts the mean of a product's
// output, and the mean can be taken off where the product has a bias:
//   b^ = b + E[x] W - E[x^] W^
// with x the input in the original model and x^ the rounded input in the quantized one.
#pragma once

#include <vector>

#include "xfq/core/matrix.h"
#include "xfq/quant/weights.h"

namespace xfq::quant {

/// Changes the biases in model.parameters; products without a bias or not in the plan stay.
/// `means` and `rounded_means`, one [in] vector per product: E[x] (InputMoments::mean) and E[x^]
/// (ActivationQuantizer::channel_means()). An empty rounded mean stands for E[x]: the correction
/// for rounded weights alone.
void correct_biases(const std::vector<models::LinearSite>& sites, const Vector<float>& original,
                    const std::vector<Vector<double>>& means,
                    const std::vector<Vector<double>>& rounded_means, QuantizedModel& model);

}  // namespace xfq::quant
