// Functions to approximate: named ones, and the rows of a file.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "xfq/core/matrix.h"

namespace xfq::experiments::approx {

/// Rows of inputs and one output each.
struct Samples {
  Index dim = 0;
  Index rows = 0;
  std::vector<double> x;  ///< [rows, dim]
  std::vector<double> y;  ///< [rows]

  const double* row(Index r) const { return x.data() + r * dim; }
};

/// The first `rows` of them, or all.
Samples first_rows(const Samples& samples, Index rows);

/// Where inputs come from: uniform on a box [lo, hi]^dim, or standard normal.
enum class Domain { box, normal };

struct Target {
  std::string name;
  Index dim = 1;
  Domain domain = Domain::box;
  double lo = -1;
  double hi = 1;
  std::function<double(const double*)> value;
  /// A file's rows; then there is no `value`, and nothing but these rows is known.
  Samples file;

  bool from_file() const { return file.rows > 0; }
  /// May be asked at any point of an interval: what interpolation on nodes needs.
  bool interval() const { return dim == 1 && domain == Domain::box && !from_file(); }
};

/// sine, runge, step, sawtooth:K, weierstrass, square, product, ball:D, barron:D,
/// single-index:D, xor, spiral; README.md has the formulas. barron and single-index draw
/// their directions from (seed, "approx.target." + name). Throws ErrorKind::usage.
Target make_target(const std::string& name, std::uint64_t seed);

/// The columns of a CSV file, x first and y last, one row a line; a first line that
/// holds no numbers is a heading. Throws ErrorKind::input.
Target read_target_file(const std::string& path);

/// Rows to train on: drawn from (seed, "approx.samples." + name), or four fifths of a file.
Samples training_samples(const Target& target, std::uint64_t seed, Index rows);
/// Rows to judge on, never trained on: a grid of cell midpoints in one dimension (2048)
/// and two (64 x 64), else 4096 draws of their own; or the last fifth of a file.
Samples judging_samples(const Target& target, std::uint64_t seed);

}  // namespace xfq::experiments::approx
