// AdamW and SGD with gradient clipping and learning-rate schedules.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "xfq/core/error.h"
#include "xfq/nn/parameters.h"

namespace xfq::train {

/// The loss or the gradient of a step is not finite; ErrorKind::run.
class Diverged : public Error {
 public:
  /// what: "training diverged at step 7: the loss is nan", or the same after a label.
  explicit Diverged(const std::string& what);
};

struct OptimizerConfig {
  /// adamw  xfq/kernels/kernels.h, AdamW
  /// sgd    u = momentum u + g;  w = (1 - lr weight_decay) w - lr u
  std::string kind = "adamw";
  std::int64_t steps = 1000;
  double lr = 1e-3;
  double min_lr = 1e-4;  ///< where cosine, linear and wsd end
  std::int64_t warmup = 100;
  /// After a linear warm-up, (i + 1) / (warmup + 1) of lr at step i:
  ///   constant  lr
  ///   cosine    half a cosine from lr to min_lr (Loshchilov & Hutter 2017)
  ///   linear    a line from lr to min_lr
  ///   wsd       lr, then a line to min_lr over the last quarter of the steps
  ///             (warm-up, stable, decay; Hu et al. 2024)
  ///   halving   lr, half of it after 1/2, 3/4 and 7/8 of the steps that follow
  std::string schedule = "cosine";
  double weight_decay = 0.1;  ///< of matrices; biases and normalisation weights have none
  double beta1 = 0.9;
  double beta2 = 0.99;
  double epsilon = 1e-8;
  double momentum = 0;  ///< of sgd
  double clip = 1.0;    ///< largest global gradient norm (Pascanu et al. 2013); 0: no clipping

  static const std::vector<std::string>& schedules();
  static const std::vector<std::string>& kinds();
};

/// The rate of step i, 0 <= i < steps.
double learning_rate(const OptimizerConfig& config, std::int64_t step);

class Optimizer {
 public:
  Optimizer(const nn::ParameterLayout& layout, const OptimizerConfig& config);

  /// One update. Returns the gradient's norm before clipping. Throws Diverged, naming the
  /// step, when that norm is not finite.
  double step(std::int64_t step, Vector<float>& parameters, const Vector<float>& gradients);

  const OptimizerConfig& config() const { return config_; }
  /// Adam's running means of the gradient and of its square, before bias correction; for
  /// sgd the momentum buffer, and nothing.
  const Vector<float>& first_moment() const { return m_; }
  const Vector<float>& second_moment() const { return v_; }

 private:
  OptimizerConfig config_;
  Vector<float> m_, v_;
  struct Segment {
    Index begin, size;
    bool decay;
  };
  std::vector<Segment> segments_;

  void step_sgd(double lr, double gradient_scale, Vector<float>& parameters,
                const Vector<float>& gradients);
};

}  // namespace xfq::train
