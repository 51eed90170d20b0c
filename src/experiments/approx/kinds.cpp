#include "kinds.h"

#include <algorithm>
#include <cmath>

#include "xfq/core/random.h"

namespace xfq::experiments::approx {

namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kNoise = 0.3;
constexpr Index kJudgingRows = 2048;

constexpr Index kColumns = 10;
constexpr Index kTokens = 12;
constexpr Index kAlphabet = 4;
constexpr Index kSide = 8;
constexpr double kPixelNoise = 0.05;

/// Scales the outputs to mean 0 and variance 1 and adds the noise.
void finish(Samples& training, Samples& judging, Stream& stream) {
  double sum = 0, squares = 0;
  for (const double y : training.y) {
    sum += y;
    squares += y * y;
  }
  const double n = static_cast<double>(training.rows);
  const double mean = sum / n;
  const double spread = std::sqrt(squares / n - mean * mean);
  for (Samples* samples : {&training, &judging}) {
    for (double& y : samples->y) y = (y - mean) / spread + kNoise * stream.normal();
  }
}

template <class Draw>
Kind make_kind(const std::string& name, Index dim, Index rows, Stream& stream, const Draw& draw) {
  Kind kind;
  kind.name = name;
  for (auto [samples, count] : {std::pair{&kind.training, rows}, {&kind.judging, kJudgingRows}}) {
    samples->dim = dim;
    samples->rows = count;
    for (Index r = 0; r < count; ++r) samples->y.push_back(draw(samples->x));
  }
  finish(kind.training, kind.judging, stream);
  return kind;
}

Index terms(Index dim, Index degree) {
  Index count = 1;  // (dim + degree) over degree
  for (Index i = 1; i <= degree; ++i) count = count * (dim + i) / i;
  return count;
}

Features linear_features(Index dim) { return polynomial_features(dim, dim + 1); }

Kind tabular(std::uint64_t seed, Index rows) {
  Stream stream(seed, "approx.tabular");
  Kind kind = make_kind("tabular", kColumns, rows, stream, [&](std::vector<double>& x) {
    double u[kColumns];
    for (double& value : u) {
      value = stream.uniform();
      x.push_back((value - 0.5) * std::sqrt(12.0));
    }
    return 10 * std::sin(kPi * u[0] * u[1]) + 20 * (u[2] - 0.5) * (u[2] - 0.5) + 10 * u[3] +
           5 * u[4];
  });
  kind.specialists = {{"linear", linear_features(kColumns)},
                      {"degree_2", polynomial_features(kColumns, terms(kColumns, 2))},
                      {"degree_3", polynomial_features(kColumns, terms(kColumns, 3))}};
  return kind;
}

Kind sequence(std::uint64_t seed, Index rows) {
  Stream stream(seed, "approx.sequence");
  std::vector<double> scores;
  for (Index i = 0; i < kAlphabet * kAlphabet; ++i) scores.push_back(stream.normal());
  const Index dim = kTokens * kAlphabet;
  // One-hot, scaled: a share of 1/4 of ones has a standard deviation of sqrt(3) / 4.
  const double on = 0.75 * 4 / std::sqrt(3.0), off = -0.25 * 4 / std::sqrt(3.0);
  Kind kind = make_kind("sequence", dim, rows, stream, [&](std::vector<double>& x) {
    double y = 0;
    Index before = -1;
    for (Index t = 0; t < kTokens; ++t) {
      const Index token = static_cast<Index>(stream.below(kAlphabet));
      for (Index a = 0; a < kAlphabet; ++a) x.push_back(a == token ? on : off);
      if (before >= 0) y += scores[static_cast<std::size_t>(before * kAlphabet + token)];
      before = token;
    }
    return y;
  });
  const Features pairs = [](const double* x) {
    std::vector<double> f(1 + kAlphabet * kAlphabet, 0.0);
    f[0] = 1;
    Index before = -1;
    for (Index t = 0; t < kTokens; ++t) {
      const double* token = x + t * kAlphabet;
      const Index now = std::max_element(token, token + kAlphabet) - token;
      if (before >= 0) f[static_cast<std::size_t>(1 + before * kAlphabet + now)] += 1;
      before = now;
    }
    return f;
  };
  kind.specialists = {{"token_weights", linear_features(dim)}, {"pair_counts", pairs}};
  return kind;
}

Kind grid(std::uint64_t seed, Index rows) {
  Stream stream(seed, "approx.grid");
  const double centre = 0.5 * (kSide - 1);
  Kind kind = make_kind("grid", kSide * kSide, rows, stream, [&](std::vector<double>& x) {
    const double row = 1 + (kSide - 3) * stream.uniform();
    const double column = 1 + (kSide - 3) * stream.uniform();
    const double width = 0.8 + 0.4 * stream.uniform();
    for (Index i = 0; i < kSide; ++i) {
      for (Index j = 0; j < kSide; ++j) {
        const double di = static_cast<double>(i) - row, dj = static_cast<double>(j) - column;
        const double value = std::exp(-(di * di + dj * dj) / (2 * width * width));
        x.push_back((value + kPixelNoise * stream.normal() - 0.1) * 4);
      }
    }
    return std::hypot(row - centre, column - centre);
  });
  const Features moments = [centre](const double* x) {
    double mass = 0, rows_1 = 0, columns_1 = 0, squares = 0;
    for (Index i = 0; i < kSide; ++i) {
      for (Index j = 0; j < kSide; ++j) {
        const double value = x[i * kSide + j] / 4 + 0.1;
        const double di = static_cast<double>(i) - centre, dj = static_cast<double>(j) - centre;
        mass += value;
        rows_1 += di * value;
        columns_1 += dj * value;
        squares += (di * di + dj * dj) * value;
      }
    }
    const double safe = std::max(mass, 0.5);
    const double distance = std::hypot(rows_1, columns_1) / safe;
    return std::vector<double>{1,
                               mass,
                               distance,
                               distance * distance,
                               squares / safe,
                               std::sqrt(std::max(squares / safe, 0.0))};
  };
  kind.specialists = {{"linear", linear_features(kSide * kSide)}, {"moments", moments}};
  return kind;
}

}  // namespace

std::vector<Kind> kinds(std::uint64_t seed, Index training_rows) {
  return {tabular(seed, training_rows), sequence(seed, training_rows), grid(seed, training_rows)};
}

}  // namespace xfq::experiments::approx
