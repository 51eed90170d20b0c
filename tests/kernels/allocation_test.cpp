// The steady state allocates nothing: after one call of each size, no operator new,
// malloc or aligned_alloc.

#include "allocations.h"
#include "support.h"

using namespace xfq::kernels;
using namespace xfq::kernels::test;
using xfq::Index;

TEST_CASE("the steady state allocates nothing") {
#ifdef XFQ_COUNTS_ALLOCATIONS
  for (const std::string& name : {std::string("auto"), std::string("reference")}) {
    Using implementation(name);
    const Index rows = 40, width = 300;
    Numbers numbers(1);
    Floats x = numbers.fill<float>(rows * width), w = numbers.fill<float>(width * width);
    Floats y(x.size()), residual = x, mean(40), rstd(40);
    Floats bias = numbers.fill<float>(width);
    Floats qkv = numbers.fill<float>(40 * 3 * 32), p(2 * 40 * 40), out(40 * 32), d_qkv(qkv.size());
    std::int32_t targets[40] = {};
    std::int64_t count = 0;
    AttentionShape shape;
    shape.batch = 1;
    shape.time = 40;
    shape.heads = 2;
    shape.head_size = 16;
    const auto step = [&] {
      Gemm<float> g;
      g.m = rows;
      g.n = g.k = width;
      g.a = x.data();
      g.a_row = width;
      g.b = w.data();
      g.b_row = width;
      g.c = y.data();
      g.ldc = width;
      g.bias = bias.data();
      g.activation = Activation::gelu_tanh;
      g.residual = y.data();
      g.ld_residual = width;
      gemm(g);
      g.b_row = 1;
      g.b_col = width;
      gemm(g);
      g.residual = nullptr;
      g.a = w.data();
      g.a_row = 1;
      g.a_col = width;
      gemm(g);
      attention_forward(shape, qkv.data(), p.data(), out.data());
      attention_backward(shape, qkv.data(), p.data(), out.data(), d_qkv.data());
      layernorm_forward<float>(rows, width, x.data(), bias.data(), nullptr, 1e-5f, y.data(),
                               mean.data(), rstd.data());
      softmax_rows(rows, width, y.data(), width);
      cross_entropy<float>(rows, width, y.data(), width, targets, nullptr, false, 1.0f, &count);
      adamw({}, width, bias.data(), x.data(), y.data(), residual.data());
    };
    step();
    const long before = xfq::test::allocations.load();
    step();
    const long after = xfq::test::allocations.load();
    INFO(name);
    CHECK(after == before);
  }
  // The counter works.
  const long before = xfq::test::allocations.load();
  void* volatile block = std::malloc(1000);  // volatile: the compiler may not drop the pair
  CHECK(xfq::test::allocations.load() > before);
  std::free(block);
#else
  SUCCEED("a sanitizer owns the allocator");
#endif
}
