// What a network is compared with: fixed bases with the same number of parameters,
// fitted in closed form in double.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "targets.h"

namespace xfq::experiments::approx {

using Predictor = std::function<double(const double*)>;

/// Root mean square and largest absolute error over rows.
struct Errors {
  double l2 = 0;
  double sup = 0;
  double mse() const { return l2 * l2; }
};
Errors errors_of(const Predictor& predictor, const Samples& samples);
Errors errors_of(const std::vector<double>& predictions, const Samples& samples);

/// argmin over c of |A c - b|, A column by column [columns][rows], by Householder
/// reflections; a column that depends on those before it gets coefficient 0.
std::vector<double> least_squares(std::vector<std::vector<double>> columns, std::vector<double> b);

/// The features of a point, in a fixed number.
using Features = std::function<std::vector<double>(const double*)>;

/// Least squares on the samples.
Predictor fit_linear(const Features& features, const Samples& samples);

/// The same with `most`, a half, a quarter, ... of the features: as many as do best on a
/// fifth of the samples that is held out, then fitted on all. make(n) gives the first n.
Predictor fit_chosen(const std::function<Features(Index)>& make, Index most,
                     const Samples& samples);

// On an interval the target may be asked anywhere; each has `parameters` coefficients.
/// Polynomial through the Chebyshev points (of the first kind).
Predictor chebyshev(const Target& target, Index parameters);
/// Trigonometric polynomial of period hi - lo: 1, cos, sin, cos 2, ..., by the trapezoid rule.
Predictor fourier(const Target& target, Index parameters);
/// Piecewise linear through equally spaced knots.
Predictor spline(const Target& target, Index parameters);

// In any dimension, fitted on samples. More features begin with the same ones.
/// Monomials in increasing degree, lexicographic within one.
Features polynomial_features(Index dim, Index parameters);
/// relu(w x + b) and 1, drawn from (seed, "approx.random_relu").
Features random_relu_features(Index dim, Index parameters, std::uint64_t seed);
/// cos(w x + b) and 1 (Rahimi & Recht 2007), drawn from (seed, "approx.random_fourier").
Features random_fourier_features(Index dim, Index parameters, std::uint64_t seed);

struct Baseline {
  std::string name;  ///< chebyshev, fourier, spline, polynomial, random_relu, random_fourier
  Predictor predictor;
};

/// Every baseline that fits the target, with at most `parameters` coefficients; what is
/// fitted on samples has at most one for three of them.
std::vector<Baseline> baselines(const Target& target, const Samples& samples, Index parameters,
                                std::uint64_t seed);

}  // namespace xfq::experiments::approx
