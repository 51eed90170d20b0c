// Number formats: exact value tables and codes, rounding, and error bounds.
#include "xfq/quant/number_format.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>

#include "samples.h"
#include "xfq/stats/quantiles.h"

using namespace xfq::quant;
using xfq::ErrorKind;
using xfq::Index;
using xfq::test::check_property;
using xfq::test::error_of;

namespace {

std::vector<NumberFormat> all_formats() {
  std::vector<NumberFormat> formats;
  for (int bits = 2; bits <= 16; ++bits) {
    formats.push_back(NumberFormat::integer(bits, Scheme::symmetric));
    formats.push_back(NumberFormat::integer(bits, Scheme::affine));
  }
  for (const char* name : {"fp8-e4m3", "fp8-e5m2", "nf4", "mxfp4"}) {
    formats.push_back(NumberFormat::parse(name));
  }
  return formats;
}

bool same_bits(float a, float b) { return std::memcmp(&a, &b, sizeof a) == 0; }

// Values at this scale.
std::vector<double> scaled_values(const NumberFormat& format, const Scale& scale) {
  std::vector<double> values;
  for (const float value : format.values()) {
    values.push_back(
        static_cast<double>((value - static_cast<float>(scale.zero_point)) * scale.step));
  }
  return values;
}

}  // namespace

TEST_CASE("integer codes and ranges") {
  for (int bits = 2; bits <= 16; ++bits) {
    const auto symmetric = NumberFormat::integer(bits);
    const int n = (1 << (bits - 1)) - 1;
    CHECK(symmetric.lowest_code() == -n);
    CHECK(symmetric.highest_code() == n);
    CHECK(symmetric.largest() == n);
    CHECK(symmetric.intervals() == 2 * n);
    CHECK(symmetric.scale_bits() == 32);
    CHECK(static_cast<int>(symmetric.values().size()) == 2 * n + 1);
    const auto affine = NumberFormat::integer(bits, Scheme::affine);
    CHECK(affine.lowest_code() == 0);
    CHECK(affine.highest_code() == 2 * n + 1);
    CHECK(affine.intervals() == 2 * n + 1);
    CHECK(affine.scale_bits() == (bits <= 8 ? 40 : 48));
  }
}

TEST_CASE("halves go to the even code") {
  const auto format = NumberFormat::integer(8);
  const Scale scale = format.fit({-127, 127});
  REQUIRE(scale.step == 1.0f);
  const std::vector<std::pair<float, int>> cases = {
      {0.5f, 0},     {1.5f, 2},     {2.5f, 2},    {-0.5f, 0},     {-1.5f, -2},     {-2.5f, -2},
      {126.5f, 126}, {127.5f, 127}, {1e30f, 127}, {-1e30f, -127}, {0.49999997f, 0}};
  for (const auto& [x, code] : cases) CHECK(format.quantize(x, scale) == code);
  // Negative zero becomes plain zero: integer execution has no other.
  CHECK(same_bits(format.fake_quantize(-0.25f, scale), 0.0f));
}

TEST_CASE("affine scales keep zero exact") {
  const auto format = NumberFormat::integer(8, Scheme::affine);
  const Scale scale = format.fit({-1, 3});
  CHECK(scale.step == Approx(4.0 / 255).epsilon(1e-7));
  CHECK(scale.zero_point == 64);  // 255 / 4 = 63.75
  CHECK(format.fake_quantize(0, scale) == 0.0f);
  // The range is widened to include 0.
  CHECK(format.fit({1, 3}).zero_point == 0);
  CHECK(format.fit({1, 3}).step == Approx(3.0 / 255).epsilon(1e-7));
  CHECK(format.fit({-3, -1}).zero_point == 255);
  CHECK(format.fit({0, 0}).step == 1.0f);
  CHECK(format.fit({0, 0}).zero_point == 0);
}

TEST_CASE("rounding error is at most half a step inside the range") {
  check_property("bound, saturation, idempotence, codes", [] {
    const int bits = *rc::gen::inRange(2, 17);
    const bool affine = *rc::gen::arbitrary<bool>();
    const auto format = NumberFormat::integer(bits, affine ? Scheme::affine : Scheme::symmetric);
    const double exponent = *rc::gen::inRange(-20, 21);
    const double lo = -*rc::gen::inRange(0, 1000) / 1000.0 * std::exp2(exponent);
    const double hi = *rc::gen::inRange(1, 1000) / 1000.0 * std::exp2(exponent);
    const Scale scale = format.fit({lo, hi});
    const double from = affine ? lo : -std::max(-lo, hi);
    const double to = affine ? hi : std::max(-lo, hi);
    const auto x = static_cast<float>(from + (to - from) * (*rc::gen::inRange(0, 100001) / 1e5));
    const float y = format.fake_quantize(x, scale);
    const auto step = static_cast<double>(scale.step);
    // Exact arithmetic would give step / 2. The inverse, the product and the result round
    // once each, 2^-24 relative to at most |x| + step; the step itself is rounded, which
    // moves the ends by 2^-24 of the range.
    const double slack = (std::abs(static_cast<double>(x)) + step + (to - from)) * std::exp2(-22);
    RC_ASSERT(std::abs(static_cast<double>(x) - static_cast<double>(y)) <= step / 2 + slack);
    RC_ASSERT(!format.clips(x, scale));
    RC_ASSERT(format.fake_quantize(y, scale) == y);
    const auto code = format.quantize(x, scale);
    RC_ASSERT(code >= format.lowest_code() && code <= format.highest_code());
    RC_ASSERT(same_bits(format.dequantize(code, scale), y));
    if (!affine) RC_ASSERT(format.fake_quantize(-x, scale) == -y);
    // The stated arithmetic, spelled out with the C library.
    const double v = static_cast<double>(x * scale.inverse);
    const double clamped = std::min(std::max(v, double(format.lowest_code() - scale.zero_point)),
                                    double(format.highest_code() - scale.zero_point));
    RC_ASSERT(code == static_cast<int>(std::nearbyint(clamped)) + scale.zero_point);
  });
  check_property("outside, the end of the range", [] {
    const int bits = *rc::gen::inRange(2, 17);
    const bool affine = *rc::gen::arbitrary<bool>();
    const auto format = NumberFormat::integer(bits, affine ? Scheme::affine : Scheme::symmetric);
    const Scale scale = format.fit({-1, 2});
    const double beyond = 2 + *rc::gen::inRange(2, 1000) * static_cast<double>(scale.step);
    const auto x = static_cast<float>(beyond);
    RC_ASSERT(format.quantize(x, scale) == format.highest_code());
    RC_ASSERT(format.quantize(-x, scale) == format.lowest_code());
    RC_ASSERT(format.clips(x, scale) && format.clips(-x, scale));
  });
}

TEST_CASE("every format: nearest value, codes, arrays") {
  for (const NumberFormat& format : all_formats()) {
    INFO(format.name());
    if (format.bits() > 10) continue;  // the tables of the longer integers are large
    const Scale scale = format.fit({-1.7, 2.9});
    const auto values = scaled_values(format, scale);
    REQUIRE(std::is_sorted(values.begin(), values.end()));
    CHECK(static_cast<int>(values.size()) == format.intervals() + 1);
    const auto x = xfq::test::sample(xfq::test::Shape::student3, 3000);
    std::vector<float> y(x.size());
    std::vector<std::int32_t> codes(x.size());
    std::vector<float> z(x.size());
    const auto size = static_cast<Index>(x.size());
    format.fake_quantize(size, x.data(), scale, y.data());
    format.quantize(size, x.data(), scale, codes.data());
    format.dequantize(size, codes.data(), scale, z.data());
    bool all_near = true;
    bool all_equal = true;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const auto value = static_cast<double>(x[i]);
      double least = std::numeric_limits<double>::infinity();
      for (const double candidate : values) least = std::min(least, std::abs(value - candidate));
      // Within the rounding of three float operations.
      all_near = all_near && std::abs(value - static_cast<double>(y[i])) <=
                                 least + (std::abs(value) + 3) * std::exp2(-22);
      all_equal = all_equal && same_bits(y[i], z[i]) &&
                  same_bits(y[i], format.fake_quantize(x[i], scale)) &&
                  codes[i] == format.quantize(x[i], scale) && codes[i] >= format.lowest_code() &&
                  codes[i] <= format.highest_code();
    }
    CHECK(all_near);
    CHECK(all_equal);
    std::vector<float> in_place = x;
    format.fake_quantize(size, in_place.data(), scale, in_place.data());
    CHECK(in_place == y);
    // NaN gets a code and the lowest value.
    CHECK(static_cast<double>(format.fake_quantize(NAN, scale)) == Approx(values.front()));
  }
}

TEST_CASE("fp8 and fp4 tables") {
  // From the definition: sign * 2^e * (1 + m / 2^M), and below the lowest e the multiples
  // of 2^(e - M). e4m3 gives its uppermost value, 1.875 * 2^8, to NaN.
  const auto table = [](int mantissa, int lowest, int highest, double without) {
    std::set<double> values;
    const int parts = 1 << mantissa;
    for (int m = 0; m < parts; ++m) {
      for (const double sign : {-1.0, 1.0}) {
        values.insert(sign * std::ldexp(double(m) / parts, lowest));
        for (int e = lowest; e <= highest; ++e) {
          values.insert(sign * std::ldexp(1 + double(m) / parts, e));
        }
      }
    }
    values.erase(without);
    values.erase(-without);
    return values;
  };
  const auto values_of = [](const char* name) {
    std::vector<double> values;
    for (const float v : NumberFormat::parse(name).values()) values.push_back(double(v));
    return values;
  };
  const auto as_vector = [](const std::set<double>& s) {
    return std::vector<double>(s.begin(), s.end());
  };
  const auto e4m3 = values_of("fp8-e4m3");
  CHECK(e4m3 == as_vector(table(3, -6, 8, 480)));
  CHECK(e4m3.size() == 253);  // 256 - 2 NaN - a second zero
  CHECK(e4m3.back() == 448);
  CHECK(e4m3[127] == std::exp2(-9));
  const auto e5m2 = values_of("fp8-e5m2");
  CHECK(e5m2 == as_vector(table(2, -14, 15, 0.3)));
  CHECK(e5m2.size() == 247);  // 256 - 2 infinities - 6 NaN - a second zero
  CHECK(e5m2.back() == 57344);
  CHECK(e5m2[124] == std::exp2(-16));
  CHECK(values_of("mxfp4") ==
        std::vector<double>{-6, -4, -3, -2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 3, 4, 6});
}

TEST_CASE("fp8 and fp4 codes are the published bit patterns") {
  const Scale one;
  const auto e4m3 = NumberFormat::parse("fp8-e4m3");
  // OCP OFP8 1.0, table 2.
  CHECK(e4m3.quantize(1.0f, one) == 0x38);
  CHECK(e4m3.quantize(448.0f, one) == 0x7e);
  CHECK(e4m3.quantize(std::ldexp(1.0f, -6), one) == 0x08);
  CHECK(e4m3.quantize(std::ldexp(0.875f, -6), one) == 0x07);
  CHECK(e4m3.quantize(-std::ldexp(1.0f, -9), one) == 0x81);
  const auto e5m2 = NumberFormat::parse("fp8-e5m2");
  CHECK(e5m2.quantize(1.0f, one) == 0x3c);
  CHECK(e5m2.quantize(57344.0f, one) == 0x7b);
  CHECK(e5m2.quantize(std::ldexp(1.0f, -14), one) == 0x04);
  CHECK(e5m2.quantize(std::ldexp(0.75f, -14), one) == 0x03);
  CHECK(e5m2.quantize(-std::ldexp(1.0f, -16), one) == 0x81);
  const auto e2m1 = NumberFormat::parse("mxfp4");
  CHECK(e2m1.quantize(6.0f, one) == 0x7);
  CHECK(e2m1.quantize(0.5f, one) == 0x1);
  CHECK(e2m1.quantize(-1.0f, one) == 0xa);
  // Ties to the even pattern, saturation, underflow.
  CHECK(e4m3.fake_quantize(17.0f, one) == 16.0f);
  CHECK(e4m3.fake_quantize(19.0f, one) == 20.0f);
  CHECK(e4m3.fake_quantize(1e9f, one) == 448.0f);
  CHECK(e4m3.fake_quantize(std::ldexp(1.0f, -10), one) == 0.0f);
  CHECK(e4m3.fake_quantize(std::ldexp(1.5f, -9), one) == std::ldexp(1.0f, -8));
  CHECK(e2m1.fake_quantize(2.5f, one) == 2.0f);
  CHECK(e2m1.fake_quantize(5.0f, one) == 4.0f);
  CHECK(e2m1.fake_quantize(-0.75f, one) == -1.0f);
  CHECK(!e4m3.clips(463.0f, one));
  CHECK(e4m3.clips(-465.0f, one));
}

TEST_CASE("nf4 is made of normal quantiles") {
  // Dettmers et al. 2023: quantiles at evenly spaced probabilities from `offset` to 1/2, eight
  // intervals above and seven below, divided by the largest. Their table is in float.
  const double offset = 0.9677083;
  const double largest = xfq::stats::normal_quantile(offset);
  std::vector<double> expected = {0.0};
  for (int i = 0; i < 8; ++i) {
    expected.push_back(xfq::stats::normal_quantile(offset + (0.5 - offset) * i / 8) / largest);
  }
  for (int i = 0; i < 7; ++i) {
    expected.push_back(-xfq::stats::normal_quantile(offset + (0.5 - offset) * i / 7) / largest);
  }
  std::sort(expected.begin(), expected.end());
  const auto format = NumberFormat::parse("nf4");
  const auto values = format.values();
  REQUIRE(values.size() == 16);
  for (std::size_t i = 0; i < 16; ++i) {
    CHECK(static_cast<double>(values[i]) == Approx(expected[i]).margin(1e-6));
    CHECK(format.quantize(values[i], Scale()) == static_cast<int>(i));
  }
}

TEST_CASE("mxfp4 scales are powers of two") {
  const auto format = NumberFormat::parse("mxfp4");
  const std::vector<std::pair<double, float>> cases = {
      {4, 1.0f}, {6, 1.0f}, {7.9, 1.0f}, {8, 2.0f}, {1, 0.25f}, {0.01, std::ldexp(1.0f, -9)}};
  for (const auto& [magnitude, step] : cases) CHECK(format.fit({-magnitude, 0}).step == step);
  CHECK(format.scale_bits() == 8);
  CHECK(format.clips(7.5f, Scale()));
  CHECK(!format.clips(6.9f, Scale()));
  const std::vector<float> x = {6.9f, 7.5f, -100.0f, 0.0f};
  std::vector<float> inside(4);
  format.mark_inside(4, x.data(), Scale(), inside.data());
  CHECK(inside == std::vector<float>{1, 0, 0, 1});
}

TEST_CASE("tiny and huge ranges stay finite") {
  for (const NumberFormat& format : all_formats()) {
    INFO(format.name());
    for (const double magnitude : {1e-44, 1e-38, 1e37}) {
      const Scale scale = format.fit({-magnitude, magnitude});
      CHECK(std::isfinite(scale.step));
      CHECK(std::isfinite(scale.inverse));
      CHECK(scale.step > 0);
      CHECK(std::isfinite(format.fake_quantize(static_cast<float>(magnitude), scale)));
    }
  }
}

TEST_CASE("names of formats") {
  for (const std::string& name : NumberFormat::names()) {
    if (name != "int") CHECK(NumberFormat::parse(name).name() == name);
  }
  CHECK(NumberFormat::parse("int", 4, Scheme::affine).name() == "int4-affine");
  CHECK(NumberFormat().name() == "int8");
  for (const int bits : {-1, 0, 1, 17, 33}) {
    CHECK(error_of([&] { NumberFormat::integer(bits); }, ErrorKind::usage)
              .find("--bits " + std::to_string(bits) + ", expected 2 to 16") == 0);
  }
  const std::string unknown = error_of([] { NumberFormat::parse("fp8-e4m2"); }, ErrorKind::usage);
  CHECK(unknown.find("--number-format fp8-e4m2") == 0);
  CHECK(unknown.find("did you mean fp8-e4m3?") != std::string::npos);
  CHECK(error_of([] { NumberFormat::parse("nf4", 4, Scheme::affine); }, ErrorKind::usage)
            .find("--scheme affine") == 0);
  CHECK(parse_scheme(to_string(Scheme::affine)) == Scheme::affine);
  CHECK(parse_scheme(to_string(Scheme::symmetric)) == Scheme::symmetric);
  CHECK(error_of([] { parse_scheme("symetric"); }, ErrorKind::usage)
            .find("did you mean symmetric?") != std::string::npos);
}
