// Part nonlinearity: what layers are without a non-linear activation, and with one
// that is a polynomial.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "../numbers.h"
#include "baselines.h"
#include "claims.h"
#include "fit.h"
#include "parts.h"
#include "xfq/core/random.h"

namespace xfq::experiments::approx {

namespace {

using models::MlpActivation;

constexpr Index kLinearRows = 256;
constexpr Index kLinearInputs = 5;
constexpr Index kLinearWidth = 8;
constexpr Index kLinearDepths[] = {1, 3};
constexpr Index kWidth = 16;
constexpr const char* kTarget = "sine";

struct Shape {
  std::string activation;
  Index depth;

  std::string id() const { return fmt::format("{}.{}", activation, depth); }
};

/// Every polynomial network of degree 4 at most.
const std::vector<Shape>& polynomial_shapes() {
  static const std::vector<Shape> shapes = {{"square", 1}, {"square", 2}, {"cube", 1}};
  return shapes;
}

std::int64_t degree_of(const Shape& shape) {
  const Index k = models::polynomial_degree(models::parse_mlp_activation(shape.activation));
  std::int64_t degree = 1;
  for (Index l = 0; l < shape.depth; ++l) degree *= k;
  return degree;
}

std::int64_t largest_degree() {
  std::int64_t largest = 0;
  for (const Shape& shape : polynomial_shapes()) largest = std::max(largest, degree_of(shape));
  return largest;
}

/// Partly linear, partly not, with noise: least squares leaves a loss.
Samples linear_samples(std::uint64_t seed) {
  Stream stream(seed, "approx.linear");
  std::vector<double> w;
  for (Index d = 0; d < kLinearInputs; ++d) w.push_back(stream.normal());
  Samples samples;
  samples.dim = kLinearInputs;
  samples.rows = kLinearRows;
  for (Index r = 0; r < kLinearRows; ++r) {
    double y = 0.5 + 0.1 * stream.normal();
    for (const double weight : w) {
      // What the float network sees, so that both sides fit the same numbers.
      const double x = static_cast<double>(static_cast<float>(stream.normal()));
      samples.x.push_back(x);
      y += weight * x;
    }
    y += 0.5 * std::sin(3 * samples.row(r)[0]);
    samples.y.push_back(static_cast<double>(static_cast<float>(y)));
  }
  return samples;
}

/// 1, x_1, ..., x_d.
Features affine_features(Index dim) { return polynomial_features(dim, dim + 1); }

/// Chebyshev polynomials of degree 0..degree on [-1, 1].
Features chebyshev_features(std::int64_t degree) {
  return [degree](const double* x) {
    std::vector<double> f = {1.0, *x};
    for (std::int64_t d = 2; d <= degree; ++d) {
      f.push_back(2 * *x * f[f.size() - 1] - f[f.size() - 2]);
    }
    f.resize(static_cast<std::size_t>(degree) + 1);
    return f;
  };
}

/// The network's outputs in double; its weights stay those that float training found.
std::vector<double> exact_predictions(const Fit& fit, const Samples& samples) {
  const Vector<double> parameters = fit.parameters.cast<double>();
  auto workspace = fit.mlp.make_workspace<double>(samples.rows);
  fit.mlp.forward(parameters.data(), samples.rows, samples.x.data(), workspace);
  return {workspace.output.data(), workspace.output.data() + samples.rows};
}

double mean_square(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value * value;
  return sum / static_cast<double>(values.size());
}

class Nonlinearity : public Part {
 public:
  explicit Nonlinearity(const Options& options) : options_(options) {
    for (const std::string& activation : options.activation) {
      for (const Index depth : {1, 2}) free_.push_back({activation, depth});
    }
  }

  std::string name() const override { return "nonlinearity"; }

  std::vector<Job> jobs(std::uint64_t seed) const override {
    std::vector<Job> jobs;
    const std::string what = fmt::format("nonlinearity, seed {}", seed);
    jobs.push_back({what + ", linear",
                    fmt::format("nonlinearity linear seed {} {}", seed, linear_recipe(1).text()),
                    [this, seed](Monitor& monitor) { return linear_job(seed, monitor); }});
    for (const auto* shapes : {&polynomial_shapes(), &free_}) {
      for (const Shape& shape : *shapes) {
        jobs.push_back(
            {fmt::format("{}, {}", what, shape.id()),
             fmt::format("nonlinearity seed {} samples {} {}", seed, options_.samples,
                         recipe(shape).text()),
             [this, seed, shape](Monitor& monitor) { return shape_job(seed, shape, monitor); }});
      }
    }
    return jobs;
  }

  Text fill(const std::vector<SeedNumbers>& seeds, Monitor&, Record& record) const override {
    Table table{"nonlinearity",
                {"activation", "depth", "seed", "parameters", "degree", "mse", "polynomial_mse",
                 "beyond_degree"},
                {}};
    NonlinearityNumbers numbers;
    for (const SeedNumbers& seed : seeds) {
      double excess = 0, beyond = 0, gain = 1e300;
      for (const Index depth : kLinearDepths) {
        const double here = seed.at(fmt::format("linear.{}.excess", depth));
        if (std::abs(here) > std::abs(excess)) excess = here;
        table.rows.push_back(
            {std::string("identity"), static_cast<std::int64_t>(depth),
             static_cast<std::int64_t>(seed.seed),
             static_cast<std::int64_t>(parameter_count(linear_recipe(depth).hidden, kLinearInputs)),
             1.0, seed.at(fmt::format("linear.{}.mse", depth)), seed.at("linear.ols_mse"),
             cell({})});
      }
      const double floor = seed.at(fmt::format("polynomial.{}.mse", largest_degree()));
      for (const Shape& shape : polynomial_shapes()) {
        beyond = std::max(beyond, seed.at(shape.id() + ".beyond_degree"));
        table.rows.push_back(row(seed, shape,
                                 seed.at(fmt::format("polynomial.{}.mse", degree_of(shape))),
                                 seed.at(shape.id() + ".beyond_degree")));
      }
      for (const Shape& shape : free_) {
        const double mse = seed.at(shape.id() + ".mse");
        if (shape.depth == 2) gain = std::min(gain, std::log2(floor / mse));
        table.rows.push_back(row(seed, shape, floor, {}));
      }
      numbers.excess_over_ols.push_back(excess);
      numbers.beyond_degree.push_back(beyond);
      numbers.gain_over_polynomial.push_back(gain);
    }
    add_metric("nonlinearity.excess_over_ols", "share", Better::none, numbers.excess_over_ols,
               record);
    add_metric("nonlinearity.coefficient_difference", "", Better::none,
               over(seeds, "linear.coefficient_difference"), record);
    for (const auto* shapes : {&polynomial_shapes(), &free_}) {
      for (const Shape& shape : *shapes) {
        add_metric(fmt::format("nonlinearity.{}.mse", shape.id()), "", Better::lower,
                   over(seeds, shape.id() + ".mse"), record);
      }
    }
    record.tables.push_back(std::move(table));
    record.claims.push_back(nonlinearity_needed(numbers));
    const stats::Estimate gain = stats::mean_t(numbers.gain_over_polynomial);
    return paragraph(
        {phrase("Without a non-linear activation depth adds nothing: deep linear networks end "
                "within {:.1g} of the loss of least squares.",
                {std::max(1e-12, largest(numbers.excess_over_ols))}),
         phrase("With a polynomial activation the network is a polynomial of bounded degree (at "
                "most {} here); on a sine the worst of {} lowers the error of the best such "
                "polynomial by a factor of 2 to the power {}.",
                {largest_degree(), activation_list(), with_interval(gain, "{:.1f}")})});
  }

 private:
  static double largest(const std::vector<double>& values) {
    double worst = 0;
    for (const double value : values) worst = std::max(worst, std::abs(value));
    return worst;
  }

  Text activation_list() const {
    std::vector<Text> names;
    for (const std::string& name : options_.activation) names.push_back(Text::verbatim(name));
    return listing(names);
  }

  /// `beyond` for polynomial activations only, which have a degree.
  std::vector<Value> row(const SeedNumbers& seed, const Shape& shape, double polynomial_mse,
                         const std::optional<double>& beyond) const {
    std::optional<double> degree;
    if (beyond) degree = static_cast<double>(degree_of(shape));
    return {shape.activation,
            static_cast<std::int64_t>(shape.depth),
            static_cast<std::int64_t>(seed.seed),
            static_cast<std::int64_t>(parameter_count(recipe(shape).hidden, 1)),
            cell(degree),
            seed.at(shape.id() + ".mse"),
            polynomial_mse,
            cell(beyond)};
  }

  Recipe linear_recipe(Index depth) const {
    return {std::vector<Index>(static_cast<std::size_t>(depth), kLinearWidth),
            MlpActivation::identity,
            2 * options_.steps,
            kLinearRows,
            options_.lr,
            0};
  }

  Recipe recipe(const Shape& shape) const {
    return {std::vector<Index>(static_cast<std::size_t>(shape.depth), kWidth),
            models::parse_mlp_activation(shape.activation),
            options_.steps,
            options_.batch_size,
            options_.lr,
            0};
  }

  Numbers linear_job(std::uint64_t seed, Monitor& monitor) const {
    const Samples samples = linear_samples(seed);
    const Errors ols = errors_of(fit_linear(affine_features(kLinearInputs), samples), samples);
    Numbers numbers;
    numbers["linear.ols_mse"] = ols.mse();
    double difference = 0;
    for (const Index depth : kLinearDepths) {
      const Fit trained = fit(linear_recipe(depth), samples, seed, monitor,
                              fmt::format("linear {}, seed {}", depth, seed), numbers);
      const std::vector<double> predictions = exact_predictions(trained, samples);
      const double mse = errors_of(predictions, samples).mse();
      numbers[fmt::format("linear.{}.mse", depth)] = mse;
      numbers[fmt::format("linear.{}.excess", depth)] = mse / ols.mse() - 1;
      // The product of the matrices, read off at the origin and the unit vectors.
      Samples probes;
      probes.dim = kLinearInputs;
      probes.rows = kLinearInputs + 1;
      probes.x.assign(static_cast<std::size_t>(probes.rows * probes.dim), 0.0);
      for (Index d = 0; d < kLinearInputs; ++d) {
        probes.x[static_cast<std::size_t>((d + 1) * kLinearInputs + d)] = 1;
      }
      const Predictor best = fit_linear(affine_features(kLinearInputs), samples);
      const std::vector<double> values = exact_predictions(trained, probes);
      for (Index d = 0; d <= kLinearInputs; ++d) {
        const double expected = best(probes.row(d)) - (d > 0 ? best(probes.row(0)) : 0);
        const double got = values[static_cast<std::size_t>(d)] - (d > 0 ? values[0] : 0);
        difference = std::max(difference, std::abs(got - expected));
      }
    }
    numbers["linear.coefficient_difference"] = difference;
    return numbers;
  }

  Numbers shape_job(std::uint64_t seed, const Shape& shape, Monitor& monitor) const {
    const Target target = make_target(kTarget, seed);
    const Samples samples = training_samples(target, seed, options_.samples);
    const Samples judging = judging_samples(target, seed);
    Numbers numbers;
    const Fit trained = fit(recipe(shape), samples, seed, monitor,
                            fmt::format("{}, seed {}", shape.id(), seed), numbers);
    const std::vector<double> output = exact_predictions(trained, judging);
    numbers[shape.id() + ".mse"] = errors_of(output, judging).mse();
    if (models::polynomial_degree(recipe(shape).activation) == 0) return numbers;
    const Features features = chebyshev_features(degree_of(shape));
    // No polynomial of this degree is closer on the judging rows than the one fitted there.
    numbers[fmt::format("polynomial.{}.mse", degree_of(shape))] =
        errors_of(fit_linear(features, judging), judging).mse();
    Samples own = judging;
    own.y = output;
    numbers[shape.id() + ".beyond_degree"] =
        std::sqrt(errors_of(fit_linear(features, own), own).mse() / mean_square(output));
    return numbers;
  }

  const Options& options_;
  std::vector<Shape> free_;
};

}  // namespace

std::unique_ptr<Part> make_nonlinearity(const Options& options) {
  return std::make_unique<Nonlinearity>(options);
}

}  // namespace xfq::experiments::approx
