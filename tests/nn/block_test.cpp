// A whole Transformer block, pre- and post-LayerNorm, causal and not, against
// central differences; and what a tap may and may not reach.
#include "xfq/nn/block.h"

#include "catch.h"
#include "gradient_check.h"

namespace xfq::nn {

using test::random_vector;
using test::worst_gradient_error;

namespace {

struct Fixture {
  ParameterLayout layout;
  BlockConfig config;
  kernels::AttentionShape shape;
  std::int32_t lengths[2] = {5, 3};

  explicit Fixture(NormPlacement norm, bool causal) {
    config.dim = 6;
    config.heads = 2;
    config.hidden = 8;
    config.norm = norm;
    config.activation = causal ? kernels::Activation::gelu_tanh : kernels::Activation::gelu_erf;
    shape.batch = 2;
    shape.time = 5;
    shape.heads = 2;
    shape.head_size = 3;
    shape.causal = causal;
    shape.lengths = causal ? nullptr : lengths;
  }
  Block make() {
    return Block(layout, config, {"norm_1", "qkv", "context", "norm_2", "up", "down"});
  }
};

}  // namespace

TEST_CASE("block gradients match central differences") {
  const auto norm = GENERATE(NormPlacement::pre, NormPlacement::post);
  const bool causal = GENERATE(true, false);
  Fixture f(norm, causal);
  const Block block = f.make();
  Vector<double> parameters = random_vector(f.layout.size(), "p", 0.5);
  const Index size = f.shape.batch * f.shape.time * f.config.dim;
  Vector<double> x = random_vector(size, "x");
  const Vector<double> c = random_vector(size, "c");
  Vector<double> y(size);
  BlockCache<double> cache;
  BlockScratch<double> scratch;
  cache.allocate(f.config, f.shape.batch, f.shape.time);
  scratch.allocate(f.config, f.shape.batch, f.shape.time);
  const auto loss = [&] {
    block.forward(parameters.data(), f.shape, 0, x.data(), y.data(), cache,
                  static_cast<Tap<double>*>(nullptr));
    return c.dot(y);
  };
  loss();
  Vector<double> d = c;
  Vector<double> gradients = make_parameters<double>(f.layout);
  block.backward(parameters.data(), f.shape, 0, x.data(), cache, scratch, d.data(),
                 gradients.data(), static_cast<Tap<double>*>(nullptr));
  for (const ParameterInfo& tensor : f.layout.tensors()) {
    INFO(tensor.name);
    CHECK(worst_gradient_error(loss, parameters, gradients, tensor.offset, tensor.size()) <= 1e-6);
  }
  CHECK(worst_gradient_error(loss, x, d, 0, size) <= 1e-6);
}

TEST_CASE("a causal block does not look ahead, a padded one not beyond the length") {
  const bool causal = GENERATE(true, false);
  Fixture f(NormPlacement::pre, causal);
  const Block block = f.make();
  Vector<double> parameters = random_vector(f.layout.size(), "p", 0.5);
  const Index dim = f.config.dim;
  const Index size = f.shape.batch * f.shape.time * dim;
  Vector<double> x = random_vector(size, "x");
  Vector<double> before(size), after(size);
  BlockCache<double> cache;
  cache.allocate(f.config, f.shape.batch, f.shape.time);
  const auto forward = [&](Vector<double>& y) {
    block.forward(parameters.data(), f.shape, 0, x.data(), y.data(), cache,
                  static_cast<Tap<double>*>(nullptr));
  };
  forward(before);
  x.segment((f.shape.time + 4) * dim, dim).array() += 1;  // sequence 1, position 4
  forward(after);
  // Causal: positions before 4 are untouched. Otherwise position 4 lies beyond
  // length 3 and only its own row may change.
  CHECK(before.head((f.shape.time + 4) * dim) == after.head((f.shape.time + 4) * dim));
  CHECK(before.tail(dim) != after.tail(dim));
}

namespace {

/// Zeroes one site on the way forward and records what it saw on both ways.
class ZeroTap : public Tap<double> {
 public:
  explicit ZeroTap(Site site) : site_(site) {}
  void forward(const TapPoint& point, double* x, Index rows, Index cols) override {
    if (point.site != site_) return;
    ++seen_;
    std::fill(x, x + rows * cols, 0.0);
  }
  void backward(const TapPoint& point, double* d, Index rows, Index cols) override {
    if (point.site != site_) return;
    ++seen_;
    norm_ = VectorMap<double>(d, rows * cols).norm();
  }
  int seen_ = 0;
  double norm_ = 0;

 private:
  Site site_;
};

}  // namespace

TEST_CASE("a tap changes the product's input and leaves the residual path alone") {
  const auto norm = GENERATE(NormPlacement::pre, NormPlacement::post);
  const auto site =
      GENERATE(Site::attention_input, Site::attention_context, Site::mlp_input, Site::mlp_hidden);
  Fixture f(norm, true);
  const Block block = f.make();
  Vector<double> parameters = random_vector(f.layout.size(), "p", 0.5);
  const Index size = f.shape.batch * f.shape.time * f.config.dim;
  const Vector<double> x = random_vector(size, "x");
  Vector<double> y(size);
  BlockCache<double> cache;
  BlockScratch<double> scratch;
  cache.allocate(f.config, f.shape.batch, f.shape.time);
  scratch.allocate(f.config, f.shape.batch, f.shape.time);
  ZeroTap tap(site);
  const Vector<double> x_before = x;
  block.forward(parameters.data(), f.shape, 0, x.data(), y.data(), cache,
                static_cast<Tap<double>*>(&tap));
  CHECK(x == x_before);
  CHECK(tap.seen_ == 1);

  // With its input zeroed the product is its bias: the same as a zero weight.
  const Linear& linear = site == Site::attention_input     ? block.qkv()
                         : site == Site::attention_context ? block.context()
                         : site == Site::mlp_input         ? block.up()
                                                           : block.down();
  Vector<double> zeroed = parameters;
  zeroed.segment(linear.weight, linear.in * linear.out).setZero();
  Vector<double> expected(size);
  BlockCache<double> other;
  other.allocate(f.config, f.shape.batch, f.shape.time);
  block.forward(zeroed.data(), f.shape, 0, x.data(), expected.data(), other,
                static_cast<Tap<double>*>(nullptr));
  CHECK((y - expected).norm() <= 1e-12 * expected.norm());

  Vector<double> d = random_vector(size, "c");
  Vector<double> gradients = make_parameters<double>(f.layout);
  block.backward(parameters.data(), f.shape, 0, x.data(), cache, scratch, d.data(),
                 gradients.data(), static_cast<Tap<double>*>(&tap));
  CHECK(tap.seen_ == 2);
  CHECK(tap.norm_ > 0);
  CHECK(gradients.segment(linear.weight, linear.in * linear.out).isZero());
}

}  // namespace xfq::nn
