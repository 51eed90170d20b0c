// Schedules in closed form; AdamW on problems with known answers.
#include "xfq/train/optimizer.h"

#include <cmath>
#include <limits>

#include "catch.h"
#include "xfq/core/error.h"

namespace xfq::train {

TEST_CASE("learning rates follow their formulas") {
  OptimizerConfig config;
  config.steps = 100;
  config.warmup = 10;
  config.lr = 1.0;
  config.min_lr = 0.2;
  for (const std::string& schedule : OptimizerConfig::schedules()) {
    config.schedule = schedule;
    CHECK(learning_rate(config, 0) == Approx(1.0 / 11));
    CHECK(learning_rate(config, 9) == Approx(10.0 / 11));
    CHECK(learning_rate(config, 10) == Approx(1.0));
  }
  config.schedule = "constant";
  CHECK(learning_rate(config, 99) == 1.0);
  config.schedule = "cosine";  // halfway between 10 and 100
  CHECK(learning_rate(config, 55) == Approx(0.6));
  CHECK(learning_rate(config, 40) == Approx(0.2 + 0.4 * (1 + std::cos(M_PI / 3))));
  config.schedule = "linear";
  CHECK(learning_rate(config, 55) == Approx(0.6));
  CHECK(learning_rate(config, 100) == Approx(0.2));
  config.schedule = "wsd";  // flat until 75
  CHECK(learning_rate(config, 74) == Approx(1.0));
  CHECK(learning_rate(config, 75) == Approx(1.0));
  CHECK(learning_rate(config, 95) == Approx(1.0 - 0.8 * 0.8));
}

namespace {

struct TwoTensors {
  nn::ParameterLayout layout;
  Vector<float> parameters, gradients;
  TwoTensors() {
    layout.add_matrix("w", 2, 3, nn::Init::zeros());
    layout.add_vector("b", 3, nn::Init::zeros());
    parameters = nn::make_parameters<float>(layout);
    gradients = nn::make_parameters<float>(layout);
  }
};

OptimizerConfig plain() {
  OptimizerConfig config;
  config.schedule = "constant";
  config.warmup = 0;
  config.lr = 0.01;
  config.weight_decay = 0;
  config.clip = 0;
  return config;
}

}  // namespace

TEST_CASE("the first AdamW step moves every parameter by lr against the gradient's sign") {
  // m = (1 - b1) g and v = (1 - b2) g^2, so m / bias1 = g, sqrt(v / bias2) = |g|.
  TwoTensors t;
  t.gradients.head(6) << 1, -2, 3, -4, 1e-3f, -1e-3f;
  Optimizer optimizer(t.layout, plain());
  optimizer.step(0, t.parameters, t.gradients);
  for (Index i = 0; i < 6; ++i) {
    const double g = t.gradients[i];
    CHECK(t.parameters[i] == Approx(-0.01 * g / (std::abs(g) + 1e-8)).epsilon(1e-5));
  }
  CHECK(t.parameters.tail(t.parameters.size() - 6).isZero());
}

TEST_CASE("weight decay shrinks matrices and leaves biases") {
  TwoTensors t;
  t.parameters.segment(0, 6).setConstant(2);
  t.parameters.segment(16, 3).setConstant(2);
  OptimizerConfig config = plain();
  config.weight_decay = 0.1;
  Optimizer optimizer(t.layout, config);
  optimizer.step(0, t.parameters, t.gradients);
  CHECK(t.parameters[0] == Approx(2 * (1 - 0.01 * 0.1)));
  CHECK(t.parameters[16] == 2);
}

TEST_CASE("clipping scales the whole gradient to the largest norm") {
  // After one step v = (1 - b2) (s g)^2: the second step of a reversed gradient
  // shows s. It is simpler to compare with a gradient scaled by hand.
  TwoTensors a, b;
  a.gradients.head(6) << 3, 0, 0, 0, 4, 0;  // norm 5
  b.gradients = a.gradients / 5 * 0.5f;
  OptimizerConfig clipped = plain();
  clipped.clip = 0.5;
  clipped.epsilon = 1e-2;  // makes the update depend on the gradient's size
  OptimizerConfig free = plain();
  free.epsilon = 1e-2;
  Optimizer one(a.layout, clipped), two(b.layout, free);
  CHECK(one.step(0, a.parameters, a.gradients) == Approx(5));
  two.step(0, b.parameters, b.gradients);
  CHECK((a.parameters - b.parameters).norm() <= 1e-6f * b.parameters.norm());
}

TEST_CASE("a gradient that is not finite stops training and names the step") {
  TwoTensors t;
  t.gradients[1] = std::numeric_limits<float>::quiet_NaN();
  Optimizer optimizer(t.layout, plain());
  try {
    optimizer.step(6, t.parameters, t.gradients);
    FAIL("NaN must not pass");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::run);
    CHECK(std::string(error.what()).find("step 7") != std::string::npos);
  }
  CHECK(t.parameters.isZero());
}

}  // namespace xfq::train
