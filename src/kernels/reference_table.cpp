// The plain implementation as a row of the kernel table.
#include "reference.h"

namespace xfq::kernels {
namespace {

// From the plain structs of the table to those of the public header.
Gemm<float> unpack(const GemmCall& c) {
  Gemm<float> g;
  g.m = c.m;
  g.n = c.n;
  g.k = c.k;
  g.a = c.a;
  g.a_row = c.a_row;
  g.a_col = c.a_col;
  g.b = c.b;
  g.b_row = c.b_row;
  g.b_col = c.b_col;
  g.c = c.c;
  g.ldc = c.ldc;
  g.accumulate = c.accumulate;
  g.bias = c.bias;
  g.activation = static_cast<Activation>(c.activation);
  g.pre = c.pre;
  g.ld_pre = c.ld_pre;
  g.residual = c.residual;
  g.ld_residual = c.ld_residual;
  return g;
}

AttentionShape unpack(const AttentionCall& c) {
  AttentionShape shape;
  shape.batch = c.batch;
  shape.time = c.time;
  shape.heads = c.heads;
  shape.head_size = c.head_size;
  shape.causal = c.causal;
  shape.lengths = c.lengths;
  return shape;
}

void gemm_call(const GemmCall& call) { reference::gemm(unpack(call)); }
void attention_forward_call(const AttentionCall& shape, const float* qkv, float* probabilities,
                            float* out) {
  reference::attention_forward(unpack(shape), qkv, probabilities, out);
}
void attention_backward_call(const AttentionCall& shape, const float* qkv,
                             const float* probabilities, const float* d_out, float* d_qkv) {
  reference::attention_backward(unpack(shape), qkv, probabilities, d_out, d_qkv);
}
void activation_forward_call(int activation, Size size, const float* x, float* y) {
  reference::activation_forward(static_cast<Activation>(activation), size, x, y);
}
void activation_backward_call(int activation, Size size, const float* x, const float* d_y,
                              float* d_x) {
  reference::activation_backward(static_cast<Activation>(activation), size, x, d_y, d_x);
}

}  // namespace

const FloatKernels* reference_kernels() {
  static const FloatKernels table = {"reference",
                                     gemm_call,
                                     attention_forward_call,
                                     attention_backward_call,
                                     reference::layernorm_forward<float>,
                                     reference::layernorm_backward<float>,
                                     reference::softmax_rows<float>,
                                     reference::cross_entropy<float>,
                                     activation_forward_call,
                                     activation_backward_call,
                                     reference::tanh_forward<float>,
                                     reference::tanh_backward<float>,
                                     reference::add<float>,
                                     reference::scale<float>,
                                     reference::add_column_sums<float>,
                                     reference::sum_squares<float>,
                                     reference::exp_forward<float>,
                                     reference::log_forward<float>,
                                     reference::erf_forward<float>,
                                     reference::adamw<float>};
  return &table;
}

}  // namespace xfq::kernels
