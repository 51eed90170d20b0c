#include "constructions.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "xfq/core/error.h"

namespace xfq::experiments::approx {

using models::Mlp;
using models::MlpActivation;
using models::MlpConfig;

namespace {

/// A term of a linear form: a unit of the layer before, times a factor.
struct Term {
  Index unit;
  double factor;
};
using Form = std::vector<Term>;

Form scaled(Form form, double factor) {
  for (Term& term : form) term.factor *= factor;
  return form;
}

Form joined(Form a, const Form& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// Collects the units of the hidden layers one by one, then makes the network.
class Builder {
 public:
  explicit Builder(Index inputs) : inputs_(inputs) {}

  /// Units added from here on read the units of the layer that was open before.
  void next_layer() { layers_.emplace_back(); }
  /// activation(form + bias) in the open layer; returns its place there.
  Index unit(const Form& form, double bias = 0) {
    layers_.back().push_back({form, bias});
    return static_cast<Index>(layers_.back().size()) - 1;
  }

  void finish(const Form& output, double bias, MlpActivation activation, Construction& into) const {
    into.config.activation = activation;
    into.config.widths = {inputs_};
    for (const auto& layer : layers_) {
      into.config.widths.push_back(static_cast<Index>(layer.size()));
    }
    into.config.widths.push_back(1);
    const Mlp mlp(into.config);
    into.parameters = nn::make_parameters<double>(mlp.layout());
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      for (std::size_t u = 0; u < layers_[l].size(); ++u) {
        write(mlp.layers()[l], static_cast<Index>(u), layers_[l][u], into.parameters);
      }
    }
    write(mlp.layers().back(), 0, {output, bias}, into.parameters);
  }

 private:
  struct Unit {
    Form form;
    double bias;
  };
  static void write(const nn::Linear& layer, Index unit, const Unit& from,
                    Vector<double>& parameters) {
    for (const Term& term : from.form) {
      parameters[layer.weight + term.unit * layer.out + unit] += term.factor;
    }
    parameters[layer.bias + unit] = from.bias;
  }

  Index inputs_;
  std::vector<std::vector<Unit>> layers_;
};

double power_of_4(Index m) { return std::ldexp(1.0, static_cast<int>(2 * m)); }

double square_bound(Index m) { return 0.25 / power_of_4(m); }

double relu(double x) { return x > 0 ? x : 0; }

/// I_m, for x in [0, 1].
double interpolated_square(Index m, double x) {
  const double pieces = std::ldexp(1.0, static_cast<int>(m));
  const double j = std::min(std::floor(x * pieces), pieces - 1);
  const double left = j / pieces, right = (j + 1) / pieces;
  return left * left + (x - left) * (left + right);
}

double interpolated_product(Index m, double x, double y) {
  return 2 * interpolated_square(m, 0.5 * (x + y)) - 0.5 * interpolated_square(m, x) -
         0.5 * interpolated_square(m, y);
}

/// I_m of a form, one layer at a time: after layer s, `sawtooth` is the s-fold tent
/// and `square` is I_s, both as forms over the open layer.
struct Squarer {
  Form sawtooth;
  Form square;

  explicit Squarer(const Form& x) : sawtooth(x), square(x) {}

  void add_layer(Builder& builder, Index s) {
    const Index all = builder.unit(sawtooth);
    const Index upper = builder.unit(sawtooth, -0.5);
    const Index kept = builder.unit(square);
    sawtooth = {{all, 2}, {upper, -4}};
    square = joined({{kept, 1}}, scaled(sawtooth, -1 / power_of_4(s)));
  }
};

/// The product of two forms with values in [0, 1], in m layers of 9 units.
struct Multiplier {
  Squarer mean, x, y;

  Multiplier(const Form& a, const Form& b) : mean(scaled(joined(a, b), 0.5)), x(a), y(b) {}

  void add_layer(Builder& builder, Index s) {
    mean.add_layer(builder, s);
    x.add_layer(builder, s);
    y.add_layer(builder, s);
  }
  Form product() const {
    return joined(scaled(mean.square, 2), joined(scaled(x.square, -0.5), scaled(y.square, -0.5)));
  }
};

Form input(Index i) { return {{i, 1}}; }

}  // namespace

Construction interpolation_network(const Function1& f, Index pieces) {
  XFQ_ASSERT(pieces >= 1);
  Construction c;
  c.name = "interpolation";
  c.size = pieces;
  const double n = static_cast<double>(pieces);
  const auto knot = [n](Index j) { return static_cast<double>(j) / n; };
  Builder builder(1);
  builder.next_layer();
  Form output;
  double slope = 0;
  for (Index j = 0; j < pieces; ++j) {
    const double next = (f(knot(j + 1)) - f(knot(j))) * n;
    output.push_back({builder.unit(input(0), -knot(j)), next - slope});
    slope = next;
  }
  builder.finish(output, f(0), MlpActivation::relu, c);
  c.closed_form = [f, n](const double* x) {
    const double j = std::min(std::floor(*x * n), n - 1);
    const double left = f(j / n), right = f((j + 1) / n);
    return left + (*x * n - j) * (right - left);
  };
  c.goal = [f](const double* x) { return f(*x); };
  return c;
}

Construction step_network(const Function1& f, Index pieces) {
  XFQ_ASSERT(pieces >= 2);
  Construction c;
  c.name = "steps";
  c.size = pieces;
  const double n = static_cast<double>(pieces);
  // Half a piece away from a jump a sigmoid differs from its limit by exp(-64).
  const double steepness = 128 * n;
  const auto middle = [n](Index j) { return (static_cast<double>(j) + 0.5) / n; };
  Builder builder(1);
  builder.next_layer();
  Form output;
  for (Index j = 1; j < pieces; ++j) {
    const double jump = static_cast<double>(j) / n;
    output.push_back(
        {builder.unit({{0, steepness}}, -steepness * jump), f(middle(j)) - f(middle(j - 1))});
  }
  builder.finish(output, f(middle(0)), MlpActivation::sigmoid, c);
  c.closed_form = [f, n, steepness, middle, pieces](const double* x) {
    double sum = f(middle(0));
    for (Index j = 1; j < pieces; ++j) {
      const double jump = static_cast<double>(j) / n;
      sum += (f(middle(j)) - f(middle(j - 1))) / (1 + std::exp(-steepness * (*x - jump)));
    }
    return sum;
  };
  c.goal = [f](const double* x) { return f(*x); };
  return c;
}

Construction square_network(Index m) {
  Construction c;
  c.name = "square";
  c.target = "x^2";
  c.size = m;
  Builder builder(1);
  Squarer squarer(input(0));
  for (Index s = 1; s <= m; ++s) {
    builder.next_layer();
    squarer.add_layer(builder, s);
  }
  builder.finish(squarer.square, 0, MlpActivation::relu, c);
  c.closed_form = [m](const double* x) { return interpolated_square(m, *x); };
  c.goal = [](const double* x) { return *x * *x; };
  c.bound = square_bound(m);
  c.tight = true;
  return c;
}

Construction sawtooth_network(Index k) {
  Construction c;
  c.name = "sawtooth";
  c.target = "sawtooth";
  c.size = k;
  Builder builder(1);
  Form form = input(0);
  for (Index s = 0; s < k; ++s) {
    builder.next_layer();
    const Index all = builder.unit(form);
    const Index upper = builder.unit(form, -0.5);
    form = {{all, 2}, {upper, -4}};
  }
  builder.finish(form, 0, MlpActivation::relu, c);
  // Distance to the nearest even multiple of 2^-k, in units of 2^-k.
  c.closed_form = [k](const double* x) {
    const double place = *x * std::ldexp(1.0, static_cast<int>(k));
    return std::abs(place - 2 * std::nearbyint(0.5 * place));
  };
  c.goal = c.closed_form;
  return c;
}

Construction product_network(Index m) {
  Construction c;
  c.name = "product";
  c.target = "x y";
  c.size = m;
  Builder builder(2);
  Multiplier multiplier(input(0), input(1));
  for (Index s = 1; s <= m; ++s) {
    builder.next_layer();
    multiplier.add_layer(builder, s);
  }
  builder.finish(multiplier.product(), 0, MlpActivation::relu, c);
  c.closed_form = [m](const double* x) { return interpolated_product(m, x[0], x[1]); };
  c.goal = [](const double* x) { return x[0] * x[1]; };
  // I_m - x^2 lies in [0, e]: 2 e above, e / 2 + e / 2 below.
  c.bound = 2 * square_bound(m);
  return c;
}

Construction polynomial_network(const std::vector<double>& coefficients, Index m) {
  XFQ_ASSERT(coefficients.size() >= 3);
  Construction c;
  c.name = "polynomial";
  c.target = "polynomial";
  c.size = m;
  const Index degree = static_cast<Index>(coefficients.size()) - 1;
  Builder builder(1);
  // Over the open layer: x, the power reached, and the sum so far as a difference of
  // two forms that are not negative, since ReLU passes nothing else through.
  Form x = input(0), power = input(0), sum = scaled(input(0), coefficients[1]);
  for (Index d = 2; d <= degree; ++d) {
    Multiplier multiplier(x, power);
    for (Index s = 1; s <= m; ++s) {
      builder.next_layer();
      multiplier.add_layer(builder, s);
      x = {{builder.unit(x), 1}};
      const Index above = builder.unit(sum);
      const Index below = builder.unit(scaled(sum, -1));
      sum = {{above, 1}, {below, -1}};
    }
    power = multiplier.product();
    sum = joined(sum, scaled(power, coefficients[static_cast<std::size_t>(d)]));
  }
  builder.finish(sum, coefficients[0], MlpActivation::relu, c);
  c.closed_form = [coefficients, m](const double* x0) {
    // I_m is continued below 0 by 0, as the first layer's ReLU does; by convexity no
    // power exceeds 1.
    double y = *x0, value = coefficients[0] + coefficients[1] * *x0;
    for (std::size_t d = 2; d < coefficients.size(); ++d) {
      const double half = 0.5 * (*x0 + y);
      y = 2 * interpolated_square(m, relu(half)) - 0.5 * interpolated_square(m, *x0) -
          0.5 * interpolated_square(m, relu(y));
      value += coefficients[d] * y;
    }
    return value;
  };
  c.goal = [coefficients](const double* x0) {
    double value = 0;
    for (std::size_t d = coefficients.size(); d-- > 0;) value = value * *x0 + coefficients[d];
    return value;
  };
  // A product adds at most 2 e to x times the error of the power before it; I_m and
  // so the product is Lipschitz with a constant of at most 2.
  double power_error = 0;
  for (Index d = 2; d <= degree; ++d) {
    power_error = 2 * power_error + 2 * square_bound(m);
    c.bound += std::abs(coefficients[static_cast<std::size_t>(d)]) * power_error;
  }
  return c;
}

const std::vector<std::string>& construction_names() {
  static const std::vector<std::string> names = {"interpolation", "steps",   "square",
                                                 "sawtooth",      "product", "polynomial"};
  return names;
}

std::vector<Construction> constructions(const std::string& name) {
  const Function1 square = [](double x) { return x * x; };
  std::vector<Construction> all;
  if (name == "interpolation") {
    for (const Index pieces : {4, 16, 64, 256}) {
      Construction c = interpolation_network(square, pieces);
      c.target = "x^2";
      c.bound = 0.25 / static_cast<double>(pieces * pieces);
      c.tight = true;
      all.push_back(std::move(c));
    }
  } else if (name == "steps") {
    for (const Index pieces : {4, 16, 64, 256}) {
      Construction c = step_network(square, pieces);
      c.target = "x^2";
      // At x = 1 the staircase still has the value of the last middle.
      const double middle = 1 - 0.5 / static_cast<double>(pieces);
      c.bound = 1 - middle * middle;
      c.tight = true;
      all.push_back(std::move(c));
    }
  } else if (name == "square") {
    for (Index m = 1; m <= 12; ++m) all.push_back(square_network(m));
  } else if (name == "sawtooth") {
    for (const Index k : {1, 2, 4, 8, 12}) all.push_back(sawtooth_network(k));
  } else if (name == "product") {
    for (const Index m : {1, 2, 4, 8}) all.push_back(product_network(m));
  } else {
    XFQ_ASSERT(name == "polynomial");
    for (const Index m : {1, 2, 4, 8}) {
      all.push_back(polynomial_network({1, -2, 0.5, 1, -0.4}, m));
    }
  }
  return all;
}

std::vector<double> evaluate(const Construction& construction, const std::vector<double>& x) {
  constexpr Index kRows = 512;
  const Mlp mlp(construction.config);
  auto workspace = mlp.make_workspace<double>(kRows);
  const Index rows = static_cast<Index>(x.size()) / mlp.inputs();
  std::vector<double> y;
  for (Index first = 0; first < rows; first += kRows) {
    const Index count = std::min(kRows, rows - first);
    mlp.forward(construction.parameters.data(), count, x.data() + first * mlp.inputs(), workspace);
    y.insert(y.end(), workspace.output.data(), workspace.output.data() + count);
  }
  return y;
}

ConstructionErrors check(const Construction& construction) {
  // 2^13 intervals hold the midpoints between the 2^12 pieces of the finest network.
  const bool plane = construction.inputs() == 2;
  const Index intervals = plane ? 256 : 8192;
  std::vector<double> x;
  for (Index i = 0; i <= intervals; ++i) {
    const double a = static_cast<double>(i) / static_cast<double>(intervals);
    if (!plane) {
      x.push_back(a);
      continue;
    }
    for (Index j = 0; j <= intervals; j += 4) {
      x.push_back(a);
      x.push_back(static_cast<double>(j) / static_cast<double>(intervals));
    }
  }
  const std::vector<double> y = evaluate(construction, x);
  ConstructionErrors errors;
  for (std::size_t r = 0; r < y.size(); ++r) {
    const double* point = x.data() + r * static_cast<std::size_t>(construction.inputs());
    errors.closed_form =
        std::max(errors.closed_form, std::abs(y[r] - construction.closed_form(point)));
    errors.goal = std::max(errors.goal, std::abs(y[r] - construction.goal(point)));
  }
  return errors;
}

}  // namespace xfq::experiments::approx
