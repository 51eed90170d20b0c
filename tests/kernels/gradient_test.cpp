// Backward functions against central differences of the forward functions, in
// double: relative error at most 1e-6.
#include <algorithm>
#include <functional>

#include "support.h"

using namespace xfq::kernels;
using namespace xfq::kernels::test;
using xfq::Index;

namespace {

// Compares `gradient` with the central differences of loss() along every x[i]. The
// step balances truncation (h^2 / 6 of the third derivative) and rounding (1e-16 / h).
void check_gradient(Doubles& x, const Doubles& gradient, const std::function<double()>& loss) {
  const double h = 1e-5;
  double largest = 0;
  for (const double g : gradient) largest = std::max(largest, std::fabs(g));
  REQUIRE(largest > 0);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double keep = x[i];
    x[i] = keep + h;
    const double up = loss();
    x[i] = keep - h;
    const double down = loss();
    x[i] = keep;
    INFO("index " << i);
    CHECK(std::fabs((up - down) / (2 * h) - gradient[i]) <= 1e-6 * largest);
  }
}

double dot(const Doubles& a, const Doubles& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

TEST_CASE("gradient of layernorm") {
  const Index rows = 3, width = 19;
  Numbers numbers(1);
  Doubles x = numbers.fill<double>(rows * width), w = numbers.fill<double>(width);
  Doubles b = numbers.fill<double>(width);
  const Doubles d_y = numbers.fill<double>(rows * width);
  Doubles y(x.size()), mean(3), rstd(3);
  const auto loss = [&] {
    layernorm_forward(rows, width, x.data(), w.data(), b.data(), 1e-5, y.data(), mean.data(),
                      rstd.data());
    return dot(y, d_y);
  };
  loss();
  Doubles d_x(x.size()), d_w(w.size()), d_b(b.size());
  layernorm_backward(rows, width, x.data(), w.data(), mean.data(), rstd.data(), d_y.data(),
                     d_x.data(), false, d_w.data(), d_b.data());
  check_gradient(x, d_x, loss);
  check_gradient(w, d_w, loss);
  check_gradient(b, d_b, loss);
}

TEST_CASE("gradient of attention") {
  const std::int32_t lengths[] = {7, 4};
  for (const bool causal : {false, true}) {
    for (const bool with_lengths : {false, true}) {
      AttentionShape shape;
      shape.batch = 2;
      shape.time = 7;
      shape.heads = 2;
      shape.head_size = 3;
      shape.causal = causal;
      if (with_lengths) shape.lengths = lengths;
      const Index tokens = 14, width = 6;
      Numbers numbers(2);
      Doubles qkv = numbers.fill<double>(tokens * 3 * width);
      const Doubles d_out = numbers.fill<double>(tokens * width);
      Doubles p(2 * 2 * 7 * 7), out(std::size_t(tokens * width)), d_qkv(qkv.size());
      const auto loss = [&] {
        attention_forward(shape, qkv.data(), p.data(), out.data());
        return dot(out, d_out);
      };
      loss();
      attention_backward(shape, qkv.data(), p.data(), d_out.data(), d_qkv.data());
      CAPTURE(causal, with_lengths);
      check_gradient(qkv, d_qkv, loss);
    }
  }
}

TEST_CASE("gradient of the activations and of tanh") {
  Numbers numbers(3);
  Doubles x = numbers.fill<double>(40, 4.0);
  const Doubles d_y = numbers.fill<double>(40);
  Doubles y(x.size()), d_x(x.size());
  for (const Activation activation :
       {Activation::none, Activation::gelu_tanh, Activation::gelu_erf}) {
    activation_backward(activation, Index(40), x.data(), d_y.data(), d_x.data());
    check_gradient(x, d_x, [&] {
      activation_forward(activation, Index(40), x.data(), y.data());
      return dot(y, d_y);
    });
  }
  tanh_forward(Index(40), x.data(), y.data());
  tanh_backward(Index(40), y.data(), d_y.data(), d_x.data());
  check_gradient(x, d_x, [&] {
    tanh_forward(Index(40), x.data(), y.data());
    return dot(y, d_y);
  });
}

TEST_CASE("gradient of the cross-entropy") {
  const Index rows = 4, width = 11;
  Numbers numbers(4);
  Doubles x = numbers.fill<double>(rows * width, 3.0);
  const std::int32_t targets[] = {2, -1, 10, 0};
  std::int64_t count = 0;
  Doubles gradient = x;
  cross_entropy<double>(rows, width, gradient.data(), width, targets, nullptr, true, 0.5, &count);
  CHECK(count == 3);
  check_gradient(x, gradient, [&] {
    return 0.5 *
           cross_entropy<double>(rows, width, x.data(), width, targets, nullptr, false, 1, &count);
  });
}

TEST_CASE("float backward functions follow the double ones") {
  // Same inputs (floats are doubles); float keeps about 5 digits through these sums.
  AttentionShape shape;
  shape.batch = 1;
  shape.time = 20;
  shape.heads = 2;
  shape.head_size = 8;
  Numbers numbers(6);
  const Floats qkv = numbers.fill<float>(20 * 48), d_out = numbers.fill<float>(20 * 16);
  Floats p(2 * 400), out(320), d_qkv(960);
  attention_forward(shape, qkv.data(), p.data(), out.data());
  attention_backward(shape, qkv.data(), p.data(), d_out.data(), d_qkv.data());
  const Doubles qkv2(qkv.begin(), qkv.end()), d_out2(d_out.begin(), d_out.end());
  Doubles p2(800), out2(320), d_qkv2(960);
  attention_forward(shape, qkv2.data(), p2.data(), out2.data());
  attention_backward(shape, qkv2.data(), p2.data(), d_out2.data(), d_qkv2.data());
  // Sums of at most 20 terms below 1 of products of three: 100 roundings are ample.
  for (std::size_t i = 0; i < out.size(); ++i) {
    CHECK(std::fabs(double(out[i]) - out2[i]) < 100 * 0x1p-24);
  }
  for (std::size_t i = 0; i < d_qkv.size(); ++i) {
    CHECK(std::fabs(double(d_qkv[i]) - d_qkv2[i]) < 100 * 0x1p-24);
  }
}
