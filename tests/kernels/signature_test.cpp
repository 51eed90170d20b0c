// One number for the bits of all kernels: the same for every compiler, preset,
// implementation and processor.
#include "support.h"

using namespace xfq::kernels;
using namespace xfq::kernels::test;
using xfq::Index;

namespace {

// FNV-1a over the bits; all inputs here are finite, so no NaN payload enters.
class Signature {
 public:
  void take(const Floats& values) {
    for (const float value : values) {
      hash_ = (hash_ ^ bits(value)) * 0x100000001b3ull;
    }
  }
  std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325ull;
};

std::uint64_t signature() {
  Signature all;
  Numbers numbers(2024);
  const Index rows = 45, width = 96, inner = 530;

  const Floats a = numbers.fill<float>(rows * inner), b = numbers.fill<float>(inner * width);
  const Floats bias = numbers.fill<float>(width), weight = numbers.fill<float>(width);
  Floats c(std::size_t(rows * width), 0.5f), pre(c.size());
  Gemm<float> g;
  g.m = rows;
  g.n = width;
  g.k = inner;
  g.a = a.data();
  g.a_row = inner;
  g.b = b.data();
  g.b_row = width;
  g.c = c.data();
  g.ldc = width;
  g.bias = bias.data();
  g.pre = pre.data();
  g.ld_pre = width;
  g.residual = c.data();
  g.ld_residual = width;
  g.activation = Activation::gelu_tanh;
  gemm(g);
  all.take(c);
  all.take(pre);

  AttentionShape shape;
  shape.batch = 1;
  shape.time = rows;
  shape.heads = 2;
  shape.head_size = 16;
  Floats p(std::size_t(2 * rows * rows)), out(std::size_t(rows * 32)), d_qkv(c.size());
  attention_forward(shape, c.data(), p.data(), out.data());
  attention_backward(shape, c.data(), p.data(), out.data(), d_qkv.data());
  all.take(out);
  all.take(d_qkv);

  Floats y(c.size()), mean(45), rstd(45), d_x(c.size()), d_weight(96), d_bias(96);
  layernorm_forward(rows, width, c.data(), weight.data(), bias.data(), 1e-5f, y.data(), mean.data(),
                    rstd.data());
  layernorm_backward(rows, width, c.data(), weight.data(), mean.data(), rstd.data(), d_qkv.data(),
                     d_x.data(), false, d_weight.data(), d_bias.data());
  for (const Floats* part : {&y, &d_x, &d_weight, &d_bias}) all.take(*part);

  for (const Activation activation : {Activation::gelu_tanh, Activation::gelu_erf}) {
    activation_backward(activation, Index(y.size()), pre.data(), y.data(), d_x.data());
    all.take(d_x);
  }
  activation_forward(Activation::gelu_erf, Index(y.size()), pre.data(), y.data());
  all.take(y);
  tanh_forward(Index(y.size()), pre.data(), y.data());
  all.take(y);

  std::vector<std::int32_t> targets(45, 7);
  std::int64_t count = 0;
  const double loss = cross_entropy(rows, width, pre.data(), width, targets.data(),
                                    static_cast<float*>(nullptr), true, 0.125f, &count);
  all.take(pre);
  all.take({float(loss), float(sum_squares(Index(c.size()), c.data()))});

  AdamW step;
  step.lr = 1e-3;
  step.weight_decay = 0.1;
  step.bias1 = 0.1;
  step.bias2 = 0.001;
  Floats m(c.size()), v(c.size());
  adamw(step, Index(c.size()), c.data(), pre.data(), m.data(), v.data());
  all.take(c);
  return all.value();
}

}  // namespace

TEST_CASE("the signature of the kernels") {
  // From the reference implementation, built with g++ for the baseline instruction
  // set. A commit that changes it says so: every number printed by xfq changes.
  const std::uint64_t expected = 0x38fd787f8e721599;
  std::vector<std::string> names = exact_implementations();
  names.push_back("reference");
  names.push_back("check");
  for (const std::string& name : names) {
    Using implementation(name);
    INFO(name);
    CHECK(signature() == expected);
  }
}
