// Number formats: scales, codes, values.
#include "xfq/quant/number_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "xfq/core/error.h"
#include "xfq/core/options.h"

namespace xfq::quant {
namespace {

// A float with `mantissa` bits; exponents below `lowest` are subnormal.
struct SmallFloat {
  int mantissa;
  int lowest;
  float largest;
};

SmallFloat small_float(NumberKind kind) {
  switch (kind) {
    case NumberKind::fp8_e4m3:
      return {3, -6, 448.0f};
    case NumberKind::fp8_e5m2:
      return {2, -14, 57344.0f};
    default:
      return {1, 0, 6.0f};  // e2m1, the elements of mxfp4
  }
}

// Dettmers et al. 2023, appendix E.
constexpr std::array<float, 16> kNf4 = {-1.0f,
                                        -0.6961928009986877f,
                                        -0.5250730514526367f,
                                        -0.39491748809814453f,
                                        -0.28444138169288635f,
                                        -0.18477343022823334f,
                                        -0.09105003625154495f,
                                        0.0f,
                                        0.07958029955625534f,
                                        0.16093020141124725f,
                                        0.24611230194568634f,
                                        0.33791524171829224f,
                                        0.44070982933044434f,
                                        0.5626170039176941f,
                                        0.7229568362236023f,
                                        1.0f};

// Half to even for |v| < 2^22: the sum has no bits left for a fraction. Unlike
// nearbyint it is plain arithmetic on every instruction set, and -0 becomes +0.
inline float round_half_even(float v) {
  constexpr float kShift = 12582912.0f;  // 1.5 * 2^23
  return (v + kShift) - kShift;
}

// The order of the operands sends NaN to lo.
inline float clamp(float v, float lo, float hi) {
  v = lo < v ? v : lo;
  return v < hi ? v : hi;
}

// v in units of the step, to the nearest value of the format.
inline float round_small(float v, const SmallFloat& spec, float least_power, float quantum_factor) {
  v = clamp(v, -spec.largest, spec.largest);
  std::uint32_t bits = 0;
  std::memcpy(&bits, &v, sizeof bits);
  bits &= 0x7f800000u;
  float power = 0;  // the largest power of two not above |v|
  std::memcpy(&power, &bits, sizeof power);
  power = power < least_power ? least_power : power;
  const float quantum = power * quantum_factor;
  return round_half_even(v / quantum) * quantum;
}

inline float round_small(float v, const SmallFloat& spec) {
  return round_small(v, spec, std::ldexp(1.0f, spec.lowest), std::ldexp(1.0f, -spec.mantissa));
}

std::int32_t encode_small(float value, const SmallFloat& spec, int bits) {
  const float magnitude = std::abs(value);
  std::int32_t code = 0;
  if (magnitude > 0) {
    const int exponent = std::max(std::ilogb(magnitude), spec.lowest);
    const auto digits = static_cast<std::int32_t>(std::ldexp(magnitude, spec.mantissa - exponent));
    // The leading digit of a normal value carries into the exponent field.
    code = ((exponent - spec.lowest) << spec.mantissa) + digits;
  }
  return value < 0 ? code | (1 << (bits - 1)) : code;
}

float decode_small(std::int32_t code, const SmallFloat& spec, int bits) {
  const std::int32_t magnitude = code & ((1 << (bits - 1)) - 1);
  const int field = magnitude >> spec.mantissa;
  const std::int32_t leading = field > 0 ? 1 << spec.mantissa : 0;
  const std::int32_t digits = leading + (magnitude & ((1 << spec.mantissa) - 1));
  const float value =
      std::ldexp(static_cast<float>(digits), spec.lowest + std::max(field - 1, 0) - spec.mantissa);
  return code >> (bits - 1) ? -value : value;
}

// Nearest, the lower one on a tie; NaN is index 0.
inline std::size_t nearest_nf4(float v) {
  std::size_t index = 0;
  for (std::size_t i = 0; i + 1 < kNf4.size(); ++i) {
    index += v > 0.5f * (kNf4[i] + kNf4[i + 1]) ? 1u : 0u;
  }
  return index;
}

const float kLeastStep = std::numeric_limits<float>::min();  // 2^-126

}  // namespace

NumberFormat::NumberFormat(NumberKind kind, int bits, Scheme scheme)
    : kind_(kind), bits_(bits), scheme_(scheme) {}

NumberFormat NumberFormat::integer(int bits, Scheme scheme) {
  if (bits < 2 || bits > 16) {
    throw_usage(fmt::format("--bits {}, expected 2 to 16", bits),
                "8 is the usual choice; a symmetric code needs at least -1, 0 and 1");
  }
  return {NumberKind::integer, bits, scheme};
}

const std::vector<std::string>& NumberFormat::names() {
  static const std::vector<std::string> words = {"int", "fp8-e4m3", "fp8-e5m2", "nf4", "mxfp4"};
  return words;
}

NumberFormat NumberFormat::parse(const std::string& name, int bits, Scheme scheme) {
  if (name == "int") return integer(bits, scheme);
  const auto& words = names();
  const auto found = std::find(words.begin(), words.end(), name);
  if (found == words.end()) {
    const std::string nearest = nearest_name(name, words);
    throw_usage(fmt::format("--number-format {}, expected {}", name, fmt::join(words, ", ")),
                nearest.empty() ? std::string() : fmt::format("did you mean {}?", nearest));
  }
  if (scheme == Scheme::affine) {
    throw_usage(fmt::format("--scheme affine with --number-format {}, expected symmetric", name),
                "only integers have a zero point");
  }
  if (name == "fp8-e4m3") return {NumberKind::fp8_e4m3, 8, scheme};
  if (name == "fp8-e5m2") return {NumberKind::fp8_e5m2, 8, scheme};
  if (name == "nf4") return {NumberKind::nf4, 4, scheme};
  return {NumberKind::mxfp4, 4, scheme};
}

std::string NumberFormat::name() const {
  switch (kind_) {
    case NumberKind::integer:
      return fmt::format("int{}{}", bits_, scheme_ == Scheme::affine ? "-affine" : "");
    case NumberKind::fp8_e4m3:
      return "fp8-e4m3";
    case NumberKind::fp8_e5m2:
      return "fp8-e5m2";
    case NumberKind::nf4:
      return "nf4";
    case NumberKind::mxfp4:
      break;
  }
  return "mxfp4";
}

std::int32_t NumberFormat::lowest_code() const {
  const bool negative = kind_ == NumberKind::integer && scheme_ == Scheme::symmetric;
  return negative ? -((1 << (bits_ - 1)) - 1) : 0;
}

std::int32_t NumberFormat::highest_code() const {
  const bool negative = kind_ == NumberKind::integer && scheme_ == Scheme::symmetric;
  return negative ? (1 << (bits_ - 1)) - 1 : (1 << bits_) - 1;
}

double NumberFormat::largest() const {
  switch (kind_) {
    case NumberKind::integer:
      return highest_code();
    case NumberKind::nf4:
      return 1;
    default:
      return static_cast<double>(small_float(kind_).largest);
  }
}

std::int32_t NumberFormat::intervals() const {
  if (kind_ == NumberKind::integer) return highest_code() - lowest_code();
  return static_cast<std::int32_t>(values().size()) - 1;
}

std::vector<float> NumberFormat::values() const {
  std::vector<float> all;
  if (kind_ == NumberKind::nf4) {
    all.assign(kNf4.begin(), kNf4.end());
  } else if (kind_ == NumberKind::integer) {
    for (std::int32_t code = lowest_code(); code <= highest_code(); ++code) {
      all.push_back(static_cast<float>(code));
    }
  } else {
    const SmallFloat spec = small_float(kind_);
    const std::int32_t half = 1 << (bits_ - 1);
    for (std::int32_t code = 0; code < half; ++code) {
      const float value = decode_small(code, spec, bits_);
      if (value > spec.largest) break;  // infinity and NaN
      all.push_back(value);
      if (value > 0) all.push_back(-value);
    }
    std::sort(all.begin(), all.end());
  }
  return all;
}

int NumberFormat::scale_bits() const {
  if (kind_ == NumberKind::mxfp4) return 8;
  if (scheme_ == Scheme::symmetric) return 32;
  return 32 + (bits_ <= 8 ? 8 : 16);
}

Scale NumberFormat::fit(const Range& range) const {
  Scale scale;
  double step = 0;
  double lo = 0;
  if (scheme_ == Scheme::affine) {
    lo = std::min(range.lo, 0.0);
    step = (std::max(range.hi, 0.0) - lo) / static_cast<double>(highest_code());
  } else if (kind_ == NumberKind::mxfp4) {
    const double magnitude = range.magnitude();
    if (magnitude > 0) step = std::ldexp(1.0, std::ilogb(magnitude) - 2);
  } else {
    step = range.magnitude() / largest();
  }
  XFQ_ASSERT(std::isfinite(step) && step >= 0);
  if (step > 0) {
    scale.step = std::max(static_cast<float>(step), kLeastStep);
    scale.inverse = 1.0f / scale.step;
  }
  if (scheme_ == Scheme::affine) {
    const double position = std::nearbyint(-lo / static_cast<double>(scale.step));
    scale.zero_point =
        static_cast<std::int32_t>(std::min(position, static_cast<double>(highest_code())));
  }
  return scale;
}

std::int32_t NumberFormat::quantize(float x, const Scale& scale) const {
  std::int32_t code = 0;
  quantize(1, &x, scale, &code);
  return code;
}

float NumberFormat::dequantize(std::int32_t code, const Scale& scale) const {
  float value = 0;
  dequantize(1, &code, scale, &value);
  return value;
}

float NumberFormat::fake_quantize(float x, const Scale& scale) const {
  float value = 0;
  fake_quantize(1, &x, scale, &value);
  return value;
}

bool NumberFormat::clips(float x, const Scale& scale) const {
  return count_clipped(1, &x, scale) > 0;
}

NumberFormat::Bounds NumberFormat::clip_bounds(const Scale& scale) const {
  // Half of the last interval beyond the last values.
  if (kind_ == NumberKind::integer) {
    return {static_cast<float>(lowest_code() - scale.zero_point) - 0.5f,
            static_cast<float>(highest_code() - scale.zero_point) + 0.5f};
  }
  if (kind_ == NumberKind::nf4) {
    return {1.5f * kNf4[0] - 0.5f * kNf4[1], 1.5f * kNf4[15] - 0.5f * kNf4[14]};
  }
  const SmallFloat spec = small_float(kind_);
  const float hi = spec.largest + std::ldexp(0.5f, std::ilogb(spec.largest) - spec.mantissa);
  return {-hi, hi};
}

std::int64_t NumberFormat::count_clipped(Index size, const float* x, const Scale& scale) const {
  const Bounds bounds = clip_bounds(scale);
  std::int64_t clipped = 0;
  for (Index i = 0; i < size; ++i) {
    const float v = x[i] * scale.inverse;
    clipped += static_cast<std::int64_t>(v > bounds.hi) + static_cast<std::int64_t>(v < bounds.lo);
  }
  return clipped;
}

void NumberFormat::mark_inside(Index size, const float* x, const Scale& scale,
                               float* inside) const {
  const Bounds bounds = clip_bounds(scale);
  for (Index i = 0; i < size; ++i) {
    const float v = x[i] * scale.inverse;
    inside[i] = v > bounds.hi || v < bounds.lo ? 0.0f : 1.0f;
  }
}

void NumberFormat::quantize(Index size, const float* x, const Scale& scale,
                            std::int32_t* codes) const {
  if (kind_ == NumberKind::integer) {
    const auto lo = static_cast<float>(lowest_code() - scale.zero_point);
    const auto hi = static_cast<float>(highest_code() - scale.zero_point);
    for (Index i = 0; i < size; ++i) {
      const float rounded = round_half_even(clamp(x[i] * scale.inverse, lo, hi));
      codes[i] = static_cast<std::int32_t>(rounded) + scale.zero_point;
    }
  } else if (kind_ == NumberKind::nf4) {
    for (Index i = 0; i < size; ++i) {
      codes[i] = static_cast<std::int32_t>(nearest_nf4(x[i] * scale.inverse));
    }
  } else {
    const SmallFloat spec = small_float(kind_);
    for (Index i = 0; i < size; ++i) {
      codes[i] = encode_small(round_small(x[i] * scale.inverse, spec), spec, bits_);
    }
  }
}

void NumberFormat::dequantize(Index size, const std::int32_t* codes, const Scale& scale,
                              float* y) const {
  if (kind_ == NumberKind::integer) {
    for (Index i = 0; i < size; ++i) {
      y[i] = static_cast<float>(codes[i] - scale.zero_point) * scale.step;
    }
  } else if (kind_ == NumberKind::nf4) {
    for (Index i = 0; i < size; ++i) {
      y[i] = kNf4[static_cast<std::size_t>(codes[i])] * scale.step;
    }
  } else {
    const SmallFloat spec = small_float(kind_);
    for (Index i = 0; i < size; ++i) y[i] = decode_small(codes[i], spec, bits_) * scale.step;
  }
}

void NumberFormat::fake_quantize(Index size, const float* x, const Scale& scale, float* y) const {
  // In place from here on, so that the compiler sees one array.
  if (x != y) std::copy(x, x + size, y);
  const float inverse = scale.inverse;
  const float step = scale.step;
  if (kind_ == NumberKind::integer) {
    const auto lo = static_cast<float>(lowest_code() - scale.zero_point);
    const auto hi = static_cast<float>(highest_code() - scale.zero_point);
    for (Index i = 0; i < size; ++i) {
      y[i] = round_half_even(clamp(y[i] * inverse, lo, hi)) * step;
    }
  } else if (kind_ == NumberKind::nf4) {
    for (Index i = 0; i < size; ++i) y[i] = kNf4[nearest_nf4(y[i] * inverse)] * step;
  } else {
    const SmallFloat spec = small_float(kind_);
    const float least_power = std::ldexp(1.0f, spec.lowest);
    const float factor = std::ldexp(1.0f, -spec.mantissa);
    for (Index i = 0; i < size; ++i) {
      y[i] = round_small(y[i] * inverse, spec, least_power, factor) * step;
    }
  }
}

Scheme parse_scheme(const std::string& word) {
  if (word == "symmetric") return Scheme::symmetric;
  if (word == "affine") return Scheme::affine;
  const std::string nearest = nearest_name(word, {"symmetric", "affine"});
  throw_usage(fmt::format("--scheme {}, expected symmetric or affine", word),
              nearest.empty() ? std::string() : fmt::format("did you mean {}?", nearest));
}

std::string to_string(Scheme scheme) {
  return scheme == Scheme::symmetric ? "symmetric" : "affine";
}

}  // namespace xfq::quant
