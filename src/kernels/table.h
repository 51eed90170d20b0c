// The table of one float implementation: plain function pointers and plain
// structs, so that the files compiled for one instruction set need neither Eigen
// nor the standard library (their templates would be merged by the linker across
// instruction sets). The meaning of every entry is that of its namesake in
// xfq/kernels/kernels.h.
#pragma once

#include <cstdint>

namespace xfq::kernels {

using Size = std::int64_t;

struct GemmCall {
  Size m, n, k;
  const float* a;
  Size a_row, a_col;
  const float* b;
  Size b_row, b_col;
  float* c;
  Size ldc;
  bool accumulate;
  const float* bias;
  int activation;  // as enum Activation: 0 none, 1 gelu_tanh, 2 gelu_erf
  float* pre;
  Size ld_pre;
  const float* residual;
  Size ld_residual;
};

struct AttentionCall {
  Size batch, time, heads, head_size;
  bool causal;
  const std::int32_t* lengths;
};

/// The scalars of AdamW, each computed in double and rounded once.
template <class S>
struct AdamWScalars {
  S gradient_scale;  // g = gradient * gradient_scale
  S keep;            // w *= 1 - lr * weight_decay
  S beta1, new1;     // m = beta1 m + new1 g,   new1 = 1 - beta1
  S beta2, new2;     // v = beta2 v + new2 g^2, new2 = 1 - beta2
  S rate;            // w -= rate * m / (sqrt(v) * unbias + epsilon), rate = lr / bias1
  S unbias;          // 1 / sqrt(bias2)
  S epsilon;
};
using AdamWCall = AdamWScalars<float>;

struct FloatKernels {
  const char* name;
  void (*gemm)(const GemmCall& call);
  void (*attention_forward)(const AttentionCall& shape, const float* qkv, float* probabilities,
                            float* out);
  void (*attention_backward)(const AttentionCall& shape, const float* qkv,
                             const float* probabilities, const float* d_out, float* d_qkv);
  void (*layernorm_forward)(Size rows, Size width, const float* x, const float* weight,
                            const float* bias, float epsilon, float* y, float* mean, float* rstd);
  void (*layernorm_backward)(Size rows, Size width, const float* x, const float* weight,
                             const float* mean, const float* rstd, const float* d_y, float* d_x,
                             bool accumulate_dx, float* d_weight, float* d_bias);
  void (*softmax_rows)(Size rows, Size width, float* x, Size ld);
  double (*cross_entropy)(Size rows, Size width, float* logits, Size ld,
                          const std::int32_t* targets, float* losses, bool gradient,
                          float gradient_scale, std::int64_t* count);
  void (*activation_forward)(int activation, Size size, const float* x, float* y);
  void (*activation_backward)(int activation, Size size, const float* x, const float* d_y,
                              float* d_x);
  void (*tanh_forward)(Size size, const float* x, float* y);
  void (*tanh_backward)(Size size, const float* y, const float* d_y, float* d_x);
  void (*add)(Size size, const float* x, float* y);
  void (*scale)(Size size, float factor, float* x);
  void (*add_column_sums)(Size rows, Size width, const float* x, Size ld, float* sums);
  double (*sum_squares)(Size size, const float* x);
  void (*exp_forward)(Size size, const float* x, float* y);
  void (*log_forward)(Size size, const float* x, float* y);
  void (*erf_forward)(Size size, const float* x, float* y);
  void (*adamw)(const AdamWCall& p, Size size, float* weights, const float* gradient, float* m,
                float* v);
};

// One per implementation; a null pointer where the build has none.
const FloatKernels* portable_kernels();
const FloatKernels* avx2_kernels();
const FloatKernels* avx512_kernels();
const FloatKernels* reference_kernels();
const FloatKernels* eigen_kernels(const FloatKernels& rest);
const FloatKernels* check_kernels(const FloatKernels& fast);

}  // namespace xfq::kernels
