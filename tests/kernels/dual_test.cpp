// Functions of dual numbers against derivatives by central differences in double.
#include "xfq/core/dual.h"

#include <cmath>
#include <vector>

#include "support.h"

using namespace xfq::kernels;
using xfq::Dual;
using xfq::Index;

namespace {

constexpr double kStep = 1e-5;

/// The slope of f at x along the direction, element by element, by Richardson's
/// extrapolation.
template <class F>
void check_slopes(const F& f, Index size, Index outputs) {
  test::Numbers numbers(5);
  const std::vector<double> x = numbers.fill<double>(size), d = numbers.fill<double>(size);
  std::vector<Dual<double>> dual(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) dual[i] = {x[i], d[i]};
  std::vector<Dual<double>> got(static_cast<std::size_t>(outputs));
  f(dual.data(), got.data());
  const auto at = [&](double step) {
    std::vector<double> moved = x, out(static_cast<std::size_t>(outputs));
    for (std::size_t i = 0; i < x.size(); ++i) moved[i] += step * d[i];
    f(moved.data(), out.data());
    return out;
  };
  const auto value = at(0), up = at(kStep), down = at(-kStep);
  for (std::size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    CHECK(got[i].value == Approx(value[i]).epsilon(1e-12).margin(1e-14));
    CHECK(got[i].slope == Approx((up[i] - down[i]) / (2 * kStep)).epsilon(1e-6).margin(1e-8));
  }
}

template <class S>
void product(Activation activation, const S* x, S* y) {
  // A [5, 7] transposed from [7, 5], B [7, 6], bias [6], residual [5, 6].
  Gemm<S> g;
  g.m = 5;
  g.n = 6;
  g.k = 7;
  g.a = x;
  g.a_row = 1;
  g.a_col = 5;
  g.b = x + 35;
  g.b_row = 6;
  g.bias = x + 35 + 42;
  g.residual = x + 35 + 42 + 6;
  g.ld_residual = 6;
  g.activation = activation;
  g.c = y;
  g.ldc = 6;
  gemm(g);
}

}  // namespace

TEST_CASE("a product of dual numbers has the product's slope, epilogue included") {
  for (const Activation activation :
       {Activation::none, Activation::gelu_tanh, Activation::gelu_erf}) {
    check_slopes([&](const auto* x, auto* y) { product(activation, x, y); }, 35 + 42 + 6 + 30, 30);
  }
}

TEST_CASE("an accumulating product adds value and slope") {
  std::vector<Dual<double>> a = {{2, 1}}, b = {{3, 5}}, c = {{7, 11}};
  Gemm<Dual<double>> g;
  g.m = g.n = g.k = 1;
  g.a = a.data();
  g.a_row = 1;
  g.b = b.data();
  g.b_row = 1;
  g.c = c.data();
  g.ldc = 1;
  g.accumulate = true;
  gemm(g);
  CHECK(c[0].value == 13);       // 7 + 2 * 3
  CHECK(c[0].slope == 11 + 13);  // 1 * 3 + 2 * 5
}

TEST_CASE("the derivative of gelu on dual numbers is its curvature, and finite everywhere") {
  for (const Activation activation : {Activation::gelu_tanh, Activation::gelu_erf}) {
    check_slopes(
        [&](const auto* x, auto* y) {
          std::vector<std::decay_t<decltype(*x)>> ones(8, 1.0);
          activation_backward(activation, 8, x, ones.data(), y);
        },
        8, 8);
    for (const float x : {-100.0f, -30.0f, -12.0f, 12.0f, 100.0f}) {
      const Dual<float> in{x, 1}, one{1, 0};
      Dual<float> out, slope;
      activation_forward(activation, 1, &in, &out);
      activation_backward(activation, 1, &in, &one, &slope);
      CAPTURE(x);
      CHECK(out.slope == Approx(x > 0 ? 1 : 0).margin(1e-5));
      CHECK(slope.slope == Approx(0).margin(1e-5));
    }
  }
}

TEST_CASE("attention, normalisation and cross-entropy on dual numbers") {
  const AttentionShape shape{1, 4, 2, 3, true, nullptr};
  check_slopes(
      [&](const auto* qkv, auto* out) {
        std::vector<std::decay_t<decltype(*qkv)>> p(2 * 4 * 4, 0.0);
        attention_forward(shape, qkv, p.data(), out);
      },
      4 * 18, 4 * 6);
  check_slopes(
      [&](const auto* x, auto* y) {
        using S = std::decay_t<decltype(*x)>;
        std::vector<S> mean(2, 0.0), rstd(2, 0.0);
        layernorm_forward(Index(2), Index(5), x, x + 10, x + 15, S(1e-5), y, mean.data(),
                          rstd.data());
      },
      20, 10);
  const std::int32_t targets[] = {2, -1, 0};
  check_slopes(
      [&](const auto* x, auto* y) {
        using S = std::decay_t<decltype(*x)>;
        std::copy(x, x + 12, y);
        std::int64_t count = 0;
        cross_entropy(Index(3), Index(4), y, Index(4), targets, static_cast<S*>(nullptr), true,
                      S(0.5), &count);
        CHECK(count == 2);
      },
      12, 12);
}
