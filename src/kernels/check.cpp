// The `check` implementation: every call runs `reference` on copies of what it
// writes, then the fast table in place, and the worst difference is recorded.
#include "check.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <mutex>

#include "table.h"

namespace xfq::kernels {
namespace {

const FloatKernels* fast = nullptr;  // set by check_kernels()

std::mutex mutex;
std::map<std::string, CheckReport>& reports() {
  static std::map<std::string, CheckReport> map;
  return map;
}

using Copy = std::vector<float>;

Copy copy_of(const float* x, Size size) { return Copy(x, x + size); }

// Rows of width `width`, packed.
Copy copy_rows(const float* x, Size rows, Size width, Size ld) {
  Copy copy(static_cast<std::size_t>(rows * width));
  for (Size i = 0; i < rows; ++i) {
    std::copy(x + i * ld, x + i * ld + width, copy.begin() + i * width);
  }
  return copy;
}

// Worst |fast - reference| over the largest |reference| of one output; infinite
// when only one of them is NaN or they are different infinities.
double difference(Size rows, Size width, const float* x, Size ld, const Copy& reference) {
  double largest = 0, worst = 0;
  for (Size i = 0; i < rows; ++i) {
    for (Size j = 0; j < width; ++j) {
      const double expected = reference[static_cast<std::size_t>(i * width + j)];
      const double got = x[i * ld + j];
      if (expected == got || (std::isnan(expected) && std::isnan(got))) {
        if (std::isfinite(expected)) largest = std::max(largest, std::fabs(expected));
        continue;
      }
      if (!std::isfinite(expected) || !std::isfinite(got)) {
        return std::numeric_limits<double>::infinity();
      }
      largest = std::max(largest, std::fabs(expected));
      worst = std::max(worst, std::fabs(got - expected));
    }
  }
  if (worst == 0) return 0;
  return largest > 0 ? worst / largest : std::numeric_limits<double>::infinity();
}

double difference(Size size, const float* x, const Copy& reference) {
  return difference(1, size, x, size, reference);
}

void record(const char* function, std::initializer_list<double> differences) {
  const std::lock_guard<std::mutex> lock(mutex);
  CheckReport& report = reports()[function];
  report.function = function;
  report.worst = std::max(report.worst, std::max(differences));
  ++report.calls;
}

const FloatKernels& plain() { return *reference_kernels(); }

void gemm(const GemmCall& call) {
  GemmCall slow = call;
  Copy c = copy_rows(call.c, call.m, call.n, call.ldc);
  Copy pre(static_cast<std::size_t>(call.pre == nullptr ? 0 : call.m * call.n));
  slow.c = c.data();
  slow.ldc = call.n;
  if (call.pre != nullptr) {
    slow.pre = pre.data();
    slow.ld_pre = call.n;
  }
  plain().gemm(slow);
  fast->gemm(call);
  record("gemm",
         {difference(call.m, call.n, call.c, call.ldc, c),
          call.pre == nullptr ? 0.0 : difference(call.m, call.n, call.pre, call.ld_pre, pre)});
}

void attention_forward(const AttentionCall& shape, const float* qkv, float* probabilities,
                       float* out) {
  const Size p_size = shape.batch * shape.heads * shape.time * shape.time;
  const Size out_size = shape.batch * shape.time * shape.heads * shape.head_size;
  Copy p = copy_of(probabilities, p_size), o = copy_of(out, out_size);
  plain().attention_forward(shape, qkv, p.data(), o.data());
  fast->attention_forward(shape, qkv, probabilities, out);
  record("attention_forward", {difference(p_size, probabilities, p), difference(out_size, out, o)});
}

void attention_backward(const AttentionCall& shape, const float* qkv, const float* probabilities,
                        const float* d_out, float* d_qkv) {
  const Size size = 3 * shape.batch * shape.time * shape.heads * shape.head_size;
  Copy d = copy_of(d_qkv, size);
  plain().attention_backward(shape, qkv, probabilities, d_out, d.data());
  fast->attention_backward(shape, qkv, probabilities, d_out, d_qkv);
  record("attention_backward", {difference(size, d_qkv, d)});
}

void layernorm_forward(Size rows, Size width, const float* x, const float* weight,
                       const float* bias, float epsilon, float* y, float* mean, float* rstd) {
  Copy y2 = copy_of(y, rows * width), mean2 = copy_of(mean, rows), rstd2 = copy_of(rstd, rows);
  plain().layernorm_forward(rows, width, x, weight, bias, epsilon, y2.data(), mean2.data(),
                            rstd2.data());
  fast->layernorm_forward(rows, width, x, weight, bias, epsilon, y, mean, rstd);
  record("layernorm_forward", {difference(rows * width, y, y2), difference(rows, mean, mean2),
                               difference(rows, rstd, rstd2)});
}

void layernorm_backward(Size rows, Size width, const float* x, const float* weight,
                        const float* mean, const float* rstd, const float* d_y, float* d_x,
                        bool accumulate_dx, float* d_weight, float* d_bias) {
  Copy d_x2 = copy_of(d_x, rows * width), d_weight2 = copy_of(d_weight, width);
  Copy d_bias2 = d_bias == nullptr ? Copy() : copy_of(d_bias, width);
  plain().layernorm_backward(rows, width, x, weight, mean, rstd, d_y, d_x2.data(), accumulate_dx,
                             d_weight2.data(), d_bias == nullptr ? nullptr : d_bias2.data());
  fast->layernorm_backward(rows, width, x, weight, mean, rstd, d_y, d_x, accumulate_dx, d_weight,
                           d_bias);
  record("layernorm_backward",
         {difference(rows * width, d_x, d_x2), difference(width, d_weight, d_weight2),
          d_bias == nullptr ? 0.0 : difference(width, d_bias, d_bias2)});
}

void softmax_rows(Size rows, Size width, float* x, Size ld) {
  Copy x2 = copy_rows(x, rows, width, ld);
  plain().softmax_rows(rows, width, x2.data(), width);
  fast->softmax_rows(rows, width, x, ld);
  record("softmax_rows", {difference(rows, width, x, ld, x2)});
}

double cross_entropy(Size rows, Size width, float* logits, Size ld, const std::int32_t* targets,
                     float* losses, bool gradient, float gradient_scale, std::int64_t* count) {
  Copy logits2 = copy_rows(logits, rows, width, ld);
  Copy losses2(static_cast<std::size_t>(rows));
  const double sum2 = plain().cross_entropy(rows, width, logits2.data(), width, targets,
                                            losses2.data(), gradient, gradient_scale, count);
  const double sum = fast->cross_entropy(rows, width, logits, ld, targets, losses, gradient,
                                         gradient_scale, count);
  const float sums = static_cast<float>(sum);
  record("cross_entropy", {difference(rows, width, logits, ld, logits2),
                           losses == nullptr ? 0.0 : difference(rows, losses, losses2),
                           difference(1, &sums, Copy{static_cast<float>(sum2)})});
  return sum;
}

void activation_forward(int activation, Size size, const float* x, float* y) {
  Copy y2(static_cast<std::size_t>(size));
  plain().activation_forward(activation, size, x, y2.data());
  fast->activation_forward(activation, size, x, y);
  record("activation_forward", {difference(size, y, y2)});
}

void activation_backward(int activation, Size size, const float* x, const float* d_y, float* d_x) {
  Copy d_x2(static_cast<std::size_t>(size));
  plain().activation_backward(activation, size, x, d_y, d_x2.data());
  fast->activation_backward(activation, size, x, d_y, d_x);
  record("activation_backward", {difference(size, d_x, d_x2)});
}

void tanh_backward(Size size, const float* y, const float* d_y, float* d_x) {
  Copy d_x2(static_cast<std::size_t>(size));
  plain().tanh_backward(size, y, d_y, d_x2.data());
  fast->tanh_backward(size, y, d_y, d_x);
  record("tanh_backward", {difference(size, d_x, d_x2)});
}

using Unary = void (*FloatKernels::*)(Size, const float*, float*);
void unary(const char* function, Unary which, Size size, const float* x, float* y) {
  Copy y2 = copy_of(y, size);
  (plain().*which)(size, x, y2.data());
  (fast->*which)(size, x, y);
  record(function, {difference(size, y, y2)});
}
void tanh_forward(Size size, const float* x, float* y) {
  unary("tanh_forward", &FloatKernels::tanh_forward, size, x, y);
}
void add(Size size, const float* x, float* y) { unary("add", &FloatKernels::add, size, x, y); }
void exp_forward(Size size, const float* x, float* y) {
  unary("exp_forward", &FloatKernels::exp_forward, size, x, y);
}
void log_forward(Size size, const float* x, float* y) {
  unary("log_forward", &FloatKernels::log_forward, size, x, y);
}
void erf_forward(Size size, const float* x, float* y) {
  unary("erf_forward", &FloatKernels::erf_forward, size, x, y);
}

void scale(Size size, float factor, float* x) {
  Copy x2 = copy_of(x, size);
  plain().scale(size, factor, x2.data());
  fast->scale(size, factor, x);
  record("scale", {difference(size, x, x2)});
}

void add_column_sums(Size rows, Size width, const float* x, Size ld, float* sums) {
  Copy sums2 = copy_of(sums, width);
  plain().add_column_sums(rows, width, x, ld, sums2.data());
  fast->add_column_sums(rows, width, x, ld, sums);
  record("add_column_sums", {difference(width, sums, sums2)});
}

double sum_squares(Size size, const float* x) {
  const double expected = plain().sum_squares(size, x);
  const double got = fast->sum_squares(size, x);
  const bool equal = got == expected || (std::isnan(got) && std::isnan(expected));
  record("sum_squares", {equal ? 0.0 : std::fabs(got - expected) / std::fabs(expected)});
  return got;
}

void adamw(const AdamWCall& p, Size size, float* weights, const float* gradient, float* m,
           float* v) {
  Copy weights2 = copy_of(weights, size), m2 = copy_of(m, size), v2 = copy_of(v, size);
  plain().adamw(p, size, weights2.data(), gradient, m2.data(), v2.data());
  fast->adamw(p, size, weights, gradient, m, v);
  record("adamw",
         {difference(size, weights, weights2), difference(size, m, m2), difference(size, v, v2)});
}

const Int8Kernels* fast_int8 = nullptr;  // set by check_int8()

template <class T>
double difference_of(const std::vector<T>& got, const std::vector<T>& expected) {
  // Every value of the int8 layers fits a float up to the rounding of a sum beyond 2^24,
  // which is the same on both sides.
  const Copy x(got.begin(), got.end()), y(expected.begin(), expected.end());
  return difference(static_cast<Size>(x.size()), x.data(), y);
}

void int8_run(const Int8Call& call) {
  Int8Call slow = call;
  if (call.codes != nullptr) {
    std::vector<std::int32_t> c(static_cast<std::size_t>(call.m * call.n));
    slow.c = c.data();
    slow.ldc = call.n;
    int8_reference()->run(slow);
    fast_int8->run(call);
    std::vector<std::int32_t> got;
    for (Size i = 0; i < call.m; ++i) {
      got.insert(got.end(), call.c + i * call.ldc, call.c + i * call.ldc + call.n);
    }
    record("int8_gemm", {difference_of(got, c)});
  } else {
    Copy y(static_cast<std::size_t>(call.m * call.n));
    slow.y = y.data();
    slow.ldy = call.n;
    int8_reference()->run(slow);
    fast_int8->run(call);
    record("int8_linear", {difference(call.m, call.n, call.y, call.ldy, y)});
  }
}

void int8_quantize_codes(Size size, const float* x, const Int8Scale& scale, std::uint8_t* codes) {
  std::vector<std::uint8_t> expected(static_cast<std::size_t>(size));
  int8_reference()->quantize(size, x, scale, expected.data());
  fast_int8->quantize(size, x, scale, codes);
  record("int8_quantize", {difference_of({codes, codes + size}, expected)});
}

float int8_largest(Size size, const float* x) {
  const float expected = int8_reference()->largest_magnitude(size, x);
  const float got = fast_int8->largest_magnitude(size, x);
  record("int8_row_codes", {difference(1, &got, Copy{expected})});
  return got;
}

}  // namespace

const Int8Kernels* check_int8(const Int8Kernels& fast_table) {
  static const Int8Kernels table = {"check", int8_run, int8_quantize_codes, int8_largest};
  fast_int8 = &fast_table;
  return &table;
}

const FloatKernels* check_kernels(const FloatKernels& fast_table) {
  static const FloatKernels table = {"check",
                                     gemm,
                                     attention_forward,
                                     attention_backward,
                                     layernorm_forward,
                                     layernorm_backward,
                                     softmax_rows,
                                     cross_entropy,
                                     activation_forward,
                                     activation_backward,
                                     tanh_forward,
                                     tanh_backward,
                                     add,
                                     scale,
                                     add_column_sums,
                                     sum_squares,
                                     exp_forward,
                                     log_forward,
                                     erf_forward,
                                     adamw};
  fast = &fast_table;
  return &table;
}

std::vector<CheckReport> recorded_differences() {
  const std::lock_guard<std::mutex> lock(mutex);
  std::vector<CheckReport> list;
  for (const auto& entry : reports()) list.push_back(entry.second);
  return list;
}

}  // namespace xfq::kernels
