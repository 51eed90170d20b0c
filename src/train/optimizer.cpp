#include "xfq/train/optimizer.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "xfq/kernels/kernels.h"

namespace xfq::train {

namespace {
constexpr double kPi = 3.14159265358979323846;
constexpr double kStableShare = 0.75;
}  // namespace

Diverged::Diverged(const std::string& what)
    : Error(ErrorKind::run, what, "use a lower --lr or a longer --warmup") {}

const std::vector<std::string>& OptimizerConfig::schedules() {
  static const std::vector<std::string> names = {"constant", "cosine", "linear", "wsd", "halving"};
  return names;
}

const std::vector<std::string>& OptimizerConfig::kinds() {
  static const std::vector<std::string> names = {"adamw", "sgd"};
  return names;
}

double learning_rate(const OptimizerConfig& config, std::int64_t step) {
  if (step < config.warmup) {
    return config.lr * static_cast<double>(step + 1) / static_cast<double>(config.warmup + 1);
  }
  const auto share = [&](double begin) {
    const double end = static_cast<double>(config.steps);
    const double position = (static_cast<double>(step) - begin) / std::max(1.0, end - begin);
    return std::clamp(position, 0.0, 1.0);
  };
  const double warmup = static_cast<double>(config.warmup);
  const double range = config.lr - config.min_lr;
  if (config.schedule == "cosine") {
    return config.min_lr + 0.5 * (1 + std::cos(kPi * share(warmup))) * range;
  }
  if (config.schedule == "linear") return config.lr - share(warmup) * range;
  if (config.schedule == "wsd") {
    const double begin = std::max(warmup, kStableShare * static_cast<double>(config.steps));
    return config.lr - share(begin) * range;
  }
  if (config.schedule == "halving") {
    const double position = share(warmup);
    return config.lr / (position < 0.5 ? 1 : position < 0.75 ? 2 : position < 0.875 ? 4 : 8);
  }
  XFQ_ASSERT(config.schedule == "constant");
  return config.lr;
}

Optimizer::Optimizer(const nn::ParameterLayout& layout, const OptimizerConfig& config)
    : config_(config),
      m_(Vector<float>::Zero(layout.size())),
      v_(Vector<float>::Zero(config.kind == "adamw" ? layout.size() : 0)) {
  XFQ_ASSERT(config.kind == "adamw" || config.kind == "sgd");
  for (const nn::ParameterInfo& tensor : layout.tensors()) {
    const bool decay = !tensor.vector;
    if (!segments_.empty() && segments_.back().decay == decay) {
      segments_.back().size = tensor.offset + tensor.size() - segments_.back().begin;
    } else {
      segments_.push_back({tensor.offset, tensor.size(), decay});
    }
  }
}

double Optimizer::step(std::int64_t step, Vector<float>& parameters,
                       const Vector<float>& gradients) {
  const double norm = std::sqrt(kernels::sum_squares(gradients.size(), gradients.data()));
  if (!std::isfinite(norm)) {
    throw Diverged(
        fmt::format("training diverged at step {}: the gradient norm is {}", step + 1, norm));
  }
  // PyTorch's clip_grad_norm_ adds 1e-6 to the norm.
  const double gradient_scale =
      config_.clip > 0 ? std::min(1.0, config_.clip / (norm + 1e-6)) : 1.0;
  if (config_.kind == "sgd") {
    step_sgd(learning_rate(config_, step), gradient_scale, parameters, gradients);
    return norm;
  }
  kernels::AdamW p;
  p.lr = learning_rate(config_, step);
  p.beta1 = config_.beta1;
  p.beta2 = config_.beta2;
  p.epsilon = config_.epsilon;
  const double count = static_cast<double>(step + 1);
  p.bias1 = 1 - std::pow(config_.beta1, count);
  p.bias2 = 1 - std::pow(config_.beta2, count);
  p.gradient_scale = gradient_scale;
  for (const Segment& s : segments_) {
    p.weight_decay = s.decay ? config_.weight_decay : 0;
    kernels::adamw(p, s.size, parameters.data() + s.begin, gradients.data() + s.begin,
                   m_.data() + s.begin, v_.data() + s.begin);
  }
  return norm;
}

void Optimizer::step_sgd(double lr, double gradient_scale, Vector<float>& parameters,
                         const Vector<float>& gradients) {
  const float rate = static_cast<float>(lr), scale = static_cast<float>(gradient_scale);
  const float momentum = static_cast<float>(config_.momentum);
  for (const Segment& s : segments_) {
    const float keep = static_cast<float>(1 - lr * (s.decay ? config_.weight_decay : 0));
    for (Index i = s.begin; i < s.begin + s.size; ++i) {
      m_[i] = momentum * m_[i] + scale * gradients[i];
      parameters[i] = keep * parameters[i] - rate * m_[i];
    }
  }
}

}  // namespace xfq::train
