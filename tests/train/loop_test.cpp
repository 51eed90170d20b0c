// The training loop on a quadratic with a known minimum, and how it stops.
#include "xfq/train/loop.h"

#include <cmath>
#include <limits>

#include "catch.h"
#include "xfq/core/error.h"

namespace xfq::train {

namespace {

struct Quadratic {
  nn::ParameterLayout layout;
  Vector<float> parameters, target;
  OptimizerConfig config;
  std::int64_t calls = 0;

  Quadratic() {
    layout.add_vector("x", 16, nn::Init::zeros());
    parameters = nn::make_parameters<float>(layout);
    target = Vector<float>::LinSpaced(16, -1, 1);
    config.steps = 400;
    config.lr = 0.05;
    config.min_lr = 0;
    config.warmup = 5;
    config.clip = 0;
  }
  nn::Loss operator()(const float* p, float* g) {
    ++calls;
    nn::Loss loss;
    loss.count = 1;
    for (Index i = 0; i < 16; ++i) {
      const float d = p[i] - target[i];
      g[i] += d;
      loss.sum += 0.5 * static_cast<double>(d * d);
    }
    return loss;
  }
  TrainingSummary run(Monitor& monitor) {
    return run_training(
        layout, config, [this](std::int64_t, const float* p, float* g) { return (*this)(p, g); },
        parameters, monitor, "quadratic");
  }
};

class StopAfter : public Monitor {
 public:
  explicit StopAfter(std::int64_t step) : step_(step) {}
  bool stop_requested() const override { return last_ >= step_; }
  void progress(const std::string&, std::int64_t step, std::int64_t steps, double loss) override {
    last_ = step;
    steps_ = steps;
    finite_ = finite_ && std::isfinite(loss);
  }
  std::int64_t step_, last_ = 0, steps_ = 0;
  bool finite_ = true;
};

}  // namespace

TEST_CASE("training finds the minimum of a quadratic") {
  Quadratic q;
  StopAfter monitor(1 << 30);
  const TrainingSummary summary = q.run(monitor);
  CHECK((q.parameters - q.target).norm() < 1e-3f);
  // First loss: half the squared norm of the target, from x = 0.
  CHECK(summary.first_loss == Approx(0.5 * q.target.cast<double>().squaredNorm()));
  CHECK(summary.last_loss < 1e-6);
  CHECK(monitor.last_ == 400);
  CHECK(monitor.steps_ == 400);
  CHECK(monitor.finite_);
}

TEST_CASE("a request to stop ends training at the next step") {
  Quadratic q;
  StopAfter monitor(7);
  try {
    q.run(monitor);
    FAIL("the monitor asked to stop");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::interrupted);
  }
  CHECK(q.calls == 7);
}

TEST_CASE("a diverged loss is an error with its step, never a number") {
  Quadratic q;
  StopAfter monitor(1 << 30);
  std::int64_t calls = 0;
  try {
    run_training(
        q.layout, q.config,
        [&](std::int64_t, const float* p, float* g) {
          nn::Loss loss = q(p, g);
          if (++calls == 12) loss.sum = std::numeric_limits<double>::infinity();
          return loss;
        },
        q.parameters, monitor, "seed 3");
    FAIL("an infinite loss must not pass");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::run);
    CHECK(std::string(error.what()) == "seed 3: training diverged at step 12: the loss is inf");
  }
}

}  // namespace xfq::train
