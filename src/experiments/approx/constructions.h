// Networks whose weights are written down, not learned. Each is an ordinary Mlp with
// double parameters, and each has a closed form that it equals up to rounding.
//
// With I_m the piecewise linear interpolant of x^2 on [0, 1] with 2^m pieces:
//   interpolation  one hidden layer of N ReLUs = the interpolant of f with N pieces
//   steps          one hidden layer of N - 1 steep sigmoids = a staircase through the
//                  midpoints of N pieces (Cybenko 1989's picture)
//   square         m layers of 3 ReLUs = I_m, sup error exactly 2^(-2m-2) (Yarotsky 2017,
//                  proposition 2: x^2 = x - sum of sawtooths g_s / 4^s)
//   sawtooth       k layers of 2 ReLUs = the tent map k times, 2^k pieces (Telgarsky 2016)
//   product        m layers of 9 = 2 I_m((x + y) / 2) - I_m(x) / 2 - I_m(y) / 2
//   polynomial     (degree - 1) m layers: powers by repeated products, Horner's sum beside
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "xfq/models/mlp.h"

namespace xfq::experiments::approx {

struct Construction {
  std::string name;    ///< "square"
  std::string target;  ///< what it approximates: "x^2"
  Index size = 0;      ///< N, m or k
  models::MlpConfig config;
  Vector<double> parameters;
  /// What the network computes, without a network.
  std::function<double(const double*)> closed_form;
  /// What it approximates.
  std::function<double(const double*)> goal;
  /// The sup error over [0, 1] (or [0, 1]^2) is at most this; `tight`: it is this.
  double bound = 0;
  bool tight = false;

  Index inputs() const { return config.widths.front(); }
};

using Function1 = std::function<double(double)>;

/// f on [0, 1] with `pieces` pieces; `bound` is the caller's to know.
Construction interpolation_network(const Function1& f, Index pieces);
Construction step_network(const Function1& f, Index pieces);
Construction square_network(Index m);
Construction sawtooth_network(Index k);
Construction product_network(Index m);
/// coefficients[i] of x^i, at least up to x^2; values and powers on [0, 1].
Construction polynomial_network(const std::vector<double>& coefficients, Index m);

/// The names of --construction.
const std::vector<std::string>& construction_names();
/// The sizes of one kind that a run checks: x^2 for interpolation and steps, and
/// 1 - 2 x + 0.5 x^2 + x^3 - 0.4 x^4 for polynomial.
std::vector<Construction> constructions(const std::string& name);

/// What the network says at every row of x [rows, inputs].
std::vector<double> evaluate(const Construction& construction, const std::vector<double>& x);

/// The largest |network - closed form| and |network - goal| over a grid that holds
/// every knot and every midpoint between two.
struct ConstructionErrors {
  double closed_form = 0;
  double goal = 0;
};
ConstructionErrors check(const Construction& construction);

}  // namespace xfq::experiments::approx
