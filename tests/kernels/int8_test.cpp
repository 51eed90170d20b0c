// Int8 layers: every implementation against plain loops to the bit, codes against those of
// quant, extreme codes, and the contracts of the header.
#include "xfq/kernels/int8.h"

#include <cstdlib>
#include <limits>

#include "allocations.h"
#include "support.h"
#include "xfq/core/error.h"
#include "xfq/quant/number_format.h"

using namespace xfq::kernels;
using namespace xfq::kernels::test;
using xfq::Index;
using xfq::quant::NumberFormat;
using xfq::quant::Scheme;

namespace {

using Codes = std::vector<std::uint8_t>;
using Weights = std::vector<std::int8_t>;
using Sums = std::vector<std::int32_t>;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

Weights random_weights(Numbers& numbers, Index size) {
  Weights w(at(size));
  for (std::int8_t& code : w) code = static_cast<std::int8_t>(std::floor(numbers.next() * 128));
  return w;
}

Codes random_codes(Numbers& numbers, Index size) {
  Codes a(at(size));
  for (std::uint8_t& code : a) {
    code = static_cast<std::uint8_t>(std::floor(numbers.next() * 128) + 128);
  }
  return a;
}

// In 64 bits, so that an overflow of 32 would show.
std::int64_t plain_sum(const std::uint8_t* a, const Weights& w, Index k, Index ldw, Index j) {
  std::int64_t sum = 0;
  for (Index p = 0; p < k; ++p) sum += std::int64_t(a[p]) * w[at(p * ldw + j)];
  return sum;
}

Sums run_gemm(Index m, const Codes& a, Index lda, const PackedWeights& w, Index ldc) {
  Sums c(at(m * ldc), 77);
  int8_gemm(m, a.data(), lda, w, c.data(), ldc);
  return c;
}

// All of them, through the plain names; `reference` is one of those that are tested.
std::vector<std::string> implementations() {
  std::vector<std::string> names = exact_implementations();
  names.push_back("reference");
  return names;
}

void check_product(Index m, Index n, Index k, Index pad) {
  Numbers numbers(std::uint64_t(m * 7919 + n * 131 + k));
  const Index lda = k + pad, ldw = n + pad, ldc = n + pad;
  const Codes a = random_codes(numbers, m * lda);
  const Weights w = random_weights(numbers, k * ldw);
  const PackedWeights packed(k, n, w.data(), ldw);
  Sums expected(at(m * ldc), 77);  // the padding of C stays as it is
  for (Index i = 0; i < m; ++i) {
    for (Index j = 0; j < n; ++j) {
      expected[at(i * ldc + j)] = std::int32_t(plain_sum(a.data() + i * lda, w, k, ldw, j));
    }
  }
  for (const std::string& name : implementations()) {
    Using implementation(name);
    if (run_gemm(m, a, lda, packed, ldc) != expected) {
      CAPTURE(name, m, n, k, pad);
      FAIL("another product");
    }
  }
}

struct Layer {
  Index m, n, k;
  bool dynamic = false, bias = true;
  ActivationCodes activations;
  Floats x;
  Weights w;
  Floats steps, offsets;
  Index pad = 0;
};

Layer random_layer(Index m, Index n, Index k, Index pad = 0) {
  Numbers numbers(std::uint64_t(m + 100 * n + 10000 * k));
  Layer layer;
  layer.m = m;
  layer.n = n;
  layer.k = k;
  layer.pad = pad;
  layer.x = numbers.fill<float>(m * (k + pad), 3);
  layer.w = random_weights(numbers, k * n);
  layer.steps = numbers.fill<float>(n, 0.01);
  layer.offsets = numbers.fill<float>(n);
  layer.activations.step = 3.0f / 127;
  layer.activations.inverse = 1.0f / layer.activations.step;
  return layer;
}

// With a padding of 99 in y.
Floats run_layer(const Layer& layer) {
  const PackedWeights packed(layer.k, layer.n, layer.w.data(), layer.n);
  Floats y(at(layer.m * (layer.n + layer.pad)), 99.0f);
  Int8Linear call;
  call.m = layer.m;
  call.x = layer.x.data();
  call.ldx = layer.k + layer.pad;
  call.weights = &packed;
  call.weight_steps = layer.steps.data();
  call.bias = layer.bias ? layer.offsets.data() : nullptr;
  call.y = y.data();
  call.ldy = layer.n + layer.pad;
  call.activations = layer.activations;
  call.dynamic = layer.dynamic;
  int8_linear(call);
  return y;
}

// The formula of the header through the arithmetic of quant.
Floats expected_layer(const Layer& layer) {
  const Index ldx = layer.k + layer.pad, ldy = layer.n + layer.pad;
  Floats y(at(layer.m * ldy), 99.0f);
  const NumberFormat format = NumberFormat::integer(8);
  for (Index i = 0; i < layer.m; ++i) {
    const float* x = layer.x.data() + i * ldx;
    xfq::quant::Scale scale;
    scale.step = layer.activations.step;
    scale.inverse = layer.activations.inverse;
    if (layer.dynamic) {
      double largest = 0;
      for (Index p = 0; p < layer.k; ++p) largest = std::max(largest, double(std::fabs(x[p])));
      scale = format.fit({-largest, largest});
    }
    for (Index j = 0; j < layer.n; ++j) {
      std::int64_t sum = 0;
      for (Index p = 0; p < layer.k; ++p) {
        sum += std::int64_t(format.quantize(x[p], scale)) * layer.w[at(p * layer.n + j)];
      }
      const float factor = scale.step * layer.steps[at(j)];
      const float value = factor * float(sum);
      y[at(i * ldy + j)] = layer.bias ? value + layer.offsets[at(j)] : value;
    }
  }
  return y;
}

void check_layer(const Layer& layer) {
  const Floats expected = expected_layer(layer);
  for (const std::string& name : implementations()) {
    Using implementation(name);
    const Index difference = first_difference(run_layer(layer), expected);
    if (difference >= 0) {
      CAPTURE(name, layer.m, layer.n, layer.k, layer.dynamic, difference);
      FAIL("another output");
    }
  }
}

}  // namespace

TEST_CASE("int8 gemm equals a plain triple loop at every small size") {
  for (Index m = 1; m <= 70; m += m < 32 ? 1 : 19) {
    for (const Index n : {1, 2, 3, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 70}) {
      for (const Index k : {1, 2, 3, 4, 5, 7, 8, 31, 64, 65, 70}) {
        check_product(m, n, k, (m + n + k) % 3);
      }
    }
  }
  for (Index k = 1; k <= 70; ++k) check_product(15, 33, k, 0);
  for (Index n = 1; n <= 70; ++n) check_product(3, n, 37, 1);
  SUCCEED();
}

TEST_CASE("int8 gemm equals a plain triple loop over several blocks") {
  // Blocks of W hold 256 KiB, of rows 8 or 128 KiB; strips have 14 or 4 rows.
  check_product(131, 257, 300, 0);
  check_product(500, 40, 64, 0);
  check_product(45, 700, 1000, 0);
  check_product(230, 300, 1024, 0);
  check_product(29, 65, 4096, 3);
  check_product(1, 2000, 128, 0);
  SUCCEED();
}

TEST_CASE("int8 sums neither saturate nor overflow") {
  // Pairs of 255 * 127 saturate 16 bits; the largest depth fills 32 bits:
  // 65793 * 255 * 128 = 2147483520 <= 2^31 - 1 = 2147483647, one more product would not fit.
  STATIC_REQUIRE(kInt8MaxDepth * 255 * 128 <= 2147483647);
  STATIC_REQUIRE((kInt8MaxDepth + 1) * 255 * 128 > 2147483647);
  for (const Index k : {Index(4), Index(70), Index(1000), kInt8MaxDepth}) {
    for (const int activation : {0, 1, 255}) {
      for (const int weight : {-128, -127, 127}) {
        const Index m = 15, n = 17;
        const Codes a(at(m * k), std::uint8_t(activation));
        const Weights w(at(k * n), std::int8_t(weight));
        const PackedWeights packed(k, n, w.data(), n);
        CHECK(packed.column_sums()[n - 1] == std::int32_t(k * weight));
        const Sums expected(at(m * n), std::int32_t(k * activation * weight));
        for (const std::string& name : implementations()) {
          if (k == kInt8MaxDepth && name == "reference" && weight == -127) continue;  // seconds
          Using implementation(name);
          CAPTURE(name, k, activation, weight);
          CHECK((run_gemm(m, a, k, packed, n) == expected));
        }
      }
    }
  }
}

TEST_CASE("int8 layers at the largest depth with a zero point") {
  // All codes are 255 - zero_point = 255 and 0 - 255 = -255 from zero; the exact sum is
  // +-255 * 128 k = 2147483520, which is 2^31 - 128 and a float.
  for (const std::int32_t zero_point : {0, 255}) {
    Layer layer;
    layer.m = 2;
    layer.n = 3;
    layer.k = kInt8MaxDepth;
    layer.bias = false;
    layer.activations = {1.0f, 1.0f, zero_point, 0, 255};
    layer.x.assign(at(layer.m * layer.k), zero_point == 0 ? 1e9f : -1e9f);
    layer.w.assign(at(layer.k * layer.n), std::int8_t(-128));
    layer.steps.assign(3, 1.0f);
    for (const std::string& name : implementations()) {
      Using implementation(name);
      INFO(name);
      for (const float y : run_layer(layer)) {
        CHECK(y == (zero_point == 0 ? -2147483520.0f : 2147483520.0f));
      }
    }
  }
}

TEST_CASE("weights that are too deep are refused") {
  const Weights w(at(kInt8MaxDepth + 1), std::int8_t(0));
  CHECK_THROWS_AS(PackedWeights(kInt8MaxDepth + 1, 1, w.data(), 1), xfq::Error);
  const PackedWeights packed(3, 2, w.data(), 2);
  CHECK(packed.k() == 3);
  CHECK(packed.n() == 2);
}

TEST_CASE("int8 codes are those of quant") {
  Numbers numbers(3);
  Floats x = numbers.fill<float>(1003, 5);
  // Halves, ends and beyond them, specials.
  for (int i = -600; i <= 600; ++i) x.push_back(float(i) * 0.25f);
  for (const float special :
       {0.0f, -0.0f, 1e-40f, 3e38f, -3e38f, kInfinity, -kInfinity,
        std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::quiet_NaN()}) {
    x.push_back(special);
  }
  const Index size = Index(x.size());
  for (const Scheme scheme : {Scheme::symmetric, Scheme::affine}) {
    for (int bits = 2; bits <= 8; ++bits) {
      const NumberFormat format = NumberFormat::integer(bits, scheme);
      std::vector<xfq::quant::Scale> scales = {format.fit({-1.3, 4.1}), format.fit({-4.7, 0.1}),
                                               format.fit({0, 3.0})};
      scales.push_back(scales[0]);
      scales.back().step = scales.back().inverse = 1;  // the halves stay halves
      for (const xfq::quant::Scale& scale : scales) {
        const std::int32_t shift = scheme == Scheme::symmetric ? 128 : 0;
        const ActivationCodes how = {scale.step, scale.inverse, scale.zero_point + shift,
                                     format.lowest_code() + shift, format.highest_code() + shift};
        std::vector<std::int32_t> expected(x.size());
        format.quantize(size, x.data(), scale, expected.data());
        for (const std::string& name : implementations()) {
          Using implementation(name);
          for (const Index count : {size, Index(37)}) {
            Codes codes(at(size), 9);
            int8_quantize(count, x.data(), how, codes.data());
            Index wrong = 0;
            for (Index i = 0; i < count; ++i) {
              wrong += std::int32_t(codes[at(i)]) - shift != expected[at(i)];
            }
            CAPTURE(name, bits, int(scheme), count);
            CHECK(wrong == 0);
            CHECK((count == size || codes[at(count)] == 9));  // nothing behind the end
          }
        }
      }
    }
  }
}

TEST_CASE("int8 layers equal the formula through the arithmetic of quant") {
  for (const bool dynamic : {false, true}) {
    for (const Index m : {1, 2, 7, 13, 14, 15, 29}) {
      for (const Index n : {1, 16, 31, 32, 50}) {
        for (const Index k : {1, 5, 32, 67}) {
          Layer layer = random_layer(m, n, k, (m + n) % 3);
          layer.dynamic = dynamic;
          layer.bias = (m + n + k) % 2 == 0;
          check_layer(layer);
        }
      }
    }
    Layer layer = random_layer(150, 300, 1030);
    layer.dynamic = dynamic;
    check_layer(layer);
  }
  SUCCEED();
}

TEST_CASE("check runs the int8 reference beside the fast kernels") {
  Using implementation("check");
  CHECK(int8_selected() == "check");
  Layer layer = random_layer(15, 33, 37, 2);
  for (const bool dynamic : {false, true}) {
    layer.dynamic = dynamic;
    CHECK(first_difference(run_layer(layer), expected_layer(layer)) < 0);
  }
  Numbers numbers(3);
  const Codes codes = random_codes(numbers, 15 * 37);
  run_gemm(15, codes, 37, PackedWeights(37, 33, random_weights(numbers, 37 * 33).data(), 33), 33);
  Codes again(layer.x.size());
  int8_quantize(Index(layer.x.size()), layer.x.data(), layer.activations, again.data());
  int8_row_codes(Index(layer.x.size()), layer.x.data(), layer.activations);
  std::vector<std::string> seen;
  for (const CheckReport& report : check_report()) {
    if (report.function.rfind("int8_", 0) != 0) continue;
    seen.push_back(report.function);
    CHECK(report.worst == 0);  // exact sums, one order of float operations
    CHECK(report.calls >= 1);
  }
  CHECK(seen ==
        std::vector<std::string>{"int8_gemm", "int8_linear", "int8_quantize", "int8_row_codes"});
}

TEST_CASE("int8 layers: affine activations, closed form") {
  // Step 1/2, zero point 3: x = (-1.5, 2, 0.74) has the codes 0, 7 and 4 (1.48 to 1), less 3:
  // -3, 4, 1. Columns (10, -20, 5) and (1, 1, 1): -30 - 80 + 5 = -105 and 2.
  // Times (1/2 * 2, 1/2 * 4), plus (0.25, -1): -104.75 and 3.
  for (const std::string& name : implementations()) {
    Using implementation(name);
    Layer layer;
    layer.m = 1;
    layer.n = 2;
    layer.k = 3;
    layer.activations = {0.5f, 2.0f, 3, 0, 255};
    layer.x = {-1.5f, 2.0f, 0.74f};
    layer.w = {10, 1, -20, 1, 5, 1};
    layer.steps = {2, 4};
    layer.offsets = {0.25f, -1};
    const Floats y = run_layer(layer);
    INFO(name);
    CHECK(y[0] == -104.75f);
    CHECK(y[1] == 3.0f);
  }
}

TEST_CASE("dynamic rows: zeros, NaN, infinities") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const ActivationCodes how;
  for (const std::string& name : implementations()) {
    Using implementation(name);
    INFO(name);
    for (const Index size : {Index(3), Index(70), Index(200)}) {
      Floats x(at(size), 0.0f);
      CHECK(int8_row_codes(size, x.data(), how).step == 1.0f);
      x[at(size - 1)] = -12.7f;  // 12.7f / 127 in double, rounded to float
      CHECK(int8_row_codes(size, x.data(), how).step == float(double(12.7f) / 127));
      x[0] = nan;
      CHECK(int8_row_codes(size, x.data(), how).step == float(double(12.7f) / 127));
      x[1] = -kInfinity;
      const ActivationCodes wide = int8_row_codes(size, x.data(), how);
      CHECK(wide.step == float(double(std::numeric_limits<float>::max()) / 127));
      Codes codes(x.size());
      int8_quantize(size, x.data(), wide, codes.data());
      CHECK(int(codes[0]) == 1);  // NaN: the lowest code
      CHECK(int(codes[1]) == 1);
      CHECK(int(codes[2]) == 128);
      const Floats tiny(at(size), 1e-44f);
      CHECK(int8_row_codes(size, tiny.data(), how).step == 0x1p-126f);
    }
    // A row of zeros gives the bias alone, beside one that is not.
    Layer layer = random_layer(2, 5, 70);
    layer.dynamic = true;
    for (Index p = 0; p < layer.k; ++p) layer.x[at(p)] = 0;
    const Floats y = run_layer(layer);
    for (std::size_t j = 0; j < 5; ++j) {
      CHECK(y[j] == layer.offsets[j]);
      CHECK(y[5 + j] != layer.offsets[j]);
    }
  }
}

TEST_CASE("int8 follows the choice of the kernels") {
  for (const std::string& name : available()) {
    Using implementation(name);
    const std::string used = int8_selected();
    INFO(name);
    if (name == "reference" || name == "portable" || name == "avx2" || name == "check") {
      CHECK(used == name);
    } else {
      CHECK((used == "avx512" || used == "avx2" || used == "portable"));
    }
  }
}

TEST_CASE("the steady state of int8 layers allocates nothing") {
#ifdef XFQ_COUNTS_ALLOCATIONS
  const Layer layer = random_layer(40, 50, 60);
  const PackedWeights packed(layer.k, layer.n, layer.w.data(), layer.n);
  Floats y(at(layer.m * layer.n));
  const Codes codes(layer.x.size(), 5);
  Sums c(y.size());
  Int8Linear call;
  call.m = layer.m;
  call.x = layer.x.data();
  call.ldx = layer.k;
  call.weights = &packed;
  call.weight_steps = layer.steps.data();
  call.y = y.data();
  call.ldy = layer.n;
  for (const std::string& name : implementations()) {
    Using implementation(name);
    const auto step = [&] {
      call.dynamic = !call.dynamic;
      int8_linear(call);
      int8_gemm(layer.m, codes.data(), layer.k, packed, c.data(), layer.n);
    };
    step();
    const long before = xfq::test::allocations.load();
    step();
    const long after = xfq::test::allocations.load();
    INFO(name);
    CHECK(after == before);
  }
  // The counter works.
  const long before = xfq::test::allocations.load();
  void* volatile block = std::malloc(1000);  // volatile: the compiler may not drop the pair
  CHECK(xfq::test::allocations.load() > before);
  std::free(block);
#else
  SUCCEED("a sanitizer owns the allocator");
#endif
}
