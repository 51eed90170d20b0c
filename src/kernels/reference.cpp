// The plain implementation and its row in the table.
#include "reference.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "coefficients.h"
#include "instantiate.h"
#include "scratch.h"

namespace xfq::kernels::reference {
namespace {

constexpr Index kLanes = 16;

// float: one fused operation, as the vector code; double: two operations, which
// vectorise on every machine.
template <class S>
S multiply_add(S a, S b, S c) {
  if constexpr (std::is_same_v<S, float>) {
    return std::fma(a, b, c);
  } else {
    return a * b + c;
  }
}

template <class S>
S root_of(const S& x) {
  using std::sqrt;
  return sqrt(x);
}

// Not std::max: a NaN in `a` is passed over, one in `b` is kept.
template <class S>
S larger(S a, S b) {
  return a > b ? a : b;
}

template <class S>
struct Lanes {
  S lane[kLanes];
  explicit Lanes(S start = S(0)) {
    for (S& value : lane) value = start;
  }
  S& operator[](Index i) { return lane[i % kLanes]; }
  S sum() const {
    S tree[kLanes];
    for (Index i = 0; i < kLanes; ++i) tree[i] = lane[i];
    for (Index half = kLanes / 2; half > 0; half /= 2) {
      for (Index i = 0; i < half; ++i) tree[i] += tree[i + half];
    }
    return tree[0];
  }
  S maximum() const {
    S tree[kLanes];
    for (Index i = 0; i < kLanes; ++i) tree[i] = lane[i];
    for (Index half = kLanes / 2; half > 0; half /= 2) {
      for (Index i = 0; i < half; ++i) tree[i] = larger(tree[i], tree[i + half]);
    }
    return tree[0];
  }
};

// --- functions of one number ------------------------------------------------------

std::int32_t bits_of(float x) {
  std::int32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

float float_of(std::int32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

std::uint32_t unsigned_of(float x) { return static_cast<std::uint32_t>(bits_of(x)); }

float power_of_two(std::int32_t n) {
  return float_of(static_cast<std::int32_t>((static_cast<std::uint32_t>(n) + 127u) << 23));
}

template <std::size_t n>
float polynomial(const float (&c)[n], float x) {
  float value = c[n - 1];
  for (std::size_t i = n - 1; i-- > 0;) value = std::fma(value, x, c[i]);
  return value;
}

double exp_of(double x) { return std::exp(x); }
double log_of(double x) { return std::log(x); }
double tanh_of(double x) { return std::tanh(x); }
double erf_of(double x) { return std::erf(x); }

float exp_of(float x) {
  x = kExpHighest < x ? kExpHighest : x;
  x = kExpLowest > x ? kExpLowest : x;
  const float shifted = std::fma(x, kLog2E, kRoundMagic);
  const float n = shifted - kRoundMagic;
  float r = std::fma(-n, kLn2High, x);
  r = std::fma(-n, kLn2Low, r);
  const float p = std::fma(r * r, polynomial(kExp, r), r) + 1.0f;
  // p 2^n in two steps, of which only the second can round: n may be below -126.
  // Unsigned, because a NaN makes a meaningless n that wraps around.
  const std::int32_t power =
      static_cast<std::int32_t>(unsigned_of(shifted) - unsigned_of(kRoundMagic));
  const std::int32_t half = power >> 1;
  const float first = power_of_two(half);
  const float second = power_of_two(power - half);
  return p * first * second;
}

float log_of(float x) {
  if (!(x > 0.0f)) {
    return x == 0.0f ? -std::numeric_limits<float>::infinity()
                     : std::numeric_limits<float>::quiet_NaN();
  }
  if (x == std::numeric_limits<float>::infinity()) return x;
  const bool tiny = x < std::numeric_limits<float>::min();
  const std::int32_t bits =
      bits_of(tiny ? x * 0x1p23f : x) - static_cast<std::int32_t>(kSqrtHalfBits);
  const float e = static_cast<float>(bits >> 23) - (tiny ? 23.0f : 0.0f);
  const float f = float_of((bits & 0x7fffff) + static_cast<std::int32_t>(kSqrtHalfBits)) - 1.0f;
  const float f2 = f * f;
  float y = (f * polynomial(kLog, f)) * f2;
  y = std::fma(e, kLn2Low, y);
  y = std::fma(-0.5f, f2, y);
  return std::fma(e, kLn2High, f + y);
}

float tanh_of(float x) {
  const float a = std::fabs(x);
  if (a < kTanhSplit) {
    const float t = x * x;
    return std::copysign(std::fma(x * t, polynomial(kTanh, t), x), x);  // tanh(-0) = -0
  }
  return std::copysign(1.0f - 2.0f / (exp_of(a + a) + 1.0f), x);
}

float erf_of(float x) {
  const float a = std::fabs(x);
  if (a < 1.0f) return std::fma(x, polynomial(kErfSmall, x * x), x);
  const float clamped = kErfEnd < a ? kErfEnd : a;
  return std::copysign(1.0f - exp_of(polynomial(kErfLarge, clamped)), x);
}

// Dual numbers: the function and its derivative. The argument of exp is held where the
// result is finite, since 0 times an infinite slope is no number.
template <class S>
Dual<S> exp_of(const Dual<S>& x) {
  constexpr S end = std::is_same_v<S, float> ? S(80) : S(700);
  const S e = exp_of(x.value > end ? end : x.value);
  return {e, x.value > end ? S(0) : e * x.slope};
}
template <class S>
Dual<S> log_of(const Dual<S>& x) {
  return {log_of(x.value), x.slope / x.value};
}
template <class S>
Dual<S> erf_of(const Dual<S>& x) {
  constexpr double two_over_sqrt_pi = 1.1283791670955125739;
  return {erf_of(x.value), S(two_over_sqrt_pi) * exp_of(-x.value * x.value) * x.slope};
}

template <class S>
S gelu_tanh(S x) {
  const S z = x * multiply_add(S(-kGelu3), x * x, S(-kGelu1));
  return x / (S(1) + exp_of(z));
}

template <class S>
S gelu_tanh_slope(S x) {
  const S end = S(kGeluEnd);
  x = end < x ? end : x;
  x = -end > x ? -end : x;
  const S x2 = x * x;
  const S e = exp_of(x * multiply_add(S(-kGelu3), x2, S(-kGelu1)));
  const S s = S(1) / (S(1) + e);
  const S slope = multiply_add(S(3 * kGelu3), x2, S(kGelu1));
  // s + x s (1 - s) dz/dx with 1 - s = e s.
  return s * multiply_add(x * slope, e * s, S(1));
}

template <class S>
S gelu_erf(S x) {
  const S half = S(0.5) * x;
  return multiply_add(half, erf_of(x * S(kSqrtHalf)), half);
}

template <class S>
S gelu_erf_slope(S x) {
  const S cdf = multiply_add(S(0.5), erf_of(x * S(kSqrtHalf)), S(0.5));
  const S pdf = exp_of(S(-0.5) * (x * x)) * S(kInverseSqrt2Pi);
  return multiply_add(x, pdf, cdf);
}

template <class S>
S activate(Activation activation, S x) {
  switch (activation) {
    case Activation::gelu_tanh:
      return gelu_tanh(x);
    case Activation::gelu_erf:
      return gelu_erf(x);
    case Activation::none:
      break;
  }
  return x;
}

template <class S>
S slope_of(Activation activation, S x) {
  switch (activation) {
    case Activation::gelu_tanh:
      return gelu_tanh_slope(x);
    case Activation::gelu_erf:
      return gelu_erf_slope(x);
    case Activation::none:
      break;
  }
  return S(1);
}

// Row of length n: exponentials in place, reduced by the largest; returns their sum.
template <class S>
S exponentials(Index n, S* x) {
  Lanes<S> top(-std::numeric_limits<S>::infinity());
  for (Index i = 0; i < n; ++i) top[i] = larger(x[i], top[i]);
  const S maximum = top.maximum();
  Lanes<S> sum;
  for (Index i = 0; i < n; ++i) {
    x[i] = exp_of(x[i] - maximum);
    sum[i] += x[i];
  }
  return sum.sum();
}

template <class S>
void softmax_row(Index n, S* x) {
  const S inverse = S(1) / exponentials(n, x);
  for (Index i = 0; i < n; ++i) x[i] *= inverse;
}

Index visible_keys(const AttentionShape& shape, Index b, Index t) {
  const Index length = shape.lengths == nullptr ? shape.time : Index(shape.lengths[b]);
  return shape.causal && t + 1 < length ? t + 1 : length;
}

}  // namespace

// --- matrix products --------------------------------------------------------------------

template <class S>
void finish_row(const Gemm<S>& g, Index i, const S* row) {
  for (Index j = 0; j < g.n; ++j) {
    S value = row[j];
    if (g.bias != nullptr) value += g.bias[j];
    if (g.pre != nullptr) g.pre[i * g.ld_pre + j] = value;
    value = activate(g.activation, value);
    if (g.residual != nullptr) value += g.residual[i * g.ld_residual + j];
    g.c[i * g.ldc + j] = value;
  }
}

template <class S>
void gemm(const Gemm<S>& g) {
  if (g.m <= 0 || g.n <= 0) return;
  // B with contiguous rows, so that the innermost loop runs along n.
  const S* b = g.b;
  Index b_row = g.b_row;
  if (g.b_col != 1) {
    S* copy =
        static_cast<S*>(scratch(Slot::packed_b, g.k * g.n * static_cast<std::int64_t>(sizeof(S))));
    for (Index p = 0; p < g.k; ++p) {
      for (Index j = 0; j < g.n; ++j) copy[p * g.n + j] = g.b[p * g.b_row + j * g.b_col];
    }
    b = copy;
    b_row = g.n;
  }
  S* row = static_cast<S*>(scratch(Slot::row, g.n * static_cast<std::int64_t>(sizeof(S))));
  for (Index i = 0; i < g.m; ++i) {
    const S* c = g.c + i * g.ldc;
    for (Index j = 0; j < g.n; ++j) row[j] = g.accumulate ? c[j] : S(0);
    const S* a = g.a + i * g.a_row;
    Index p = 0;
    for (; p + 4 <= g.k; p += 4) {
      const S a0 = a[p * g.a_col], a1 = a[(p + 1) * g.a_col];
      const S a2 = a[(p + 2) * g.a_col], a3 = a[(p + 3) * g.a_col];
      const S* b0 = b + p * b_row;
      const S* b1 = b0 + b_row;
      const S* b2 = b1 + b_row;
      const S* b3 = b2 + b_row;
      for (Index j = 0; j < g.n; ++j) {
        S value = multiply_add(a0, b0[j], row[j]);
        value = multiply_add(a1, b1[j], value);
        value = multiply_add(a2, b2[j], value);
        row[j] = multiply_add(a3, b3[j], value);
      }
    }
    for (; p < g.k; ++p) {
      const S a0 = a[p * g.a_col];
      const S* b0 = b + p * b_row;
      for (Index j = 0; j < g.n; ++j) row[j] = multiply_add(a0, b0[j], row[j]);
    }
    finish_row(g, i, row);
  }
}

// --- attention ----------------------------------------------------------------------------

template <class S>
void attention_forward(const AttentionShape& shape, const S* qkv, S* probabilities, S* out) {
  const Index time = shape.time, size = shape.head_size;
  const Index width = shape.heads * size, ld = 3 * width;
  const S factor = S(1) / root_of(S(size));
  for (Index b = 0; b < shape.batch; ++b) {
    for (Index h = 0; h < shape.heads; ++h) {
      const S* q = qkv + b * time * ld + h * size;
      const S* k = q + width;
      const S* v = k + width;
      S* p_head = probabilities + (b * shape.heads + h) * time * time;
      for (Index t = 0; t < time; ++t) {
        const Index keys = visible_keys(shape, b, t);
        S* p = p_head + t * time;
        for (Index s = 0; s < keys; ++s) {
          S score = 0;
          for (Index d = 0; d < size; ++d)
            score = multiply_add(q[t * ld + d], k[s * ld + d], score);
          p[s] = score * factor;
        }
        softmax_row(keys, p);
        for (Index s = keys; s < time; ++s) p[s] = 0;
        S* o = out + (b * time + t) * width + h * size;
        for (Index d = 0; d < size; ++d) o[d] = 0;
        for (Index s = 0; s < keys; ++s) {
          for (Index d = 0; d < size; ++d) o[d] = multiply_add(p[s], v[s * ld + d], o[d]);
        }
      }
    }
  }
}

template <class S>
void attention_backward(const AttentionShape& shape, const S* qkv, const S* probabilities,
                        const S* d_out, S* d_qkv) {
  const Index time = shape.time, size = shape.head_size;
  const Index width = shape.heads * size, ld = 3 * width;
  const S factor = S(1) / root_of(S(size));
  S* d_score = static_cast<S*>(scratch(Slot::row, time * static_cast<std::int64_t>(sizeof(S))));
  for (Index b = 0; b < shape.batch; ++b) {
    for (Index h = 0; h < shape.heads; ++h) {
      const S* q = qkv + b * time * ld + h * size;
      const S* k = q + width;
      const S* v = k + width;
      S* d_q = d_qkv + b * time * ld + h * size;
      S* d_k = d_q + width;
      S* d_v = d_k + width;
      for (Index t = 0; t < time; ++t) {
        for (Index d = 0; d < size; ++d) d_q[t * ld + d] = d_k[t * ld + d] = d_v[t * ld + d] = 0;
      }
      for (Index t = 0; t < time; ++t) {
        const Index keys = visible_keys(shape, b, t);
        const S* p = probabilities + ((b * shape.heads + h) * time + t) * time;
        const S* d_o = d_out + (b * time + t) * width + h * size;
        Lanes<S> lanes;
        for (Index s = 0; s < keys; ++s) {
          S d_p = 0;
          for (Index d = 0; d < size; ++d) d_p = multiply_add(d_o[d], v[s * ld + d], d_p);
          d_score[s] = d_p;
          lanes[s] = multiply_add(p[s], d_p, lanes[s]);
        }
        const S inner = lanes.sum();
        for (Index s = 0; s < keys; ++s) {
          const S d_s = (p[s] * (d_score[s] - inner)) * factor;
          for (Index d = 0; d < size; ++d) {
            d_q[t * ld + d] = multiply_add(d_s, k[s * ld + d], d_q[t * ld + d]);
            d_k[s * ld + d] = multiply_add(d_s, q[t * ld + d], d_k[s * ld + d]);
            d_v[s * ld + d] = multiply_add(p[s], d_o[d], d_v[s * ld + d]);
          }
        }
      }
    }
  }
}

// --- rows ------------------------------------------------------------------------------------

template <class S>
void layernorm_forward(Index rows, Index width, const S* x, const S* weight, const S* bias,
                       S epsilon, S* y, S* mean, S* rstd) {
  for (Index row = 0; row < rows; ++row, x += width, y += width) {
    Lanes<S> sum;
    for (Index i = 0; i < width; ++i) sum[i] += x[i];
    const S centre = sum.sum() / S(width);
    Lanes<S> squares;
    for (Index i = 0; i < width; ++i) {
      const S d = x[i] - centre;
      squares[i] = multiply_add(d, d, squares[i]);
    }
    const S r = S(1) / root_of(squares.sum() / S(width) + epsilon);
    for (Index i = 0; i < width; ++i) {
      const S normal = (x[i] - centre) * r;
      y[i] = bias == nullptr ? normal * weight[i] : multiply_add(normal, weight[i], bias[i]);
    }
    mean[row] = centre;
    rstd[row] = r;
  }
}

template <class S>
void layernorm_backward(Index rows, Index width, const S* x, const S* weight, const S* mean,
                        const S* rstd, const S* d_y, S* d_x, bool accumulate_dx, S* d_weight,
                        S* d_bias) {
  for (Index row = 0; row < rows; ++row, x += width, d_y += width, d_x += width) {
    const S centre = mean[row], r = rstd[row];
    Lanes<S> plain, with_normal;
    for (Index i = 0; i < width; ++i) {
      const S normal = (x[i] - centre) * r;
      const S g = d_y[i] * weight[i];
      plain[i] += g;
      with_normal[i] = multiply_add(g, normal, with_normal[i]);
      d_weight[i] = multiply_add(d_y[i], normal, d_weight[i]);
      if (d_bias != nullptr) d_bias[i] += d_y[i];
    }
    const S mean_g = plain.sum() / S(width), mean_gn = with_normal.sum() / S(width);
    for (Index i = 0; i < width; ++i) {
      const S normal = (x[i] - centre) * r;
      const S inner = multiply_add(-normal, mean_gn, d_y[i] * weight[i] - mean_g);
      d_x[i] = accumulate_dx ? multiply_add(r, inner, d_x[i]) : r * inner;
    }
  }
}

template <class S>
void softmax_rows(Index rows, Index width, S* x, Index ld) {
  for (Index row = 0; row < rows; ++row) softmax_row(width, x + row * ld);
}

template <class S>
double cross_entropy(Index rows, Index width, S* logits, Index ld, const std::int32_t* targets,
                     S* losses, bool gradient, S gradient_scale, std::int64_t* count) {
  double total = 0;
  *count = 0;
  for (Index row = 0; row < rows; ++row) {
    S* x = logits + row * ld;
    const std::int32_t target = targets[row];
    if (target < 0) {
      if (losses != nullptr) losses[row] = 0;
      for (Index i = 0; gradient && i < width; ++i) x[i] = 0;
      continue;
    }
    Lanes<S> top(-std::numeric_limits<S>::infinity());
    for (Index i = 0; i < width; ++i) top[i] = larger(x[i], top[i]);
    const S maximum = top.maximum();
    const S picked = x[target] - maximum;
    Lanes<S> sums;
    for (Index i = 0; i < width; ++i) {
      const S e = exp_of(x[i] - maximum);
      sums[i] += e;
      if (gradient) x[i] = e;
    }
    const S sum = sums.sum();
    const S loss = log_of(sum) - picked;
    if (losses != nullptr) losses[row] = loss;
    total += double(loss);
    ++*count;
    if (gradient) {
      const S inverse = S(1) / sum;
      const S target_p = x[target] * inverse;
      for (Index i = 0; i < width; ++i) x[i] = (x[i] * inverse) * gradient_scale;
      x[target] = (target_p - S(1)) * gradient_scale;
    }
  }
  return total;
}

// --- elementwise ---------------------------------------------------------------------------------

template <class S>
void activation_forward(Activation activation, Index size, const S* x, S* y) {
  for (Index i = 0; i < size; ++i) y[i] = activate(activation, x[i]);
}

template <class S>
void activation_backward(Activation activation, Index size, const S* x, const S* d_y, S* d_x) {
  for (Index i = 0; i < size; ++i) d_x[i] = d_y[i] * slope_of(activation, x[i]);
}

template <class S>
void tanh_forward(Index size, const S* x, S* y) {
  for (Index i = 0; i < size; ++i) y[i] = tanh_of(x[i]);
}

template <class S>
void tanh_backward(Index size, const S* y, const S* d_y, S* d_x) {
  for (Index i = 0; i < size; ++i) d_x[i] = d_y[i] * multiply_add(-y[i], y[i], S(1));
}

template <class S>
void add(Index size, const S* x, S* y) {
  for (Index i = 0; i < size; ++i) y[i] += x[i];
}

template <class S>
void scale(Index size, S factor, S* x) {
  for (Index i = 0; i < size; ++i) x[i] *= factor;
}

template <class S>
void add_column_sums(Index rows, Index width, const S* x, Index ld, S* sums) {
  for (Index row = 0; row < rows; ++row) {
    for (Index i = 0; i < width; ++i) sums[i] += x[row * ld + i];
  }
}

template <class S>
double sum_squares(Index size, const S* x) {
  Lanes<double> lanes;
  for (Index i = 0; i < size; ++i) lanes[i] += double(x[i]) * double(x[i]);
  return lanes.sum();
}

template <class S>
void exp_forward(Index size, const S* x, S* y) {
  for (Index i = 0; i < size; ++i) y[i] = exp_of(x[i]);
}

template <class S>
void log_forward(Index size, const S* x, S* y) {
  for (Index i = 0; i < size; ++i) y[i] = log_of(x[i]);
}

template <class S>
void erf_forward(Index size, const S* x, S* y) {
  for (Index i = 0; i < size; ++i) y[i] = erf_of(x[i]);
}

// --- optimiser -----------------------------------------------------------------------------------

template <class S>
AdamWScalars<S> adamw_scalars(const AdamW& p) {
  AdamWScalars<S> s;
  s.gradient_scale = S(p.gradient_scale);
  s.keep = S(1 - p.lr * p.weight_decay);
  s.beta1 = S(p.beta1);
  s.new1 = S(1 - p.beta1);
  s.beta2 = S(p.beta2);
  s.new2 = S(1 - p.beta2);
  s.rate = S(p.lr / p.bias1);
  s.unbias = S(1 / std::sqrt(p.bias2));
  s.epsilon = S(p.epsilon);
  return s;
}

template <class S>
void adamw(const AdamWScalars<S>& p, Index size, S* weights, const S* gradient, S* m, S* v) {
  for (Index i = 0; i < size; ++i) {
    const S g = gradient[i] * p.gradient_scale;
    m[i] = multiply_add(p.new1, g, p.beta1 * m[i]);
    v[i] = multiply_add(p.new2 * g, g, p.beta2 * v[i]);
    const S step = m[i] / multiply_add(std::sqrt(v[i]), p.unbias, p.epsilon);
    weights[i] = multiply_add(-p.rate, step, p.keep * weights[i]);
  }
}

#define XFQ_INSTANTIATE(S)                              \
  template void gemm(const Gemm<S>&);                   \
  XFQ_GRADIENT_KERNELS(S)                               \
  XFQ_OTHER_KERNELS(S)                                  \
  template AdamWScalars<S> adamw_scalars(const AdamW&); \
  template void adamw(const AdamWScalars<S>&, Index, S*, const S*, S*, S*);
XFQ_INSTANTIATE(float)
XFQ_INSTANTIATE(double)
#undef XFQ_INSTANTIATE

// The product of dual numbers is dual_gemm's.
#define XFQ_INSTANTIATE(S)                                   \
  template void finish_row(const Gemm<S>&, Index, const S*); \
  XFQ_GRADIENT_KERNELS(S)
XFQ_INSTANTIATE(Dual<float>)
XFQ_INSTANTIATE(Dual<double>)
#undef XFQ_INSTANTIATE

}  // namespace xfq::kernels::reference
