// Attention: every implementation against the reference, and what masks hide.
#include <limits>

#include "support.h"

using namespace xfq::kernels;
using namespace xfq::kernels::test;
using xfq::Index;

namespace {

AttentionShape make_shape(Index batch, Index time, Index heads, Index size, bool causal) {
  AttentionShape shape;
  shape.batch = batch;
  shape.time = time;
  shape.heads = heads;
  shape.head_size = size;
  shape.causal = causal;
  return shape;
}

Floats run(const AttentionShape& shape, const Floats& qkv, const Floats& d_out) {
  const Index tokens = shape.batch * shape.time, width = shape.heads * shape.head_size;
  // Filled with what must be overwritten.
  Floats p(std::size_t(shape.batch * shape.heads * shape.time * shape.time), NAN);
  Floats out(std::size_t(tokens * width), NAN), d_qkv(std::size_t(tokens * 3 * width), NAN);
  attention_forward(shape, qkv.data(), p.data(), out.data());
  attention_backward(shape, qkv.data(), p.data(), d_out.data(), d_qkv.data());
  append(p, out);
  append(p, d_qkv);
  return p;
}

void compare(AttentionShape shape) {
  const Index tokens = shape.batch * shape.time, width = shape.heads * shape.head_size;
  Numbers numbers(std::uint64_t(shape.time * 131 + shape.head_size));
  const Floats qkv = numbers.fill<float>(tokens * 3 * width, 2.0);
  const Floats d_out = numbers.fill<float>(tokens * width);
  CAPTURE(shape.batch, shape.time, shape.heads, shape.head_size, shape.causal);
  require_same_as_reference([&] { return run(shape, qkv, d_out); });
}

}  // namespace

TEST_CASE("attention equals the reference over times and head sizes") {
  for (const bool causal : {false, true}) {
    for (const Index time : {1, 2, 7, 14, 15, 16, 17, 31, 33, 64, 97}) {
      for (const Index size : {1, 5, 16, 24, 32, 64, 70}) {
        compare(make_shape(1, time, 2, size, causal));
      }
    }
    compare(make_shape(3, 32, 4, 16, causal));
    compare(make_shape(1, 300, 1, 32, causal));
  }
}

TEST_CASE("attention equals the reference with lengths") {
  const std::int32_t lengths[] = {1, 20, 37, 14};
  for (const bool causal : {false, true}) {
    AttentionShape shape = make_shape(4, 37, 2, 16, causal);
    shape.lengths = lengths;
    compare(shape);
  }
}

TEST_CASE("attention of equal scores is the mean of the seen values") {
  // Queries 0: every score is 0, so row t of the probabilities is 1 / (t + 1) and the
  // output is the running mean of the values 0, 1, 2, ...: t / 2.
  const Index time = 9;
  for (const std::string& name : available()) {
    Using implementation(name);
    INFO(name);
    AttentionShape shape = make_shape(1, time, 1, 1, true);
    Floats qkv(std::size_t(3 * time)), p(std::size_t(time * time)), out(std::size_t(1 * time));
    for (Index t = 0; t < time; ++t) {
      qkv[std::size_t(3 * t + 1)] = float(t * t);
      qkv[std::size_t(3 * t + 2)] = float(t);
    }
    attention_forward(shape, qkv.data(), p.data(), out.data());
    for (Index t = 0; t < time; ++t) {
      CHECK(out[std::size_t(t)] == Approx(double(t) / 2).epsilon(1e-6));
      for (Index s = 0; s < time; ++s) {
        const float value = p[std::size_t(t * time + s)];
        if (s <= t) {
          CHECK(value == Approx(1.0 / double(t + 1)).epsilon(1e-6));
        } else {
          CHECK(value == 0.0f);
        }
      }
    }
  }
}

TEST_CASE("attention never looks at what is hidden") {
  // Later tokens, and keys past the length, are NaN: earlier rows stay finite.
  for (const std::string& name : available()) {
    Using implementation(name);
    INFO(name);
    const Index time = 40, size = 16, hidden = 21;
    Numbers numbers(3);
    Floats qkv = numbers.fill<float>(time * 3 * size);
    const Floats d_out = numbers.fill<float>(time * size);
    for (Index t = hidden; t < time; ++t) {
      for (Index i = size; i < 3 * size; ++i) qkv[std::size_t(t * 3 * size + i)] = NAN;
    }
    Floats p(std::size_t(time * time)), out(std::size_t(time * size));
    Floats d_qkv(std::size_t(time * 3 * size));
    attention_forward(make_shape(1, time, 1, size, true), qkv.data(), p.data(), out.data());
    for (Index i = 0; i < hidden * size; ++i) REQUIRE(std::isfinite(out[std::size_t(i)]));
    REQUIRE(std::isnan(out[std::size_t(hidden * size)]));

    AttentionShape shape = make_shape(1, time, 1, size, false);
    const std::int32_t length = std::int32_t(hidden);
    shape.lengths = &length;
    attention_forward(shape, qkv.data(), p.data(), out.data());
    attention_backward(shape, qkv.data(), p.data(), d_out.data(), d_qkv.data());
    for (const float value : out) REQUIRE(std::isfinite(value));
    for (const float value : d_qkv) REQUIRE(std::isfinite(value));
    // Hidden keys and values get no gradient.
    for (Index i = size; i < 3 * size; ++i) {
      REQUIRE(d_qkv[std::size_t(hidden * 3 * size + i)] == 0.0f);
    }
  }
}
