// Dual numbers: a value and its derivative along one direction, (v + d e) with e^2 = 0.
// Running a gradient computation on them gives the gradient and, exactly, its derivative
// along that direction: a Hessian-vector product (Pearlmutter 1994, "Fast exact
// multiplication by the Hessian"), forward over reverse, without a difference quotient.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <type_traits>

namespace xfq {

template <class S>
struct Dual {
  S value = 0;
  S slope = 0;  ///< derivative along the direction

  Dual() = default;
  Dual(S v) : value(v) {}  // NOLINT: numbers are constants
  Dual(S v, S d) : value(v), slope(d) {}
  /// Any other number; rounds like a conversion to S.
  template <class T, class = std::enable_if_t<std::is_arithmetic_v<T> && !std::is_same_v<T, S>>>
  Dual(T v) : value(static_cast<S>(v)) {}  // NOLINT

  /// The value without its slope.
  explicit operator double() const { return static_cast<double>(value); }

  Dual operator-() const { return {-value, -slope}; }
  Dual& operator+=(const Dual& o) { return *this = *this + o; }
  Dual& operator-=(const Dual& o) { return *this = *this - o; }
  Dual& operator*=(const Dual& o) { return *this = *this * o; }
  Dual& operator/=(const Dual& o) { return *this = *this / o; }

  friend Dual operator+(const Dual& a, const Dual& b) {
    return {a.value + b.value, a.slope + b.slope};
  }
  friend Dual operator-(const Dual& a, const Dual& b) {
    return {a.value - b.value, a.slope - b.slope};
  }
  friend Dual operator*(const Dual& a, const Dual& b) {
    return {a.value * b.value, a.slope * b.value + a.value * b.slope};
  }
  friend Dual operator/(const Dual& a, const Dual& b) {
    const S quotient = a.value / b.value;
    return {quotient, (a.slope - quotient * b.slope) / b.value};
  }
  // Comparisons look at the value alone.
  friend bool operator<(const Dual& a, const Dual& b) { return a.value < b.value; }
  friend bool operator>(const Dual& a, const Dual& b) { return a.value > b.value; }
  friend bool operator==(const Dual& a, const Dual& b) { return a.value == b.value; }
  friend bool operator!=(const Dual& a, const Dual& b) { return a.value != b.value; }

  friend Dual sqrt(const Dual& a) {
    const S root = std::sqrt(a.value);
    return {root, a.slope / (2 * root)};
  }
};

}  // namespace xfq

template <class S>
struct std::numeric_limits<xfq::Dual<S>> : std::numeric_limits<S> {};

template <class S>
struct Eigen::NumTraits<xfq::Dual<S>> : Eigen::GenericNumTraits<S> {
  using Real = xfq::Dual<S>;
  using NonInteger = xfq::Dual<S>;
  using Nested = xfq::Dual<S>;
  using Literal = xfq::Dual<S>;
  enum { RequireInitialization = 1, ReadCost = 2, AddCost = 2, MulCost = 4 };
};
