#include "xfq/models/mlp.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "xfq/core/error.h"

namespace xfq::models {

namespace {

constexpr double kPi = 3.14159265358979323846;

/// The sine of x, or its cosine with quarter = 1. In double
/// with plain operations, so that every build gives the same bits; the Taylor terms
/// up to r^15 leave less than 1e-11 on [-pi/2, pi/2].
double sine_of(double x, double quarter) {
  const double turns = x * (1 / kPi) + 0.5 * quarter;
  const double k = std::nearbyint(turns);
  const double r = (turns - k) * kPi;
  const double r2 = r * r;
  double sum = -1.0 / 1307674368000;
  for (const double c :
       {1.0 / 6227020800, -1.0 / 39916800, 1.0 / 362880, -1.0 / 5040, 1.0 / 120, -1.0 / 6, 1.0}) {
    sum = sum * r2 + c;
  }
  const double odd = k - 2 * std::floor(k * 0.5);
  return (1 - 2 * odd) * sum * r;
}

template <class S>
S sine_value(S x, double quarter) {
  if constexpr (std::is_same_v<S, double>) return quarter == 0 ? std::sin(x) : std::cos(x);
  return static_cast<S>(sine_of(static_cast<double>(x), quarter));
}

}  // namespace

const std::vector<std::string>& mlp_activations() {
  static const std::vector<std::string> names = {"identity", "square", "cube", "relu",
                                                 "tanh",     "gelu",   "sine", "sigmoid"};
  return names;
}

MlpActivation parse_mlp_activation(const std::string& name) {
  const auto& names = mlp_activations();
  const auto it = std::find(names.begin(), names.end(), name);
  if (it == names.end()) {
    throw_usage(
        fmt::format("activation: got '{}', expected one of identity, square, cube, relu, "
                    "tanh, gelu, sine, sigmoid",
                    name));
  }
  return static_cast<MlpActivation>(it - names.begin());
}

Index polynomial_degree(MlpActivation activation) {
  switch (activation) {
    case MlpActivation::identity:
      return 1;
    case MlpActivation::square:
      return 2;
    case MlpActivation::cube:
      return 3;
    default:
      return 0;
  }
}

Mlp::Mlp(const MlpConfig& config) : config_(config) {
  if (config.widths.size() < 2) {
    throw_usage(fmt::format("mlp: got {} widths, expected inputs and outputs at least",
                            config.widths.size()));
  }
  for (const Index width : config.widths) {
    if (width < 1) throw_usage(fmt::format("mlp: got a width of {}, expected at least 1", width));
  }
  for (std::size_t l = 0; l + 1 < config.widths.size(); ++l) {
    const Index in = config.widths[l];
    const bool last = l + 2 == config.widths.size();
    const double scale = 1 / std::sqrt(static_cast<double>(in));
    nn::Linear layer;
    layer.in = in;
    layer.out = config.widths[l + 1];
    const std::string name = fmt::format("layers.{}", l);
    layer.weight = layout_.add_matrix(name + ".weight", layer.in, layer.out,
                                      nn::Init::normal(last ? scale : config.gain * scale));
    layer.bias =
        layout_.add_vector(name + ".bias", layer.out,
                           last ? nn::Init::zeros() : nn::Init::normal(config.bias_init * scale));
    layers_.push_back(layer);
  }
}

template <class S>
MlpWorkspace<S> Mlp::make_workspace(Index rows) const {
  MlpWorkspace<S> w;
  w.rows = rows;
  for (std::size_t l = 0; l + 1 < layers_.size(); ++l) {
    w.pre.push_back(Vector<S>::Zero(rows * layers_[l].out));
    w.hidden.push_back(Vector<S>::Zero(rows * layers_[l].out));
  }
  const Index widest = *std::max_element(config_.widths.begin(), config_.widths.end());
  w.output.setZero(rows * outputs());
  w.d_a.setZero(rows * widest);
  w.d_b.setZero(rows * widest);
  return w;
}

template <class S>
void Mlp::forward(const S* parameters, Index rows, const S* x, MlpWorkspace<S>& w) const {
  XFQ_ASSERT(rows <= w.rows);
  const S* input = x;
  for (std::size_t l = 0; l + 1 < layers_.size(); ++l) {
    layers_[l].forward(parameters, rows, input, w.pre[l].data());
    mlp_activation_forward(config_.activation, rows * layers_[l].out, w.pre[l].data(),
                           w.hidden[l].data());
    input = w.hidden[l].data();
  }
  layers_.back().forward(parameters, rows, input, w.output.data());
}

template <class S>
nn::Loss Mlp::forward_backward(const S* parameters, Index rows, const S* x, const S* y,
                               MlpWorkspace<S>& w, S* gradients, Index first_layer) const {
  forward(parameters, rows, x, w);
  const Index size = rows * outputs();
  nn::Loss loss;
  loss.count = size;
  const S scale = S(2) / static_cast<S>(size);
  for (Index i = 0; i < size; ++i) {
    const S error = w.output[i] - y[i];
    loss.sum += static_cast<double>(error) * static_cast<double>(error);
    w.d_a[i] = scale * error;
  }
  for (std::size_t l = layers_.size(); l-- > static_cast<std::size_t>(first_layer);) {
    const bool lowest = l == static_cast<std::size_t>(first_layer);
    const S* input = l == 0 ? x : w.hidden[l - 1].data();
    layers_[l].backward(parameters, rows, input, w.d_a.data(),
                        lowest ? static_cast<S*>(nullptr) : w.d_b.data(), gradients);
    if (lowest) break;
    mlp_activation_backward(config_.activation, rows * layers_[l].in, w.pre[l - 1].data(),
                            w.hidden[l - 1].data(), w.d_b.data(), w.d_a.data());
  }
  return loss;
}

double Mlp::flops_per_row() const {
  double weights = 0;
  for (const nn::Linear& layer : layers_) weights += static_cast<double>(layer.in * layer.out);
  return 6 * weights;
}

template <class S>
void mlp_activation_forward(MlpActivation activation, Index size, const S* x, S* y) {
  switch (activation) {
    case MlpActivation::identity:
      if (y != x) std::copy(x, x + size, y);
      break;
    case MlpActivation::square:
      for (Index i = 0; i < size; ++i) y[i] = x[i] * x[i];
      break;
    case MlpActivation::cube:
      for (Index i = 0; i < size; ++i) y[i] = x[i] * x[i] * x[i];
      break;
    case MlpActivation::relu:
      for (Index i = 0; i < size; ++i) y[i] = x[i] > S(0) ? x[i] : S(0);
      break;
    case MlpActivation::tanh:
      kernels::tanh_forward(size, x, y);
      break;
    case MlpActivation::gelu:
      kernels::activation_forward(kernels::Activation::gelu_tanh, size, x, y);
      break;
    case MlpActivation::sine:
      for (Index i = 0; i < size; ++i) y[i] = sine_value(x[i], 0);
      break;
    case MlpActivation::sigmoid:  // (1 + tanh(x / 2)) / 2
      for (Index i = 0; i < size; ++i) y[i] = x[i] * S(0.5);
      kernels::tanh_forward(size, y, y);
      for (Index i = 0; i < size; ++i) y[i] = S(0.5) + S(0.5) * y[i];
      break;
  }
}

template <class S>
void mlp_activation_backward(MlpActivation activation, Index size, const S* x, const S* y,
                             const S* d_y, S* d_x) {
  switch (activation) {
    case MlpActivation::identity:
      if (d_x != d_y) std::copy(d_y, d_y + size, d_x);
      break;
    case MlpActivation::square:
      for (Index i = 0; i < size; ++i) d_x[i] = d_y[i] * S(2) * x[i];
      break;
    case MlpActivation::cube:
      for (Index i = 0; i < size; ++i) d_x[i] = d_y[i] * S(3) * x[i] * x[i];
      break;
    case MlpActivation::relu:
      for (Index i = 0; i < size; ++i) d_x[i] = x[i] > S(0) ? d_y[i] : S(0);
      break;
    case MlpActivation::tanh:
      kernels::tanh_backward(size, y, d_y, d_x);
      break;
    case MlpActivation::gelu:
      kernels::activation_backward(kernels::Activation::gelu_tanh, size, x, d_y, d_x);
      break;
    case MlpActivation::sine:
      for (Index i = 0; i < size; ++i) d_x[i] = d_y[i] * sine_value(x[i], 1);
      break;
    case MlpActivation::sigmoid:
      for (Index i = 0; i < size; ++i) d_x[i] = d_y[i] * y[i] * (S(1) - y[i]);
      break;
  }
}

#define XFQ_INSTANTIATE(S)                                                          \
  template MlpWorkspace<S> Mlp::make_workspace<S>(Index) const;                     \
  template void Mlp::forward<S>(const S*, Index, const S*, MlpWorkspace<S>&) const; \
  template nn::Loss Mlp::forward_backward<S>(const S*, Index, const S*, const S*,   \
                                             MlpWorkspace<S>&, S*, Index) const;    \
  template void mlp_activation_forward<S>(MlpActivation, Index, const S*, S*);      \
  template void mlp_activation_backward<S>(MlpActivation, Index, const S*, const S*, const S*, S*);
XFQ_INSTANTIATE(float)
XFQ_INSTANTIATE(double)
#undef XFQ_INSTANTIATE

}  // namespace xfq::models
