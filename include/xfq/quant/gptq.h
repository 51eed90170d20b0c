// GPTQ: rounding of weights to second order (Frantar et al. 2023, "GPTQ: accurate
// post-training quantization for generative pre-trained transformers", algorithm 1).
//
// Minimises E|x W - x W^|^2 instead of |W - W^|^2: inputs are rounded one after the other,
// and the error of each is made up for by those that are not rounded yet,
//   delta = (w_q - w^_q) / [U]_qq * U_{q,>q},  U the upper Cholesky factor of H^-1,
// with H = E[x^T x] + damping * mean(diag H) * I. Inputs are taken in their order, the scales
// are those of round-to-nearest, fixed before (groups included).
#pragma once

#include "xfq/core/matrix.h"
#include "xfq/quant/weights.h"

namespace xfq::quant {

inline constexpr double kGptqDamping = 0.01;

/// quantize_weight() with second-order rounding. `second` is E[x^T x], [in, in], of the site's
/// own input (InputMoments::second); the plan's transform is applied to it here. A channel that is
/// always 0 is rounded to nearest. Throws ErrorKind::run when H is not positive definite in
/// spite of the damping.
QuantizedWeight gptq_weight(const models::LinearSite& site, const float* weight,
                            const SitePlan& plan, const Matrix<double>& second,
                            double damping = kGptqDamping);

/// E|x (W - W^)|^2, summed over outputs: the error that GPTQ minimises. Both weights in the site's
/// layout.
double output_squared_error(const models::LinearSite& site, const float* weight,
                            const float* rounded, const Matrix<double>& second);

}  // namespace xfq::quant
