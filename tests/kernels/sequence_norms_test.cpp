// Gradient norms per sequence against the explicit gradients in double.
#include "xfq/kernels/sequence_norms.h"

#include <algorithm>

#include "support.h"

using namespace xfq::kernels;
using namespace xfq::kernels::test;
using xfq::Index;

namespace {

struct Norms {
  Doubles weight, bias;
  Doubles magnitude;  // sum over t, t' of |x_t|.|x_t'| |dy_t|.|dy_t'|, what rounding is in
};

template <class S>
Norms explicit_norms(Index batch, Index time, Index in, Index out, const std::vector<S>& x,
                     Index ldx, const std::vector<S>& dy, Index ld_dy) {
  Norms norms;
  for (Index b = 0; b < batch; ++b) {
    double weight = 0, bias = 0, magnitude = 0;
    for (Index j = 0; j < out; ++j) {
      double sum = 0;
      for (Index t = 0; t < time; ++t) sum += double(dy[std::size_t((b * time + t) * ld_dy + j)]);
      bias += sum * sum;
      for (Index i = 0; i < in; ++i) {
        double gradient = 0, absolute = 0;
        for (Index t = 0; t < time; ++t) {
          const double product = double(x[std::size_t((b * time + t) * ldx + i)]) *
                                 double(dy[std::size_t((b * time + t) * ld_dy + j)]);
          gradient += product;
          absolute += std::fabs(product);
        }
        weight += gradient * gradient;
        magnitude += absolute * absolute;
      }
    }
    norms.weight.push_back(weight);
    norms.bias.push_back(bias);
    norms.magnitude.push_back(magnitude);
  }
  return norms;
}

template <class S>
void check(Index batch, Index time, Index in, Index out, Index pad, double unit) {
  Numbers numbers(std::uint64_t(time * 100 + in * 10 + out));
  const Index ldx = in + pad, ld_dy = out + pad;
  const std::vector<S> x = numbers.fill<S>(batch * time * ldx);
  const std::vector<S> dy = numbers.fill<S>(batch * time * ld_dy);
  const Norms expected = explicit_norms(batch, time, in, out, x, ldx, dy, ld_dy);
  Doubles weight(std::size_t(batch), 1.0), bias(std::size_t(batch), 2.0);
  add_sequence_norms(batch, time, in, out, x.data(), ldx, dy.data(), ld_dy, weight.data(),
                     bias.data());
  // A sum of n products has an error below n unit (1 + n unit) times the sum of the
  // magnitudes (Higham 2002, eq. 3.5), here at most max(T, in, out) products in either form; two
  // such sums are multiplied, and the sums of the products are in double. The magnitudes of
  // the first form, sum (|x_t|.|x_t'|)(|dy_t|.|dy_t'|), are those of the second.
  const double n = double(std::max({time, in, out}));
  for (std::size_t b = 0; b < std::size_t(batch); ++b) {
    CAPTURE(time, in, out, b);
    const double bound = (2 * n * unit * 1.01 + 1e-12) * expected.magnitude[b] + 1e-15;
    CHECK(std::fabs(weight[b] - 1.0 - expected.weight[b]) <= bound);
    // |sums|^2: each sum has the error T unit sum |dy|, and sum |dy| <= T.
    const double bias_bound =
        2.02 * double(time) * unit * double(time * time) * double(out) + 1e-12;
    CHECK(std::fabs(bias[b] - 2.0 - expected.bias[b]) <= bias_bound);
    CHECK(weight[b] > 1.0);
  }
}

}  // namespace

TEST_CASE("sequence norms equal the explicit gradients in both forms") {
  // The row form where T (in + out + 1) T < (T + 1) in out: T = 1, 4 at 32 x 48; the other at
  // T = 40 and at the narrow layers.
  for (const std::string& name : available()) {
    Using implementation(name);
    INFO(name);
    check<float>(3, 1, 32, 48, 0, 0x1p-24);
    check<float>(3, 4, 32, 48, 2, 0x1p-24);
    check<float>(2, 40, 32, 48, 1, 0x1p-24);
    check<float>(2, 9, 3, 5, 0, 0x1p-24);
    check<float>(2, 32, 64, 256, 0, 0x1p-24);
    check<float>(1, 1, 1, 1, 0, 0x1p-24);
  }
  check<double>(3, 1, 32, 48, 0, 0x1p-53);
  check<double>(2, 4, 32, 48, 2, 0x1p-53);
  check<double>(2, 40, 32, 48, 1, 0x1p-53);
}

TEST_CASE("sequence norms in closed form") {
  // T = 1: |x|^2 |dy|^2 (Goodfellow 2015). x = (3, 4), dy = (1, 2, 2): 25 * 9 = 225; bias 9.
  const double x[] = {3, 4}, dy[] = {1, 2, 2};
  double norm = 0;
  add_sequence_norms<double>(1, 1, 2, 3, x, 2, dy, 3, &norm, nullptr);
  CHECK(norm == 225);
  // Both parts into one array.
  add_sequence_norms<double>(1, 1, 2, 3, x, 2, dy, 3, &norm, &norm);
  CHECK(norm == 225 + 225 + 9);
  // Two rows whose gradients cancel.
  const float x2[] = {1, 2, 1, 2}, dy2[] = {5, -5};
  double zero[] = {0, 0};
  add_sequence_norms<float>(1, 2, 2, 1, x2, 2, dy2, 1, zero, zero + 1);
  CHECK(zero[0] == 0);
  CHECK(zero[1] == 0);
}

TEST_CASE("sequence norms have the same bits in every implementation") {
  for (const Index time : {Index(1), Index(5), Index(50)}) {
    require_same_as_reference([&] {
      Numbers numbers(4);
      const Floats x = numbers.fill<float>(2 * time * 33), dy = numbers.fill<float>(2 * time * 40);
      Doubles norms(2);
      add_sequence_norms<float>(2, time, 33, 40, x.data(), 33, dy.data(), 40, norms.data(),
                                norms.data());
      Floats all(4);
      std::memcpy(all.data(), norms.data(), sizeof(double) * 2);
      return all;
    });
  }
}
