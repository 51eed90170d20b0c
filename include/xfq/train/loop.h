// The training loop: gradient, clip, update, report; stops on request and on
// divergence.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "xfq/core/monitor.h"
#include "xfq/nn/loss.h"
#include "xfq/train/optimizer.h"

namespace xfq::train {

/// Adds the gradient of the mean loss of step `step` to `gradients` (zeroed
/// before) and returns the loss.
using GradientFunction =
    std::function<nn::Loss(std::int64_t step, const float* parameters, float* gradients)>;

/// Called after every update with the number of updates so far.
using AfterStep = std::function<void(std::int64_t updates, const Vector<float>& parameters,
                                     const Optimizer& optimizer)>;

struct TrainingSummary {
  double first_loss = 0;  ///< mean loss of the first step
  double last_loss = 0;   ///< mean over the last tenth of the steps
};

/// Runs optimizer.steps updates. Throws Diverged, naming the step, when the loss or
/// the gradient is not finite, and ErrorKind::interrupted when the monitor
/// asks to stop. Allocates nothing per step.
TrainingSummary run_training(const nn::ParameterLayout& layout, const OptimizerConfig& optimizer,
                             const GradientFunction& gradient, Vector<float>& parameters,
                             Monitor& monitor, const std::string& label,
                             const AfterStep& after_step = {});

}  // namespace xfq::train
