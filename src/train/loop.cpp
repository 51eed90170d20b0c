#include "xfq/train/loop.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "xfq/core/error.h"

namespace xfq::train {

TrainingSummary run_training(const nn::ParameterLayout& layout, const OptimizerConfig& config,
                             const GradientFunction& gradient, Vector<float>& parameters,
                             Monitor& monitor, const std::string& label,
                             const AfterStep& after_step) {
  Optimizer optimizer(layout, config);
  Vector<float> gradients = nn::make_parameters<float>(layout);
  TrainingSummary summary;
  const std::int64_t tail = std::max<std::int64_t>(1, config.steps / 10);
  for (std::int64_t step = 0; step < config.steps; ++step) {
    if (monitor.stop_requested()) {
      throw Error(ErrorKind::interrupted, fmt::format("{}: stopped at step {}", label, step));
    }
    gradients.setZero();
    const double loss = gradient(step, parameters.data(), gradients.data()).mean();
    if (!std::isfinite(loss)) {
      throw Diverged(
          fmt::format("{}: training diverged at step {}: the loss is {}", label, step + 1, loss));
    }
    optimizer.step(step, parameters, gradients);
    if (after_step) after_step(step + 1, parameters, optimizer);
    if (step == 0) summary.first_loss = loss;
    if (step >= config.steps - tail) summary.last_loss += loss / static_cast<double>(tail);
    monitor.progress(label, step + 1, config.steps, loss);
  }
  return summary;
}

}  // namespace xfq::train
