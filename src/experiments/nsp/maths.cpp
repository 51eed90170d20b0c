#include "maths.h"

#include <algorithm>
#include <cmath>

#include "xfq/kernels/kernels.h"

namespace xfq::experiments::nsp {

namespace {

constexpr int kGrid = 8;

template <class Visit>
void over_grid(const Visit& visit) {
  for (int i = -kGrid; i <= kGrid; ++i) {
    for (int j = -kGrid; j <= kGrid; ++j) visit(static_cast<double>(i), static_cast<double>(j));
  }
}

double loss_of(double z0, double z1, std::int32_t label, double* gradient) {
  double logits[2] = {z0, z1};
  std::int64_t count = 0;
  const double loss = kernels::cross_entropy<double>(1, 2, logits, 2, &label, nullptr,
                                                     gradient != nullptr, 1.0, &count);
  if (gradient) std::copy(logits, logits + 2, gradient);
  return loss;
}

}  // namespace

double sigmoid(double log_odds) { return 1 / (1 + std::exp(-log_odds)); }

double logit(double p) { return std::log(p / (1 - p)); }

double coin_entropy(double p) { return -p * std::log(p) - (1 - p) * std::log(1 - p); }

double softmax_sigmoid_error() {
  double worst = 0;
  over_grid([&](double z0, double z1) {
    double p[2] = {z0, z1};
    kernels::softmax_rows<double>(1, 2, p, 2);
    worst = std::max(worst, std::abs(p[1] - sigmoid(z1 - z0)));
  });
  return worst;
}

double gradient_error() {
  constexpr double kStep = 1e-5;
  double worst = 0;
  over_grid([&](double z0, double z1) {
    for (const std::int32_t label : {0, 1}) {
      double gradient[2];
      loss_of(z0, z1, label, gradient);
      const double difference[2] = {
          (loss_of(z0 + kStep, z1, label, nullptr) - loss_of(z0 - kStep, z1, label, nullptr)) /
              (2 * kStep),
          (loss_of(z0, z1 + kStep, label, nullptr) - loss_of(z0, z1 - kStep, label, nullptr)) /
              (2 * kStep)};
      for (const int c : {0, 1}) worst = std::max(worst, std::abs(gradient[c] - difference[c]));
    }
  });
  return worst;
}

double fitted_bias(const std::vector<double>& log_odds, const std::vector<bool>& labels) {
  double bias = 0;
  for (int iteration = 0; iteration < 100; ++iteration) {
    double slope = 0, curvature = 0;
    for (std::size_t i = 0; i < log_odds.size(); ++i) {
      const double p = sigmoid(log_odds[i] + bias);
      slope += p - (labels[i] ? 1 : 0);
      curvature += p * (1 - p);
    }
    // Far from the optimum the curvature vanishes and a full step would overshoot.
    const double step = std::clamp(slope / std::max(curvature, 1e-12), -1.0, 1.0);
    bias -= step;
    if (std::abs(step) < 1e-12) break;
  }
  return bias;
}

double cross_entropy(const std::vector<double>& log_odds, const std::vector<bool>& labels) {
  double sum = 0;
  for (std::size_t i = 0; i < log_odds.size(); ++i) {
    // ln(1 + exp(-m)) of the margin m, without overflow.
    const double margin = labels[i] ? log_odds[i] : -log_odds[i];
    sum += std::max(-margin, 0.0) + std::log1p(std::exp(-std::abs(margin)));
  }
  return sum / static_cast<double>(log_odds.size());
}

}  // namespace xfq::experiments::nsp
