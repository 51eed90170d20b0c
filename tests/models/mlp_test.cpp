// The perceptron: closed forms, and gradients against central differences in double.
#include "xfq/models/mlp.h"

#include <algorithm>
#include <cmath>

#include "catch.h"
#include "gradient_check.h"
#include "xfq/core/error.h"

namespace xfq::models {

using test::random_vector;
using test::worst_gradient_error;

TEST_CASE("activations are the functions they are named after") {
  // Values by hand or from the C library.
  const double x = 0.7;
  const auto at = [](const char* name, auto value) {
    decltype(value) y = 0;
    mlp_activation_forward(parse_mlp_activation(name), 1, &value, &y);
    return static_cast<double>(y);
  };
  CHECK(at("identity", x) == x);
  CHECK(at("square", x) == x * x);
  CHECK(at("cube", x) == x * x * x);
  CHECK(at("relu", x) == x);
  CHECK(at("relu", -x) == 0);
  CHECK(at("tanh", x) == Approx(std::tanh(x)).epsilon(1e-12));
  CHECK(at("sigmoid", x) == Approx(1 / (1 + std::exp(-x))).epsilon(1e-12));
  CHECK(at("sine", x) == Approx(std::sin(x)).epsilon(1e-12));
  // GPT-2's tanh form of the Gaussian error linear unit.
  const double inner = std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x);
  CHECK(at("gelu", x) == Approx(0.5 * x * (1 + std::tanh(inner))).epsilon(1e-12));
  // The float sine has our own arithmetic; half an ulp of 1 is 6e-8.
  for (float v = -40; v < 40; v += 0.37F) {
    INFO(v);
    CHECK(at("sine", v) == Approx(std::sin(static_cast<double>(v))).margin(1.2e-7));
  }
  CHECK_THROWS_AS(parse_mlp_activation("rely"), Error);
}

TEST_CASE("only polynomials have a degree") {
  CHECK(polynomial_degree(MlpActivation::identity) == 1);
  CHECK(polynomial_degree(MlpActivation::square) == 2);
  CHECK(polynomial_degree(MlpActivation::cube) == 3);
  for (const char* name : {"relu", "tanh", "gelu", "sine", "sigmoid"}) {
    CHECK(polynomial_degree(parse_mlp_activation(name)) == 0);
  }
}

TEST_CASE("every activation's network has the gradient of its loss") {
  for (const std::string& name : mlp_activations()) {
    INFO(name);
    MlpConfig config;
    config.widths = {3, 5, 4, 2};
    config.activation = parse_mlp_activation(name);
    config.gain = 0.8;
    const Mlp mlp(config);
    const Index rows = 6;
    const Vector<double> x = random_vector(rows * 3, "x");
    const Vector<double> y = random_vector(rows * 2, "y");
    auto workspace = mlp.make_workspace<double>(rows);
    // Differences across the kink of ReLU are no derivatives: take the first weights
    // that keep every unit away from it by more than the step of 1e-3 can move it.
    Vector<double> parameters;
    const auto nearest_kink = [&](std::uint64_t seed) {
      nn::initialise(mlp.layout(), seed, parameters);
      mlp.forward(parameters.data(), rows, x.data(), workspace);
      return std::min(workspace.pre[0].cwiseAbs().minCoeff(),
                      workspace.pre[1].cwiseAbs().minCoeff());
    };
    std::uint64_t seed = 1;
    while (nearest_kink(seed) < 0.01) ++seed;
    Vector<double> gradients = nn::make_parameters<double>(mlp.layout());
    mlp.forward_backward(parameters.data(), rows, x.data(), y.data(), workspace, gradients.data());
    const auto loss = [&] {
      mlp.forward(parameters.data(), rows, x.data(), workspace);
      return (workspace.output - y).squaredNorm() / static_cast<double>(rows * 2);
    };
    for (const nn::ParameterInfo& tensor : mlp.layout().tensors()) {
      INFO(tensor.name);
      CHECK(worst_gradient_error(loss, parameters, gradients, tensor.offset, tensor.size()) < 1e-6);
    }
  }
}

TEST_CASE("frozen layers get no gradient and change nobody else's") {
  MlpConfig config;
  config.widths = {2, 4, 4, 1};
  const Mlp mlp(config);
  Vector<double> parameters;
  nn::initialise(mlp.layout(), 1, parameters);
  const Vector<double> x = random_vector(10, "x");
  const Vector<double> y = random_vector(5, "y");
  auto workspace = mlp.make_workspace<double>(5);
  Vector<double> all = nn::make_parameters<double>(mlp.layout());
  mlp.forward_backward(parameters.data(), 5, x.data(), y.data(), workspace, all.data());
  for (Index first = 0; first < 3; ++first) {
    INFO(first);
    Vector<double> some = nn::make_parameters<double>(mlp.layout());
    mlp.forward_backward(parameters.data(), 5, x.data(), y.data(), workspace, some.data(), first);
    const Index begin = mlp.layers()[static_cast<std::size_t>(first)].weight;
    CHECK(some.head(begin).isZero(0));
    CHECK(some.tail(some.size() - begin) == all.tail(all.size() - begin));
  }
}

TEST_CASE("the parameters are those that the widths say") {
  MlpConfig config;
  config.widths = {3, 7, 2};
  const Mlp mlp(config);
  CHECK(mlp.layout().count() == 3 * 7 + 7 + 7 * 2 + 2);
  CHECK(mlp.flops_per_row() == 6 * (3 * 7 + 7 * 2));
  config.widths = {3};
  CHECK_THROWS_AS(Mlp(config), Error);
  config.widths = {3, 0, 1};
  CHECK_THROWS_AS(Mlp(config), Error);
}

}  // namespace xfq::models
