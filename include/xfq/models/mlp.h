// A multilayer perceptron for regression:
//   h_0 = x,  h_l = activation(h_{l-1} W_l + b_l),  y = h_L W_{L+1} + b_{L+1}.
// No normalisation and no residual path: every non-linearity is the activation, so
// that "without a non-linearity" and "a polynomial of degree k" can be taken literally.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xfq/core/matrix.h"
#include "xfq/nn/layers.h"
#include "xfq/nn/loss.h"
#include "xfq/nn/parameters.h"

namespace xfq::models {

/// identity, square and cube are polynomials; the others are not.
enum class MlpActivation { identity, square, cube, relu, tanh, gelu, sine, sigmoid };

/// "identity", "square", ..., in the order of the enumeration.
const std::vector<std::string>& mlp_activations();
/// Throws ErrorKind::usage on another name.
MlpActivation parse_mlp_activation(const std::string& name);
/// 1, 2, 3 for the polynomials, 0 for an activation that is none.
Index polynomial_degree(MlpActivation activation);

struct MlpConfig {
  /// Inputs, hidden layers in order, outputs; at least inputs and outputs.
  std::vector<Index> widths;
  MlpActivation activation = MlpActivation::relu;
  /// Weights start normal with standard deviation gain / sqrt(inputs); sqrt(2) keeps
  /// the scale of activations through layers of ReLU (He et al. 2015). The output
  /// layer starts with gain 1.
  double gain = 1.4142135623730951;
  double bias_init = 1;  ///< standard deviation of a hidden bias times sqrt(inputs)
};

template <class S>
struct MlpWorkspace {
  Index rows = 0;
  std::vector<Vector<S>> pre;     ///< per hidden layer [rows, width], input of the activation
  std::vector<Vector<S>> hidden;  ///< per hidden layer [rows, width]
  Vector<S> output;               ///< [rows, outputs]
  Vector<S> d_a, d_b;             ///< [rows, widest layer]
};

class Mlp {
 public:
  /// Throws ErrorKind::usage on widths that are too few or not positive.
  explicit Mlp(const MlpConfig& config);

  const MlpConfig& config() const { return config_; }
  const nn::ParameterLayout& layout() const { return layout_; }
  /// Hidden layers first, the output layer last.
  const std::vector<nn::Linear>& layers() const { return layers_; }
  Index inputs() const { return config_.widths.front(); }
  Index outputs() const { return config_.widths.back(); }

  /// Memory for at most `rows` rows.
  template <class S>
  MlpWorkspace<S> make_workspace(Index rows) const;

  /// x [rows, inputs] -> workspace.output [rows, outputs].
  template <class S>
  void forward(const S* parameters, Index rows, const S* x, MlpWorkspace<S>& workspace) const;

  /// Squared error against y [rows, outputs]: (sum over rows and outputs, their
  /// number), and the gradient of its mean, accumulated. Layers before `first_layer`
  /// are frozen: they get no gradient.
  template <class S>
  nn::Loss forward_backward(const S* parameters, Index rows, const S* x, const S* y,
                            MlpWorkspace<S>& workspace, S* gradients, Index first_layer = 0) const;

  /// Floating-point operations of a training step per row: 6 per weight.
  double flops_per_row() const;

 private:
  MlpConfig config_;
  nn::ParameterLayout layout_;
  std::vector<nn::Linear> layers_;
};

/// y = activation(x), elementwise; y may be x.
template <class S>
void mlp_activation_forward(MlpActivation activation, Index size, const S* x, S* y);
/// d_x = d_y * activation'(x), y the forward result; d_x may be d_y.
template <class S>
void mlp_activation_backward(MlpActivation activation, Index size, const S* x, const S* y,
                             const S* d_y, S* d_x);

}  // namespace xfq::models
