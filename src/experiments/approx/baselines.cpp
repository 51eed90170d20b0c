#include "baselines.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "xfq/core/error.h"
#include "xfq/core/random.h"

namespace xfq::experiments::approx {

namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kDependent = 1e-11;
// Least squares over more rows than this many, or than four a coefficient, gains little.
constexpr Index kEnoughRows = 1024;

std::size_t size_of(Index n) { return static_cast<std::size_t>(n); }

// Four partial sums in a fixed order: the same bits in every build.
double dot_from(std::size_t begin, const std::vector<double>& a, const std::vector<double>& b) {
  double s[4] = {0, 0, 0, 0};
  std::size_t i = begin;
  for (; i + 4 <= a.size(); i += 4) {
    for (std::size_t j = 0; j < 4; ++j) s[j] += a[i + j] * b[i + j];
  }
  for (; i < a.size(); ++i) s[0] += a[i] * b[i];
  return (s[0] + s[2]) + (s[1] + s[3]);
}

/// x [dim] onto [-1, 1] of an interval target.
double unit(const Target& target, double x) {
  return (2 * x - target.lo - target.hi) / (target.hi - target.lo);
}

}  // namespace

Errors errors_of(const std::vector<double>& predictions, const Samples& samples) {
  XFQ_ASSERT(predictions.size() == samples.y.size());
  Errors errors;
  double sum = 0;
  for (std::size_t r = 0; r < predictions.size(); ++r) {
    const double error = std::abs(predictions[r] - samples.y[r]);
    sum += error * error;
    errors.sup = std::max(errors.sup, error);
  }
  errors.l2 = std::sqrt(sum / static_cast<double>(samples.rows));
  return errors;
}

Errors errors_of(const Predictor& predictor, const Samples& samples) {
  std::vector<double> predictions;
  for (Index r = 0; r < samples.rows; ++r) predictions.push_back(predictor(samples.row(r)));
  return errors_of(predictions, samples);
}

std::vector<double> least_squares(std::vector<std::vector<double>> columns, std::vector<double> b) {
  const std::size_t p = columns.size();
  // Row r of the triangle belongs to the r-th independent column.
  std::vector<std::size_t> pivots;
  std::vector<double> diagonal;
  for (std::size_t k = 0; k < p && pivots.size() < b.size(); ++k) {
    std::vector<double>& v = columns[k];
    const std::size_t row = pivots.size();
    const double total = std::sqrt(dot_from(0, v, v));
    const double norm = std::sqrt(dot_from(row, v, v));
    if (norm <= kDependent * total) continue;
    const double alpha = v[row] > 0 ? -norm : norm;
    v[row] -= alpha;
    const double squares = dot_from(row, v, v);
    const auto reflect = [&](std::vector<double>& u) {
      const double factor = 2 * dot_from(row, v, u) / squares;
      for (std::size_t i = row; i < u.size(); ++i) u[i] -= factor * v[i];
    };
    for (std::size_t j = k + 1; j < p; ++j) reflect(columns[j]);
    reflect(b);
    pivots.push_back(k);
    diagonal.push_back(alpha);
  }
  std::vector<double> c(p, 0.0);
  for (std::size_t r = pivots.size(); r-- > 0;) {
    double sum = b[r];
    for (std::size_t s = r + 1; s < pivots.size(); ++s) sum -= columns[pivots[s]][r] * c[pivots[s]];
    c[pivots[r]] = sum / diagonal[r];
  }
  return c;
}

Predictor fit_linear(const Features& features, const Samples& samples) {
  std::vector<std::vector<double>> columns;
  for (Index r = 0; r < samples.rows; ++r) {
    const std::vector<double> f = features(samples.row(r));
    columns.resize(f.size(), std::vector<double>(size_of(samples.rows)));
    for (std::size_t k = 0; k < f.size(); ++k) columns[k][size_of(r)] = f[k];
  }
  const auto c =
      std::make_shared<std::vector<double>>(least_squares(std::move(columns), samples.y));
  return [features, c](const double* x) {
    const std::vector<double> f = features(x);
    double sum = 0;
    for (std::size_t k = 0; k < f.size(); ++k) sum += (*c)[k] * f[k];
    return sum;
  };
}

Predictor fit_chosen(const std::function<Features(Index)>& make, Index most,
                     const Samples& samples) {
  const Index split = samples.rows - samples.rows / 5;
  const Samples fitted = first_rows(samples, split);
  Samples held_out;
  held_out.dim = samples.dim;
  held_out.rows = samples.rows - split;
  held_out.x.assign(samples.x.begin() + split * samples.dim, samples.x.end());
  held_out.y.assign(samples.y.begin() + split, samples.y.end());
  Index chosen = most;
  double lowest = std::numeric_limits<double>::infinity();
  for (Index n = most; n >= 1; n /= 2) {
    const double mse = errors_of(fit_linear(make(n), fitted), held_out).mse();
    if (mse < lowest) {
      lowest = mse;
      chosen = n;
    }
  }
  return fit_linear(make(chosen), samples);
}

Predictor chebyshev(const Target& target, Index parameters) {
  const std::size_t n = size_of(parameters);
  std::vector<double> values;
  for (std::size_t j = 0; j < n; ++j) {
    const double node = std::cos(kPi * (static_cast<double>(j) + 0.5) / static_cast<double>(n));
    const double x = 0.5 * (target.lo + target.hi) + 0.5 * (target.hi - target.lo) * node;
    values.push_back(target.value(&x));
  }
  auto c = std::make_shared<std::vector<double>>(n, 0.0);
  for (std::size_t k = 0; k < n; ++k) {
    for (std::size_t j = 0; j < n; ++j) {
      (*c)[k] += values[j] * std::cos(kPi * static_cast<double>(k) *
                                      (static_cast<double>(j) + 0.5) / static_cast<double>(n));
    }
    (*c)[k] *= (k == 0 ? 1.0 : 2.0) / static_cast<double>(n);
  }
  return [target, c](const double* x) {  // Clenshaw's recurrence
    const double u = unit(target, *x);
    double b1 = 0, b2 = 0;
    for (std::size_t k = c->size(); k-- > 1;) {
      const double b0 = 2 * u * b1 - b2 + (*c)[k];
      b2 = b1;
      b1 = b0;
    }
    return u * b1 - b2 + (*c)[0];
  };
}

Predictor fourier(const Target& target, Index parameters) {
  // As many points as keep every term below half their number.
  const std::size_t n = size_of(4 * parameters);
  std::vector<double> values;
  for (std::size_t j = 0; j < n; ++j) {
    const double x = target.lo + (target.hi - target.lo) * (static_cast<double>(j) + 0.5) /
                                     static_cast<double>(n);
    values.push_back(target.value(&x));
  }
  const auto term = [](std::size_t k, double turn) {
    const double angle = 2 * kPi * static_cast<double>((k + 1) / 2) * turn;
    return k % 2 == 0 ? std::cos(angle) : std::sin(angle);
  };
  auto c = std::make_shared<std::vector<double>>(size_of(parameters), 0.0);
  for (std::size_t k = 0; k < c->size(); ++k) {
    for (std::size_t j = 0; j < n; ++j) {
      (*c)[k] += values[j] * term(k, (static_cast<double>(j) + 0.5) / static_cast<double>(n));
    }
    (*c)[k] *= (k == 0 ? 1.0 : 2.0) / static_cast<double>(n);
  }
  return [target, c, term](const double* x) {
    const double turn = (*x - target.lo) / (target.hi - target.lo);
    double sum = 0;
    for (std::size_t k = 0; k < c->size(); ++k) sum += (*c)[k] * term(k, turn);
    return sum;
  };
}

Predictor spline(const Target& target, Index parameters) {
  auto values = std::make_shared<std::vector<double>>();
  for (Index j = 0; j < parameters; ++j) {
    const double x = parameters == 1
                         ? 0.5 * (target.lo + target.hi)
                         : target.lo + (target.hi - target.lo) * static_cast<double>(j) /
                                           static_cast<double>(parameters - 1);
    values->push_back(target.value(&x));
  }
  return [target, values](const double* x) {
    if (values->size() == 1) return values->front();
    const double last = static_cast<double>(values->size() - 1);
    const double place = std::clamp((*x - target.lo) / (target.hi - target.lo) * last, 0.0, last);
    const std::size_t j = std::min(static_cast<std::size_t>(place), values->size() - 2);
    const double part = place - static_cast<double>(j);
    return (1 - part) * (*values)[j] + part * (*values)[j + 1];
  };
}

Features polynomial_features(Index dim, Index parameters) {
  // A monomial is an earlier one times one variable that is not before its last.
  struct Step {
    std::size_t from;
    Index variable;
  };
  auto steps = std::make_shared<std::vector<Step>>();
  std::vector<Index> last = {0};  // of monomial 0, the constant
  std::size_t degree_begin = 0;
  while (last.size() < size_of(parameters)) {
    const std::size_t degree_end = last.size();
    for (std::size_t m = degree_begin; m < degree_end; ++m) {
      for (Index v = last[m]; v < dim && last.size() < size_of(parameters); ++v) {
        steps->push_back({m, v});
        last.push_back(v);
      }
    }
    degree_begin = degree_end;
  }
  return [steps](const double* x) {
    std::vector<double> f = {1.0};
    f.reserve(steps->size() + 1);
    for (const Step& step : *steps) f.push_back(f[step.from] * x[step.variable]);
    return f;
  };
}

namespace {

template <class Activation>
Features random_features(Index dim, Index parameters, Stream stream, double bias_range,
                         Activation activation) {
  // Per feature dim weights and a bias.
  auto w = std::make_shared<std::vector<double>>();
  for (Index k = 1; k < parameters; ++k) {
    for (Index d = 0; d < dim; ++d) w->push_back(stream.normal());
    w->push_back(bias_range * (2 * stream.uniform() - 1));
  }
  return [w, dim, activation](const double* x) {
    std::vector<double> f = {1.0};
    for (std::size_t i = 0; i < w->size();) {
      double sum = 0;
      for (Index d = 0; d < dim; ++d) sum += (*w)[i++] * x[d];
      f.push_back(activation(sum + (*w)[i++]));
    }
    return f;
  };
}

}  // namespace

Features random_relu_features(Index dim, Index parameters, std::uint64_t seed) {
  return random_features(dim, parameters, Stream(seed, "approx.random_relu"),
                         std::sqrt(static_cast<double>(dim)),
                         [](double x) { return std::max(x, 0.0); });
}

Features random_fourier_features(Index dim, Index parameters, std::uint64_t seed) {
  return random_features(dim, parameters, Stream(seed, "approx.random_fourier"), kPi,
                         [](double x) { return std::cos(x); });
}

std::vector<Baseline> baselines(const Target& target, const Samples& samples, Index parameters,
                                std::uint64_t seed) {
  std::vector<Baseline> all;
  const Index most = std::max<Index>(1, std::min(parameters, samples.rows / 3));
  const Samples some = first_rows(samples, std::max(kEnoughRows, 4 * most));
  const auto add = [&](const char* name, const std::function<Features(Index)>& make) {
    all.push_back({name, fit_chosen(make, most, some)});
  };
  if (target.interval()) {
    all.push_back({"chebyshev", chebyshev(target, parameters)});
    all.push_back({"fourier", fourier(target, parameters)});
    all.push_back({"spline", spline(target, parameters)});
  } else {
    add("polynomial", [&](Index n) { return polynomial_features(target.dim, n); });
  }
  add("random_relu", [&](Index n) { return random_relu_features(target.dim, n, seed); });
  add("random_fourier", [&](Index n) { return random_fourier_features(target.dim, n, seed); });
  return all;
}

}  // namespace xfq::experiments::approx
