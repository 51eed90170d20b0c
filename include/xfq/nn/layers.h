// Layers. They hold shapes and offsets, never values: parameters, activations
// and gradients are passed in. Weight gradients are accumulated (+=), so that
// micro-batches add up; activation gradients are assigned unless said otherwise.
// S is float (training) or double (gradient checks).
#pragma once

#include <cstdint>
#include <string>

#include "xfq/core/matrix.h"
#include "xfq/kernels/kernels.h"
#include "xfq/nn/parameters.h"

namespace xfq::nn {

/// y = x W + b, W [in, out] (GPT-2's Conv1D layout), x [rows, in], y [rows, out].
struct Linear {
  Index in = 0;
  Index out = 0;
  Index weight = 0;
  Index bias = -1;  ///< -1: no bias

  static Linear add(ParameterLayout& layout, const std::string& name, Index in, Index out,
                    bool bias, Init init);

  /// With optional extras of the epilogue: activation (its input kept in `pre`
  /// [rows, out] for backward) and a residual [rows, out] added last.
  template <class S>
  void forward(const S* parameters, Index rows, const S* x, S* y,
               kernels::Activation activation = kernels::Activation::none, S* pre = nullptr,
               const S* residual = nullptr) const;

  /// d_y is the gradient of the product (before any activation or residual).
  /// d_x [rows, in] is assigned; nullptr skips it.
  template <class S>
  void backward(const S* parameters, Index rows, const S* x, const S* d_y, S* d_x,
                S* gradients) const;
};

/// Layer normalisation over the last dimension (Ba et al. 2016).
struct LayerNorm {
  Index width = 0;
  Index weight = 0;
  Index bias = -1;
  double epsilon = 1e-5;

  static LayerNorm add(ParameterLayout& layout, const std::string& name, Index width, bool bias,
                       double epsilon);

  /// statistics [2, rows] caches the mean, then 1/sqrt(var + epsilon), of every row.
  template <class S>
  void forward(const S* parameters, Index rows, const S* x, S* y, S* statistics) const;

  template <class S>
  void backward(const S* parameters, Index rows, const S* x, const S* statistics, const S* d_y,
                S* d_x, bool accumulate_dx, S* gradients) const;
};

/// Rows of a table [entries, width] picked by index.
struct Embedding {
  Index entries = 0;
  Index width = 0;
  Index weight = 0;

  static Embedding add(ParameterLayout& layout, const std::string& name, Index entries, Index width,
                       Init init);

  /// x[r] (+)= table[ids[r]]
  template <class S>
  void forward(const S* parameters, Index rows, const std::int32_t* ids, S* x,
               bool accumulate) const;
  /// gradients[ids[r]] += d_x[r], rows in increasing order.
  template <class S>
  void backward(Index rows, const std::int32_t* ids, const S* d_x, S* gradients) const;

  /// x[b*time + t] += table[t]: learned positions.
  template <class S>
  void add_positions(const S* parameters, Index batch, Index time, S* x) const;
  template <class S>
  void backward_positions(Index batch, Index time, const S* d_x, S* gradients) const;

  /// y [rows, entries] = x table^T (+ bias): the output head tied to the table
  /// (Press & Wolf 2017). bias: offset of an [entries] vector, or -1.
  template <class S>
  void project(const S* parameters, Index rows, const S* x, Index bias, S* y) const;
  template <class S>
  void backward_project(const S* parameters, Index rows, const S* x, const S* d_y, Index bias,
                        S* d_x, S* gradients) const;
};

}  // namespace xfq::nn
