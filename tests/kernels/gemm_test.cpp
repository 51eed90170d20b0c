// Matrix products: every implementation against the reference, the reference
// against a product in double, and the contracts of the epilogue.
#include <algorithm>
#include <limits>

#include "support.h"

using namespace xfq::kernels;
using namespace xfq::kernels::test;
using xfq::Index;

namespace {

struct Case {
  Index m, n, k;
  bool a_turned = false, b_turned = false;
  bool accumulate = false, bias = false, pre = false;
  int residual = 0;  // 0 none, 1 apart, 2 in place of C
  Activation activation = Activation::none;
  Index pad = 0;     // extra elements in every leading dimension
  Index offset = 0;  // misaligns every pointer
};

// Runs one product; returns C, with its padding, then pre.
Floats run(const Case& test, double special = 0) {
  Numbers numbers(std::uint64_t(test.m * 73 + test.n * 31 + test.k));
  const Index a_ld = (test.a_turned ? test.m : test.k) + test.pad;
  const Index b_ld = (test.b_turned ? test.k : test.n) + test.pad;
  const Index c_ld = test.n + test.pad;
  const Index o = test.offset;
  Floats a = numbers.fill<float>(o + a_ld * (test.a_turned ? test.k : test.m));
  Floats b = numbers.fill<float>(o + b_ld * (test.b_turned ? test.n : test.k));
  Floats c = numbers.fill<float>(o + c_ld * test.m);
  Floats bias = numbers.fill<float>(o + test.n);
  Floats residual = numbers.fill<float>(o + c_ld * test.m);
  Floats pre(std::size_t(o + c_ld * test.m), 7.0f);
  if (special != 0 && !a.empty()) a[std::size_t(o)] = float(special);

  Gemm<float> g;
  g.m = test.m;
  g.n = test.n;
  g.k = test.k;
  g.a = a.data() + o;
  g.a_row = test.a_turned ? 1 : a_ld;
  g.a_col = test.a_turned ? a_ld : 1;
  g.b = b.data() + o;
  g.b_row = test.b_turned ? 1 : b_ld;
  g.b_col = test.b_turned ? b_ld : 1;
  g.c = c.data() + o;
  g.ldc = c_ld;
  g.accumulate = test.accumulate;
  if (test.bias) g.bias = bias.data() + o;
  g.activation = test.activation;
  if (test.pre) {
    g.pre = pre.data() + o;
    g.ld_pre = c_ld;
  }
  if (test.residual == 1) g.residual = residual.data() + o;
  if (test.residual == 2) g.residual = g.c;
  g.ld_residual = c_ld;
  gemm(g);
  append(c, pre);
  return c;
}

}  // namespace

TEST_CASE("gemm equals the reference over shapes, strides and transposes") {
  // Around the tile sizes (4, 6, 14 rows; 16, 32 columns), the k-block (256), and
  // large enough for several blocks of columns.
  const Index rows[] = {1, 2, 5, 6, 7, 13, 14, 15, 29, 43};
  const Index columns[] = {1, 15, 16, 17, 31, 32, 33, 50, 97};
  const Index depths[] = {1, 3, 4, 17, 64};
  for (const Index m : rows) {
    for (const Index n : columns) {
      for (const Index k : depths) {
        for (int turned = 0; turned < 4; ++turned) {
          Case test{m, n, k};
          test.a_turned = turned & 1;
          test.b_turned = turned & 2;
          test.pad = (m + n + k) % 3;
          test.offset = (m + k) % 4;
          CAPTURE(m, n, k, turned);
          require_same_as_reference([&] { return run(test); });
        }
      }
    }
  }
}

TEST_CASE("gemm equals the reference across blocks of k, of columns and of strips") {
  const Index shapes[][3] = {{3, 40, 257},   {31, 70, 513},  {14, 48, 600}, {150, 40, 300},
                             {130, 33, 769}, {16, 1100, 40}, {9, 700, 300}, {40, 600, 520}};
  for (const auto& shape : shapes) {
    for (int turned = 0; turned < 4; ++turned) {
      Case test{shape[0], shape[1], shape[2]};
      test.a_turned = turned & 1;
      test.b_turned = turned & 2;
      test.bias = true;
      test.residual = 1 + turned % 2;
      CAPTURE(shape[0], shape[1], shape[2], turned);
      require_same_as_reference([&] { return run(test); });
    }
  }
}

TEST_CASE("gemm equals the reference with every epilogue") {
  for (const Index k : {Index(0), Index(20), Index(530)}) {
    for (const Index m : {Index(3), Index(33)}) {
      for (int options = 0; options < 8; ++options) {
        for (int residual = 0; residual < 3; ++residual) {
          for (const Activation activation :
               {Activation::none, Activation::gelu_tanh, Activation::gelu_erf}) {
            Case test{m, 45, k};
            test.accumulate = options & 1;
            test.bias = options & 2;
            test.pre = options & 4;
            test.residual = residual;
            if (test.accumulate && residual == 2) continue;  // excluded by the contract
            test.activation = activation;
            test.pad = 3;
            CAPTURE(m, k, options, residual, int(activation));
            require_same_as_reference([&] { return run(test); });
          }
        }
      }
    }
  }
}

TEST_CASE("gemm against the same product in double") {
  // Sums of k products of numbers below 1 in float: error below
  // (k + 1) 2^-24 times the sum of the products' magnitudes (<= k), Higham 2002, eq. 3.5,
  // in any order of summation; so it holds for `eigen` too.
  const Index m = 23, n = 37, k = 300;
  Numbers numbers(5);
  const Floats a = numbers.fill<float>(m * k), b = numbers.fill<float>(k * n);
  Doubles expected(std::size_t(m * n));
  for (Index i = 0; i < m; ++i) {
    for (Index j = 0; j < n; ++j) {
      double sum = 0;
      for (Index p = 0; p < k; ++p) {
        sum += double(a[std::size_t(i * k + p)]) * double(b[std::size_t(p * n + j)]);
      }
      expected[std::size_t(i * n + j)] = sum;
    }
  }
  for (const std::string& name : available()) {
    Using implementation(name);
    Floats c(std::size_t(m * n));
    Gemm<float> g;
    g.m = m;
    g.n = n;
    g.k = k;
    g.a = a.data();
    g.a_row = k;
    g.b = b.data();
    g.b_row = n;
    g.c = c.data();
    g.ldc = n;
    gemm(g);
    double worst = 0;
    for (std::size_t i = 0; i < c.size(); ++i) {
      worst = std::max(worst, std::fabs(double(c[i]) - expected[i]));
    }
    INFO(name);
    CHECK(worst < double(k + 1) * 0x1p-24 * double(k));
    CHECK(worst > 0);  // it is float arithmetic that was tested
  }
}

TEST_CASE("gemm through eigen: transposes and epilogues") {
  // The bound of the test above, plus one rounding per step of the epilogue.
  for (int turned = 0; turned < 4; ++turned) {
    for (int residual = 0; residual < 3; ++residual) {
      Case test{19, 35, 80};
      test.a_turned = turned & 1;
      test.b_turned = turned & 2;
      test.bias = true;
      test.pre = true;
      test.residual = residual;
      test.accumulate = residual == 1;
      test.activation = Activation::gelu_tanh;
      test.pad = 2;
      Floats expected, got;
      {
        Using reference("reference");
        expected = run(test);
      }
      {
        Using eigen("eigen");
        got = run(test);
      }
      REQUIRE(got.size() == expected.size());
      for (std::size_t i = 0; i < got.size(); ++i) {
        CHECK(std::fabs(got[i] - expected[i]) < 85 * 0x1p-24 * 82);
      }
    }
  }
}

TEST_CASE("gemm closed forms") {
  for (const std::string& name : available()) {
    Using implementation(name);
    INFO(name);
    // [1 2; 3 4] [5 6; 7 8] = [19 22; 43 50], plus bias (100, 200), plus the old C.
    const float a[] = {1, 2, 3, 4}, b[] = {5, 6, 7, 8}, bias[] = {100, 200};
    float c[] = {1000, 2000, 3000, 4000}, pre[4];
    Gemm<float> g;
    g.m = g.n = g.k = 2;
    g.a = a;
    g.a_row = 2;
    g.b = b;
    g.b_row = 2;
    g.c = c;
    g.ldc = 2;
    g.bias = bias;
    g.pre = pre;
    g.ld_pre = 2;
    g.residual = c;
    g.ld_residual = 2;
    gemm(g);
    CHECK(pre[0] == 119);
    CHECK(pre[3] == 250);
    CHECK(c[0] == 1119);
    CHECK(c[1] == 2222);
    CHECK(c[2] == 3143);
    CHECK(c[3] == 4250);
  }
}

TEST_CASE("gemm carries a NaN and an infinity into exactly the row that uses it") {
  for (const double special : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    Case test{20, 40, 30};
    for (const std::string& name : available()) {
      Using implementation(name);
      INFO(name);
      const Floats c = run(test, special);
      for (std::size_t j = 0; j < 40; ++j) {
        CHECK_FALSE(std::isfinite(c[j]));
        CHECK(std::isfinite(c[40 + j]));
      }
    }
    require_same_as_reference([&] { return run(test, special); });
  }
}
