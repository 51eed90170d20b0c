// Number formats: which values a quantized tensor may take, at a scale.
//
//   int       b = 2..16 bits, code q, value (q - zero_point) * step
//             symmetric: q in -(2^(b-1)-1) .. 2^(b-1)-1, zero point 0. The code
//                        -2^(b-1) stays unused: -x has the code -q, and a product of two
//                        codes plus its neighbour fits where the processor adds pairs.
//             affine:    q in 0 .. 2^b-1; the range always includes 0, which has a code
//                        of its own, so that zeros stay zeros.
//   fp8-e4m3  8 bits, largest 448, no infinities (OCP 8-bit floating point, 2023)
//   fp8-e5m2  8 bits, largest 57344; the codes of infinity are not used: values saturate
//   nf4       16 values, the quantiles of a normal distribution, largest 1 (Dettmers et
//             al. 2023, "QLoRA", appendix E)
//   mxfp4     4-bit e2m1 floats {0, .5, 1, 1.5, 2, 3, 4, 6} whose scale is a power of two
//             shared by 32 values (OCP microscaling formats, 2023)
//
// Arithmetic, the same in fake quantization and in integer execution, so that
// their codes are equal: v = x * inverse in float, clamped, rounded half to even.
// `step` is a float, `inverse` is the float 1/step. NaN gets the lowest code.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xfq/core/matrix.h"

namespace xfq::quant {

enum class Scheme { symmetric, affine };
enum class NumberKind { integer, fp8_e4m3, fp8_e5m2, nf4, mxfp4 };

/// What a format is fitted to, in the unit of the data. Calibration returns it.
struct Range {
  double lo = 0;
  double hi = 0;
  /// The larger end: the clip threshold of a symmetric format.
  double magnitude() const { return hi > -lo ? hi : -lo; }
};

struct Scale {
  float step = 1;
  float inverse = 1;
  std::int32_t zero_point = 0;
};

class NumberFormat {
 public:
  /// 8-bit symmetric integers.
  NumberFormat() = default;
  /// Throws ErrorKind::usage naming --bits unless 2 <= bits <= 16.
  static NumberFormat integer(int bits, Scheme scheme = Scheme::symmetric);
  /// From option values: name "int" takes bits and scheme; the others have bits of
  /// their own and ignore `bits`. Throws ErrorKind::usage for an unknown name
  /// (--number-format), bits out of range (--bits), or affine floats (--scheme).
  static NumberFormat parse(const std::string& name, int bits = 8,
                            Scheme scheme = Scheme::symmetric);
  /// The words of --number-format.
  static const std::vector<std::string>& names();

  NumberKind kind() const { return kind_; }
  Scheme scheme() const { return scheme_; }
  int bits() const { return bits_; }
  /// "int8", "int4-affine", "fp8-e4m3", ...
  std::string name() const;

  /// Codes run over lowest_code()..highest_code(). Of a float format the code is the
  /// bit pattern (sign, exponent, mantissa), of nf4 the index in the table.
  std::int32_t lowest_code() const;
  std::int32_t highest_code() const;
  /// Largest magnitude at step 1: 2^(b-1)-1, 448, 57344, 1, 6; affine: 2^b-1.
  double largest() const;
  /// Intervals between neighbouring values over the whole range: 2^b-2 symmetric,
  /// 2^b-1 affine; of the float formats the number of values minus 1.
  std::int32_t intervals() const;
  /// All different values at step 1 and zero point 0, ascending.
  std::vector<float> values() const;
  /// Bits that one scale takes in a file: 32, and 8 or 16 more for the zero point of
  /// an affine format; 8 for mxfp4.
  int scale_bits() const;

  /// The scale at which the range is covered. Symmetric and float formats take its
  /// magnitude T: step = T / largest() (mxfp4: 2^(floor(log2 T) - 2), so that up to a
  /// quarter of the range may saturate). Affine: [lo, hi] is widened to include 0,
  /// step = (hi - lo) / (2^b - 1). A range of no width has step 1. Steps are never
  /// below 2^-126, so that the inverse is finite. Ends must be finite.
  Scale fit(const Range& range) const;

  std::int32_t quantize(float x, const Scale& scale) const;
  float dequantize(std::int32_t code, const Scale& scale) const;
  /// dequantize(quantize(x)), to the bit.
  float fake_quantize(float x, const Scale& scale) const;
  /// True when x lies beyond the last value by more than half of the last interval.
  bool clips(float x, const Scale& scale) const;

  // The same over arrays; y may be x.
  void quantize(Index size, const float* x, const Scale& scale, std::int32_t* codes) const;
  void dequantize(Index size, const std::int32_t* codes, const Scale& scale, float* y) const;
  void fake_quantize(Index size, const float* x, const Scale& scale, float* y) const;
  /// inside[i] = 0 where x[i] clips, 1 elsewhere.
  void mark_inside(Index size, const float* x, const Scale& scale, float* inside) const;
  /// How many of them clip.
  std::int64_t count_clipped(Index size, const float* x, const Scale& scale) const;

 private:
  NumberFormat(NumberKind kind, int bits, Scheme scheme);

  /// Beyond these, in steps, a value clips.
  struct Bounds {
    float lo, hi;
  };
  Bounds clip_bounds(const Scale& scale) const;

  NumberKind kind_ = NumberKind::integer;
  int bits_ = 8;
  Scheme scheme_ = Scheme::symmetric;
};

/// "symmetric" | "affine"; throws ErrorKind::usage naming --scheme.
Scheme parse_scheme(const std::string& word);
std::string to_string(Scheme scheme);

}  // namespace xfq::quant
