// exp, log, tanh, erf: errors over a sample of all floats, limits, equality of the
// implementations.
#include <limits>

#include "math_errors.h"

using namespace xfq::kernels;
using namespace xfq::kernels::test;
using xfq::Index;

namespace {

float call(const Function& function, float x) {
  float y;
  function.run(1, &x, &y);
  return y;
}

}  // namespace

TEST_CASE("the functions keep their error bound on a sample of all floats") {
  for (const Function& function : kFunctions) {
    // A prime stride: about 43 000 of the 2^32 patterns, NaN and denormals among them.
    const Worst worst = worst_error(function, 12345, 99991);
    INFO(function.name << " at " << worst.x);
    CHECK(worst.error < function.bound);
    CHECK(worst.error > 0.3);  // a float result cannot be nearer than this everywhere
  }
}

TEST_CASE("the functions are the same bits in every implementation") {
  for (const Function& function : kFunctions) {
    INFO(function.name);
    require_same_as_reference([&] {
      Floats x;
      for (std::uint64_t pattern = 77; pattern < (1ull << 32); pattern += 49999) {
        const std::uint32_t b = std::uint32_t(pattern);
        float value;
        std::memcpy(&value, &b, sizeof value);
        x.push_back(value);
      }
      Floats y(x.size());
      function.run(Index(x.size()), x.data(), y.data());
      return y;
    });
  }
}

TEST_CASE("limits of the functions") {
  const float inf = std::numeric_limits<float>::infinity();
  const Function &exp = kFunctions[0], &log = kFunctions[1], &tanh = kFunctions[2],
                 &erf = kFunctions[3];
  for (const std::string& name : available()) {
    Using implementation(name);
    INFO(name);
    for (const Function& function : kFunctions) CHECK(std::isnan(call(function, NAN)));
    CHECK(call(exp, 0.0f) == 1.0f);
    CHECK(call(exp, inf) == inf);
    CHECK(call(exp, -inf) == 0.0f);
    CHECK(call(exp, 88.72284f) == inf);          // just above log(FLT_MAX)
    CHECK(std::isfinite(call(exp, 88.72283f)));  // just below
    CHECK(call(exp, -103.0f) == 0x1p-149f);      // 1.9e-45 rounds to the least denormal
    CHECK(call(exp, -104.0f) == 0.0f);           // 6.8e-46 is below half of it
    CHECK(call(log, 1.0f) == 0.0f);
    CHECK(call(log, 0.0f) == -inf);
    CHECK(call(log, -0.0f) == -inf);
    CHECK(std::isnan(call(log, -1.0f)));
    CHECK(std::isnan(call(log, -inf)));
    CHECK(call(log, inf) == inf);
    CHECK(call(log, 0x1p-149f) == Approx(-149 * 0.6931471805599453).epsilon(1e-7));
    for (const Function* odd : {&tanh, &erf}) {
      CHECK(call(*odd, inf) == 1.0f);
      CHECK(call(*odd, -inf) == -1.0f);
      CHECK(bits(call(*odd, -0.0f)) == bits(-0.0f));
      CHECK(call(*odd, 30.0f) == 1.0f);
    }
    CHECK(call(tanh, 0x1p-149f) == 0x1p-149f);
  }
}

TEST_CASE("the polynomial functions never leave their range") {
  // tanh and erf stay within [-1, 1], exp is not negative.
  Floats x, y;
  for (int i = -4000; i <= 4000; ++i) x.push_back(float(i) * 0.005f);
  y.resize(x.size());
  for (const Function& function : kFunctions) {
    if (std::string(function.name) == "log") continue;
    function.run(Index(x.size()), x.data(), y.data());
    for (const float value : y) {
      CHECK((std::string(function.name) == "exp" ? value >= 0.0f : std::fabs(value) <= 1.0f));
    }
  }
}

TEST_CASE("gelu against its definition in double") {
  for (const std::string& name : available()) {
    Using implementation(name);
    INFO(name);
    for (int i = -300; i <= 300; ++i) {
      const float x = float(i) * 0.03f;
      const double d = double(x);
      const double u = std::sqrt(2 / M_PI) * (d + 0.044715 * d * d * d);
      const double tanh_form = 0.5 * d * (1 + std::tanh(u));
      const double erf_form = 0.5 * d * (1 + std::erf(d / std::sqrt(2.0)));
      float a, b;
      activation_forward(Activation::gelu_tanh, Index(1), &x, &a);
      activation_forward(Activation::gelu_erf, Index(1), &x, &b);
      // A few roundings of numbers up to |x|; z = 2u adds |z| roundings of the exponent,
      // which the factor exp(-|z|) outweighs.
      CHECK(std::fabs(double(a) - tanh_form) <= 4 * 0x1p-23 * std::max(1.0, std::fabs(d)));
      CHECK(std::fabs(double(b) - erf_form) <= 4 * 0x1p-23 * std::max(1.0, std::fabs(d)));
    }
    for (const float x : {-1e30f, -300.0f, 300.0f, 1e30f}) {
      for (const Activation activation : {Activation::gelu_tanh, Activation::gelu_erf}) {
        const float one = 1;
        float y, d;
        activation_forward(activation, Index(1), &x, &y);
        activation_backward(activation, Index(1), &x, &one, &d);
        CHECK(y == (x > 0 ? x : 0.0f));
        CHECK(std::fabs(d - (x > 0 ? 1.0f : 0.0f)) < 1e-30f);
      }
    }
  }
}
