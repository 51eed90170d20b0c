// The public functions: the choice of an implementation and the calls into its
// table.
#include <algorithm>
#include <atomic>
#include <type_traits>

#include "check.h"
#include "dual_gemm.h"
#include "instantiate.h"
#include "reference.h"
#include "table.h"
#include "xfq/core/error.h"
#include "xfq/core/options.h"
#include "xfq/kernels/kernels.h"

namespace xfq::kernels {
namespace {

constexpr const char* kNames[] = {"auto",  "avx512",    "avx2", "portable",
                                  "eigen", "reference", "check"};

bool processor_has_avx2() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return false;
#endif
}

bool processor_has_avx512() {
#if defined(__x86_64__)
  return processor_has_avx2() && __builtin_cpu_supports("avx512f") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
#else
  return false;
#endif
}

const FloatKernels* best() {
  if (processor_has_avx512() && avx512_kernels() != nullptr) return avx512_kernels();
  if (processor_has_avx2() && avx2_kernels() != nullptr) return avx2_kernels();
  return portable_kernels();
}

// Null for a name that is unknown or that this processor cannot run.
const FloatKernels* find(const std::string& name) {
  if (name == "auto") return best();
  if (name == "avx512") return processor_has_avx512() ? avx512_kernels() : nullptr;
  if (name == "avx2") return processor_has_avx2() ? avx2_kernels() : nullptr;
  if (name == "portable") return portable_kernels();
  if (name == "eigen") return eigen_kernels(*best());
  if (name == "reference") return reference_kernels();
  if (name == "check") return check_kernels(*best());
  return nullptr;
}

std::atomic<const FloatKernels*>& current() {
  static std::atomic<const FloatKernels*> table{best()};
  return table;
}

template <class S>
constexpr bool is_dual = false;
template <class S>
constexpr bool is_dual<Dual<S>> = true;

const FloatKernels& table() { return *current().load(std::memory_order_relaxed); }

template <class Names>
std::string joined(const Names& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

GemmCall pack(const Gemm<float>& g) {
  return {g.m,        g.n,
          g.k,        g.a,
          g.a_row,    g.a_col,
          g.b,        g.b_row,
          g.b_col,    g.c,
          g.ldc,      g.accumulate,
          g.bias,     static_cast<int>(g.activation),
          g.pre,      g.ld_pre,
          g.residual, g.ld_residual};
}

AttentionCall pack(const AttentionShape& s) {
  return {s.batch, s.time, s.heads, s.head_size, s.causal, s.lengths};
}

}  // namespace

void select(const std::string& name) {
  if (const FloatKernels* found = find(name)) {
    current().store(found);
    return;
  }
  if (std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames)) {
    throw_usage("--kernel: got '" + name + "', which cannot run on this processor",
                "it can run " + joined(available()));
  }
  const std::string near = nearest_name(name, {std::begin(kNames), std::end(kNames)});
  throw_usage("--kernel: got '" + name + "', expected one of " + joined(kNames),
              near.empty() ? std::string() : "did you mean '" + near + "'?");
}

std::string selected() { return table().name; }

std::vector<std::string> available() {
  std::vector<std::string> names;
  for (const char* name : kNames) {
    if (std::string(name) != "auto" && find(name) != nullptr) names.push_back(name);
  }
  return names;
}

std::vector<CheckReport> check_report() { return recorded_differences(); }

// Each function: double and dual numbers run the reference, float the table in use.

template <class S>
void gemm(const Gemm<S>& g) {
  if constexpr (is_dual<S>) {
    dual_gemm(g);
  } else if constexpr (std::is_same_v<S, double>) {
    reference::gemm(g);
  } else {
    table().gemm(pack(g));
  }
}

template <class S>
void attention_forward(const AttentionShape& shape, const S* qkv, S* probabilities, S* out) {
  if constexpr (!std::is_same_v<S, float>) {
    reference::attention_forward(shape, qkv, probabilities, out);
  } else {
    table().attention_forward(pack(shape), qkv, probabilities, out);
  }
}

template <class S>
void attention_backward(const AttentionShape& shape, const S* qkv, const S* probabilities,
                        const S* d_out, S* d_qkv) {
  if constexpr (!std::is_same_v<S, float>) {
    reference::attention_backward(shape, qkv, probabilities, d_out, d_qkv);
  } else {
    table().attention_backward(pack(shape), qkv, probabilities, d_out, d_qkv);
  }
}

template <class S>
void layernorm_forward(Index rows, Index width, const S* x, const S* weight, const S* bias,
                       S epsilon, S* y, S* mean, S* rstd) {
  if constexpr (!std::is_same_v<S, float>) {
    reference::layernorm_forward(rows, width, x, weight, bias, epsilon, y, mean, rstd);
  } else {
    table().layernorm_forward(rows, width, x, weight, bias, epsilon, y, mean, rstd);
  }
}

template <class S>
void layernorm_backward(Index rows, Index width, const S* x, const S* weight, const S* mean,
                        const S* rstd, const S* d_y, S* d_x, bool accumulate_dx, S* d_weight,
                        S* d_bias) {
  if constexpr (!std::is_same_v<S, float>) {
    reference::layernorm_backward(rows, width, x, weight, mean, rstd, d_y, d_x, accumulate_dx,
                                  d_weight, d_bias);
  } else {
    table().layernorm_backward(rows, width, x, weight, mean, rstd, d_y, d_x, accumulate_dx,
                               d_weight, d_bias);
  }
}

template <class S>
void softmax_rows(Index rows, Index width, S* x, Index ld) {
  if constexpr (!std::is_same_v<S, float>) {
    reference::softmax_rows(rows, width, x, ld);
  } else {
    table().softmax_rows(rows, width, x, ld);
  }
}

template <class S>
double cross_entropy(Index rows, Index width, S* logits, Index ld, const std::int32_t* targets,
                     S* losses, bool gradient, S gradient_scale, std::int64_t* count) {
  if constexpr (!std::is_same_v<S, float>) {
    return reference::cross_entropy(rows, width, logits, ld, targets, losses, gradient,
                                    gradient_scale, count);
  } else {
    return table().cross_entropy(rows, width, logits, ld, targets, losses, gradient, gradient_scale,
                                 count);
  }
}

template <class S>
void activation_forward(Activation activation, Index size, const S* x, S* y) {
  if constexpr (!std::is_same_v<S, float>) {
    reference::activation_forward(activation, size, x, y);
  } else {
    table().activation_forward(static_cast<int>(activation), size, x, y);
  }
}

template <class S>
void activation_backward(Activation activation, Index size, const S* x, const S* d_y, S* d_x) {
  if constexpr (!std::is_same_v<S, float>) {
    reference::activation_backward(activation, size, x, d_y, d_x);
  } else {
    table().activation_backward(static_cast<int>(activation), size, x, d_y, d_x);
  }
}

#define XFQ_FORWARD(name, parameters, arguments) \
  template <class S>                             \
  void name parameters {                         \
    if constexpr (!std::is_same_v<S, float>) {   \
      reference::name arguments;                 \
    } else {                                     \
      table().name arguments;                    \
    }                                            \
  }
XFQ_FORWARD(tanh_forward, (Index size, const S* x, S* y), (size, x, y))
XFQ_FORWARD(tanh_backward, (Index size, const S* y, const S* d_y, S* d_x), (size, y, d_y, d_x))
XFQ_FORWARD(add, (Index size, const S* x, S* y), (size, x, y))
XFQ_FORWARD(scale, (Index size, S factor, S* x), (size, factor, x))
XFQ_FORWARD(add_column_sums, (Index rows, Index width, const S* x, Index ld, S* sums),
            (rows, width, x, ld, sums))
XFQ_FORWARD(exp_forward, (Index size, const S* x, S* y), (size, x, y))
XFQ_FORWARD(log_forward, (Index size, const S* x, S* y), (size, x, y))
XFQ_FORWARD(erf_forward, (Index size, const S* x, S* y), (size, x, y))
#undef XFQ_FORWARD

template <class S>
double sum_squares(Index size, const S* x) {
  if constexpr (!std::is_same_v<S, float>) {
    return reference::sum_squares(size, x);
  } else {
    return table().sum_squares(size, x);
  }
}

template <class S>
void adamw(const AdamW& p, Index size, S* weights, const S* gradient, S* m, S* v) {
  const AdamWScalars<S> scalars = reference::adamw_scalars<S>(p);
  if constexpr (!std::is_same_v<S, float>) {
    reference::adamw(scalars, size, weights, gradient, m, v);
  } else {
    table().adamw(scalars, size, weights, gradient, m, v);
  }
}

#define XFQ_INSTANTIATE(S)            \
  template void gemm(const Gemm<S>&); \
  XFQ_GRADIENT_KERNELS(S)             \
  XFQ_OTHER_KERNELS(S)                \
  template void adamw(const AdamW&, Index, S*, const S*, S*, S*);
XFQ_INSTANTIATE(float)
XFQ_INSTANTIATE(double)
#undef XFQ_INSTANTIATE

#define XFQ_INSTANTIATE(S)            \
  template void gemm(const Gemm<S>&); \
  XFQ_GRADIENT_KERNELS(S)
XFQ_INSTANTIATE(Dual<float>)
XFQ_INSTANTIATE(Dual<double>)
#undef XFQ_INSTANTIATE

}  // namespace xfq::kernels
