// Quantization-aware training (Jacob et al. 2018; the straight-through estimator of Bengio et
// al. 2013): the forward pass reads rounded weights and activations, the gradient passes the
// rounding as if it were not there, and the optimiser updates weights in fp32.
//
//   WeightRounder rounder(sites, plan, parameters);
//   ActivationQuantizer activations(sites, plan, observations);
//   activations.train(true);
//   gradient(step, parameters, gradients):
//     activations.use_rows(batch.targets);
//     return decoder.forward_backward(rounder.round(parameters), batch, workspace, gradients, 0,
//                                     &activations);
//   at the end: quantize_weights(decoder, parameters, plan)
//
// Choices: a weight's gradient passes everywhere, clipped weights included, so that they can come
// back; an activation's gradient is 0 where its value was clipped (the derivative of the clamp).
// Static activation ranges stay what they were calibrated to; dynamic ones follow by themselves.
#pragma once

#include <vector>

#include "xfq/core/matrix.h"
#include "xfq/models/decoder.h"
#include "xfq/quant/plan.h"

namespace xfq::quant {

/// The fake-quantized weights of changing parameters. A scale follows the largest |w| of its slice
/// (tensor, channel or group): calibration is done once, on `parameters`, and what it clips is
/// kept as a share of that largest value. So the first call equals quantize_weights() up to
/// rounding of the scale, and for `minmax` every call does, to the bit.
class WeightRounder {
 public:
  WeightRounder(std::vector<models::LinearSite> sites, Plan plan, const Vector<float>& parameters);
  ~WeightRounder();

  /// The parameters with the plan's weights rounded; valid until the next call. Allocates nothing.
  const float* round(const float* parameters);

 private:
  struct Slot;

  std::vector<models::LinearSite> sites_;
  Plan plan_;
  std::vector<Slot> slots_;
  Vector<float> rounded_;
  std::vector<float> values_;  // of one slice
};

}  // namespace xfq::quant
