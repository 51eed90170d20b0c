#include "xfq/nn/layers.h"

#include <algorithm>

#include "xfq/core/dual.h"

namespace xfq::nn {

using kernels::Gemm;

// --- Linear ---------------------------------------------------------------------

Linear Linear::add(ParameterLayout& layout, const std::string& name, Index in, Index out, bool bias,
                   Init init) {
  Linear linear;
  linear.in = in;
  linear.out = out;
  linear.weight = layout.add_matrix(name + ".weight", in, out, init);
  if (bias) linear.bias = layout.add_vector(name + ".bias", out, Init::zeros());
  return linear;
}

template <class S>
void Linear::forward(const S* parameters, Index rows, const S* x, S* y,
                     kernels::Activation activation, S* pre, const S* residual) const {
  Gemm<S> g;
  g.m = rows;
  g.n = out;
  g.k = in;
  g.a = x;
  g.a_row = in;
  g.b = parameters + weight;
  g.b_row = out;
  g.c = y;
  g.ldc = out;
  g.bias = bias < 0 ? nullptr : parameters + bias;
  g.activation = activation;
  g.pre = pre;
  g.ld_pre = out;
  g.residual = residual;
  g.ld_residual = out;
  kernels::gemm(g);
}

template <class S>
void Linear::backward(const S* parameters, Index rows, const S* x, const S* d_y, S* d_x,
                      S* gradients) const {
  Gemm<S> g;  // dW += X^T dY
  g.m = in;
  g.n = out;
  g.k = rows;
  g.a = x;
  g.a_row = 1;
  g.a_col = in;
  g.b = d_y;
  g.b_row = out;
  g.c = gradients + weight;
  g.ldc = out;
  g.accumulate = true;
  kernels::gemm(g);
  if (bias >= 0) kernels::add_column_sums(rows, out, d_y, out, gradients + bias);
  if (d_x == nullptr) return;
  Gemm<S> h;  // dX = dY W^T
  h.m = rows;
  h.n = in;
  h.k = out;
  h.a = d_y;
  h.a_row = out;
  h.b = parameters + weight;
  h.b_row = 1;
  h.b_col = out;
  h.c = d_x;
  h.ldc = in;
  kernels::gemm(h);
}

// --- LayerNorm ------------------------------------------------------------------

LayerNorm LayerNorm::add(ParameterLayout& layout, const std::string& name, Index width, bool bias,
                         double epsilon) {
  LayerNorm norm;
  norm.width = width;
  norm.epsilon = epsilon;
  norm.weight = layout.add_vector(name + ".weight", width, Init::ones());
  if (bias) norm.bias = layout.add_vector(name + ".bias", width, Init::zeros());
  return norm;
}

template <class S>
void LayerNorm::forward(const S* parameters, Index rows, const S* x, S* y, S* statistics) const {
  kernels::layernorm_forward(rows, width, x, parameters + weight,
                             bias < 0 ? nullptr : parameters + bias, static_cast<S>(epsilon), y,
                             statistics, statistics + rows);
}

template <class S>
void LayerNorm::backward(const S* parameters, Index rows, const S* x, const S* statistics,
                         const S* d_y, S* d_x, bool accumulate_dx, S* gradients) const {
  kernels::layernorm_backward(rows, width, x, parameters + weight, statistics, statistics + rows,
                              d_y, d_x, accumulate_dx, gradients + weight,
                              bias < 0 ? nullptr : gradients + bias);
}

// --- Embedding ------------------------------------------------------------------

Embedding Embedding::add(ParameterLayout& layout, const std::string& name, Index entries,
                         Index width, Init init) {
  Embedding embedding;
  embedding.entries = entries;
  embedding.width = width;
  embedding.weight = layout.add_matrix(name + ".weight", entries, width, init);
  return embedding;
}

template <class S>
void Embedding::forward(const S* parameters, Index rows, const std::int32_t* ids, S* x,
                        bool accumulate) const {
  const S* table = parameters + weight;
  for (Index r = 0; r < rows; ++r) {
    const S* row = table + ids[r] * width;
    if (accumulate) {
      kernels::add(width, row, x + r * width);
    } else {
      std::copy(row, row + width, x + r * width);
    }
  }
}

template <class S>
void Embedding::backward(Index rows, const std::int32_t* ids, const S* d_x, S* gradients) const {
  S* table = gradients + weight;
  for (Index r = 0; r < rows; ++r) kernels::add(width, d_x + r * width, table + ids[r] * width);
}

template <class S>
void Embedding::add_positions(const S* parameters, Index batch, Index time, S* x) const {
  for (Index b = 0; b < batch; ++b) {
    kernels::add(time * width, parameters + weight, x + b * time * width);
  }
}

template <class S>
void Embedding::backward_positions(Index batch, Index time, const S* d_x, S* gradients) const {
  for (Index b = 0; b < batch; ++b) {
    kernels::add(time * width, d_x + b * time * width, gradients + weight);
  }
}

template <class S>
void Embedding::project(const S* parameters, Index rows, const S* x, Index bias, S* y) const {
  Gemm<S> g;
  g.m = rows;
  g.n = entries;
  g.k = width;
  g.a = x;
  g.a_row = width;
  g.b = parameters + weight;
  g.b_row = 1;
  g.b_col = width;
  g.c = y;
  g.ldc = entries;
  g.bias = bias < 0 ? nullptr : parameters + bias;
  kernels::gemm(g);
}

template <class S>
void Embedding::backward_project(const S* parameters, Index rows, const S* x, const S* d_y,
                                 Index bias, S* d_x, S* gradients) const {
  Gemm<S> g;  // d table += dY^T X
  g.m = entries;
  g.n = width;
  g.k = rows;
  g.a = d_y;
  g.a_row = 1;
  g.a_col = entries;
  g.b = x;
  g.b_row = width;
  g.c = gradients + weight;
  g.ldc = width;
  g.accumulate = true;
  kernels::gemm(g);
  if (bias >= 0) kernels::add_column_sums(rows, entries, d_y, entries, gradients + bias);
  Gemm<S> h;  // dX = dY table
  h.m = rows;
  h.n = width;
  h.k = entries;
  h.a = d_y;
  h.a_row = entries;
  h.b = parameters + weight;
  h.b_row = width;
  h.c = d_x;
  h.ldc = width;
  kernels::gemm(h);
}

#define XFQ_INSTANTIATE(S)                                                                         \
  template void Linear::forward<S>(const S*, Index, const S*, S*, kernels::Activation, S*,         \
                                   const S*) const;                                                \
  template void Linear::backward<S>(const S*, Index, const S*, const S*, S*, S*) const;            \
  template void LayerNorm::forward<S>(const S*, Index, const S*, S*, S*) const;                    \
  template void LayerNorm::backward<S>(const S*, Index, const S*, const S*, const S*, S*, bool,    \
                                       S*) const;                                                  \
  template void Embedding::forward<S>(const S*, Index, const std::int32_t*, S*, bool) const;       \
  template void Embedding::backward<S>(Index, const std::int32_t*, const S*, S*) const;            \
  template void Embedding::add_positions<S>(const S*, Index, Index, S*) const;                     \
  template void Embedding::backward_positions<S>(Index, Index, const S*, S*) const;                \
  template void Embedding::project<S>(const S*, Index, const S*, Index, S*) const;                 \
  template void Embedding::backward_project<S>(const S*, Index, const S*, const S*, Index, S*, S*) \
      const;
XFQ_INSTANTIATE(float)
XFQ_INSTANTIATE(double)
XFQ_INSTANTIATE(Dual<float>)
XFQ_INSTANTIATE(Dual<double>)
#undef XFQ_INSTANTIATE

}  // namespace xfq::nn
