// What b bits can do at best, for a density of known shape: the lines to draw beside a
// measured signal-to-quantization-noise ratio (SQNR, dB).
//
//   six_db_per_bit   6.02 b: the rate-distortion bound of a normal density
//   rate_distortion  Shannon's lower bound on the error at rate b, D >= 2^(2h - 2b) / (2 pi e)
//                    with h the differential entropy in bits (Cover & Thomas, eq. 13.160); for a
//                    normal density the same line as above. No code of any kind can be better.
//   lloyd_max        the best 2^b values for one number at a time (Lloyd 1957, Max 1960)
//   panter_dite      its limit for many values, D = (int p^(1/3))^3 / (12 * 4^b)
//                    (Panter & Dite 1951; Bennett 1948)
// The distance from lloyd_max to a measured value is what uniform steps and the choice of range
// cost; from rate_distortion to lloyd_max what coding one value at a time costs.
#pragma once

#include <optional>
#include <string>

#include "xfq/quant/observer.h"

namespace xfq::quant {

/// A symmetric density of unit variance. Where a t density has 2 degrees of freedom or fewer, which
/// has no variance, or more than 300, the functions below throw ErrorKind::run.
struct Density {
  enum class Family { normal, laplace, student };
  Family family = Family::normal;
  double freedom = 0;  ///< degrees of freedom, student only

  static Density normal() { return {Family::normal, 0}; }
  static Density laplace() { return {Family::laplace, 0}; }
  static Density student(double freedom) { return {Family::student, freedom}; }
};

/// "normal", "laplace", "student:4.4"
std::string to_string(const Density& density);

/// By excess kurtosis k: below 1.5 normal (whose k is 0), from 1.5 to 4.5 Laplace (3), beyond
/// Student's t with 4 + 6 / k degrees of freedom, whose k it is.
Density fit_density(double excess_kurtosis);

/// 20 log10(2) b.
double six_db_per_bit_db(double bits);
double rate_distortion_db(const Density& density, double bits);
double panter_dite_db(const Density& density, double bits);
/// 1 <= bits <= 16. Beyond 8 bits panter_dite_db(): at 8 it is 0.04 dB off for normal and Laplace
/// densities, 0.10 for the heaviest tail that fit_density() gives, and half of that per bit.
double lloyd_max_db(const Density& density, int bits);

}  // namespace xfq::quant
