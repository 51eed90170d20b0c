// Row functions, elementwise functions and AdamW: every implementation against the
// reference, closed forms, NaN.
#include <limits>

#include "support.h"

using namespace xfq::kernels;
using namespace xfq::kernels::test;
using xfq::Index;

namespace {

const Index kWidths[] = {1, 2, 3, 15, 16, 17, 31, 32, 33, 47, 48, 64, 65, 100, 257};
constexpr float kInfinity = std::numeric_limits<float>::infinity();

}  // namespace

TEST_CASE("layernorm equals the reference") {
  for (const Index width : kWidths) {
    for (const bool bias : {false, true}) {
      for (const bool accumulate : {false, true}) {
        CAPTURE(width, bias, accumulate);
        require_same_as_reference([&] {
          const Index rows = 5;
          Numbers numbers(static_cast<std::uint64_t>(width));
          const Floats x = numbers.fill<float>(rows * width, 3.0);
          const Floats w = numbers.fill<float>(width), b = numbers.fill<float>(width);
          const Floats d_y = numbers.fill<float>(rows * width);
          Floats y(x.size()), mean(5), rstd(5);
          Floats d_x = numbers.fill<float>(rows * width);
          Floats d_w = numbers.fill<float>(width), d_b = numbers.fill<float>(width);
          layernorm_forward(rows, width, x.data(), w.data(), bias ? b.data() : nullptr, 1e-5f,
                            y.data(), mean.data(), rstd.data());
          layernorm_backward(rows, width, x.data(), w.data(), mean.data(), rstd.data(), d_y.data(),
                             d_x.data(), accumulate, d_w.data(), bias ? d_b.data() : nullptr);
          for (const Floats* part : {&mean, &rstd, &d_x, &d_w, &d_b}) append(y, *part);
          return y;
        });
      }
    }
  }
}

TEST_CASE("layernorm of two values is minus one and one") {
  // (3, 7): mean 5, variance 4, so y = -+1 when epsilon is 0; weights (2, 10), bias 1.
  for (const std::string& name : available()) {
    Using implementation(name);
    INFO(name);
    const float x[] = {3, 7}, w[] = {2, 10}, b[] = {1, 1};
    float y[2], mean, rstd;
    layernorm_forward<float>(1, 2, x, w, b, 0.0f, y, &mean, &rstd);
    CHECK(mean == 5.0f);
    CHECK(rstd == 0.5f);
    CHECK(y[0] == -1.0f);
    CHECK(y[1] == 11.0f);
  }
}

TEST_CASE("softmax equals the reference and sums to one") {
  for (const Index width : kWidths) {
    const Index rows = 4, ld = width + 3;
    const auto run = [&] {
      Numbers numbers(static_cast<std::uint64_t>(width));
      Floats x = numbers.fill<float>(rows * ld, 20.0);
      softmax_rows(rows, width, x.data(), ld);
      return x;
    };
    CAPTURE(width);
    require_same_as_reference(run);
    const Floats p = run();
    for (Index row = 0; row < rows; ++row) {
      double sum = 0;
      for (Index i = 0; i < width; ++i) sum += double(p[std::size_t(row * ld + i)]);
      // width terms, each within 4 roundings (2 ulp of exp, sum, product), and the sum of
      // the exponentials within width / 16 + 4 more.
      CHECK(std::fabs(sum - 1) < (double(width) / 16 + 8) * 0x1p-23);
    }
  }
}

TEST_CASE("softmax of huge numbers stays finite and of masked ones is 0") {
  for (const std::string& name : available()) {
    Using implementation(name);
    INFO(name);
    float x[] = {3e38f, 3e38f, -3e38f, -kInfinity};
    softmax_rows<float>(1, 4, x, 4);
    CHECK(x[0] == 0.5f);
    CHECK(x[1] == 0.5f);
    CHECK(x[2] == 0.0f);
    CHECK(x[3] == 0.0f);
  }
}

TEST_CASE("cross-entropy equals the reference") {
  for (const Index width : kWidths) {
    for (const bool gradient : {false, true}) {
      CAPTURE(width, gradient);
      require_same_as_reference([&] {
        const Index rows = 4, ld = width + 1;
        Numbers numbers(static_cast<std::uint64_t>(width));
        Floats x = numbers.fill<float>(rows * ld, 5.0);
        const std::int32_t targets[] = {0, -1, std::int32_t(width - 1), std::int32_t(width / 2)};
        Floats losses(4, 9.0f);
        std::int64_t count = 0;
        const double sum = cross_entropy(rows, width, x.data(), ld, targets, losses.data(),
                                         gradient, 0.25f, &count);
        append(x, losses);
        x.push_back(float(sum));
        x.push_back(float(count));
        return x;
      });
    }
  }
}

TEST_CASE("cross-entropy of equal logits is log width") {
  for (const std::string& name : available()) {
    Using implementation(name);
    INFO(name);
    // p = 1/8 each: loss log 8 = 2.0794415, gradient 2 (1/8 - onehot).
    Floats x(16, 3.0f);
    const std::int32_t targets[] = {5, -1};
    std::int64_t count = 0;
    const double sum = cross_entropy<float>(2, 8, x.data(), 8, targets, nullptr, true, 2, &count);
    CHECK(sum == Approx(2.0794415416798357).epsilon(2e-7));
    CHECK(count == 1);
    CHECK(x[0] == 0.25f);
    CHECK(x[5] == -1.75f);
    CHECK(x[8] == 0.0f);  // the ignored row
  }
}

TEST_CASE("NaN in, NaN out") {
  for (const std::string& name : available()) {
    Using implementation(name);
    INFO(name);
    for (const Index width : {5, 16, 40}) {
      for (const Index at : {Index(0), width / 2, width - 1}) {
        Numbers numbers(1);
        Floats x = numbers.fill<float>(width), w = numbers.fill<float>(width);
        x[std::size_t(at)] = NAN;
        Floats soft = x, y(x.size()), logits = x;
        softmax_rows(1, width, soft.data(), width);
        for (const float value : soft) CHECK(std::isnan(value));
        float mean, rstd;
        layernorm_forward<float>(1, width, x.data(), w.data(), nullptr, 1e-5f, y.data(), &mean,
                                 &rstd);
        for (const float value : y) CHECK(std::isnan(value));
        const std::int32_t target = 1;
        std::int64_t count;
        CHECK(std::isnan(cross_entropy<float>(1, width, logits.data(), width, &target, nullptr,
                                              true, 1, &count)));
        CHECK(std::isnan(logits[0]));
        CHECK(std::isnan(sum_squares(width, x.data())));
      }
    }
  }
}

TEST_CASE("elementwise functions equal the reference") {
  for (const Index size : kWidths) {
    for (int which = 0; which < 12; ++which) {
      CAPTURE(size, which);
      require_same_as_reference([&] {
        Numbers numbers(static_cast<std::uint64_t>(size));
        const Floats x = numbers.fill<float>(size, 12.0);
        Floats y = numbers.fill<float>(size);
        switch (which) {
          case 0:
            activation_forward(Activation::gelu_tanh, size, x.data(), y.data());
            break;
          case 1:
            activation_forward(Activation::gelu_erf, size, x.data(), y.data());
            break;
          case 2:
            activation_forward(Activation::none, size, x.data(), y.data());
            break;
          case 3:
            activation_backward(Activation::gelu_tanh, size, x.data(), y.data(), y.data());
            break;
          case 4:
            activation_backward(Activation::gelu_erf, size, x.data(), y.data(), y.data());
            break;
          case 5:
            tanh_forward(size, x.data(), y.data());
            break;
          case 6:
            tanh_backward(size, x.data(), y.data(), y.data());
            break;
          case 7:
            add(size, x.data(), y.data());
            break;
          case 8:
            scale(size, 0.3f, y.data());
            break;
          case 9:
            y.assign(1, float(sum_squares(size, x.data())));
            break;
          case 10:
            add_column_sums(Index(1), size, x.data(), size, y.data());
            break;
          default:
            log_forward(size, x.data(), y.data());
            break;
        }
        return y;
      });
    }
  }
}

TEST_CASE("column sums equal the reference and run down the rows") {
  for (const Index width : kWidths) {
    CAPTURE(width);
    require_same_as_reference([&] {
      Numbers numbers(8);
      const Index rows = 7, ld = width + 2;
      const Floats x = numbers.fill<float>(rows * ld);
      Floats sums = numbers.fill<float>(width);
      add_column_sums(rows, width, x.data(), ld, sums.data());
      return sums;
    });
  }
  const float x[] = {1, 2, 3, 4, 5, 6};  // columns 1 + 3 + 5 and 2 + 4 + 6
  float sums[] = {10, 20};
  add_column_sums<float>(3, 2, x, 2, sums);
  CHECK(sums[0] == 19.0f);
  CHECK(sums[1] == 32.0f);
}

TEST_CASE("sum of squares is exact where double is") {
  // 1^2 + ... + 100^2 = 100 * 101 * 201 / 6 = 338350.
  Floats x(100);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = float(i + 1);
  for (const std::string& name : available()) {
    Using implementation(name);
    CHECK(sum_squares(Index(100), x.data()) == 338350.0);
  }
  CHECK(sum_squares(Index(2), Doubles{3, 4}.data()) == 25.0);
}

TEST_CASE("adamw equals the reference and follows the double recurrence") {
  AdamW p;
  p.lr = 1e-2;
  p.weight_decay = 0.1;
  p.gradient_scale = 0.5;
  const Index size = 83;
  const int steps = 20;
  const auto run = [&] {
    Numbers numbers(2);
    Floats w = numbers.fill<float>(size), m(std::size_t(size), 0.0f), v(std::size_t(size), 0.0f);
    AdamW q = p;
    for (int t = 1; t <= steps; ++t) {
      const Floats g = numbers.fill<float>(size);
      q.bias1 = 1 - std::pow(q.beta1, t);
      q.bias2 = 1 - std::pow(q.beta2, t);
      adamw(q, size, w.data(), g.data(), m.data(), v.data());
    }
    append(w, m);
    append(w, v);
    return w;
  };
  require_same_as_reference(run);

  // The formulas of the header, in double, literally.
  Numbers numbers(2);
  const Floats start = numbers.fill<float>(size);
  Doubles w(start.begin(), start.end()), m(w.size()), v(w.size());
  for (int t = 1; t <= steps; ++t) {
    const Floats g = numbers.fill<float>(size);
    for (std::size_t i = 0; i < w.size(); ++i) {
      const double gradient = double(g[i]) * p.gradient_scale;
      w[i] -= p.lr * p.weight_decay * w[i];
      m[i] = p.beta1 * m[i] + (1 - p.beta1) * gradient;
      v[i] = p.beta2 * v[i] + (1 - p.beta2) * gradient * gradient;
      w[i] -= p.lr / (1 - std::pow(p.beta1, t)) * m[i] /
              (std::sqrt(v[i]) / std::sqrt(1 - std::pow(p.beta2, t)) + p.epsilon);
    }
  }
  const Floats got = run();
  for (std::size_t i = 0; i < w.size(); ++i) {
    // |w| < 1.3; each step rounds w twice and a step of at most about 1e-2 ten times.
    CHECK(std::fabs(double(got[i]) - w[i]) < steps * (2 * 0x1p-24 * 1.3 + 10 * 0x1p-24 * 1e-2));
  }
}
