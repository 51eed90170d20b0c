// Second-order rounding against the textbook form of its update, and what it gains.
#include "xfq/quant/gptq.h"

#include <Eigen/LU>
#include <cmath>

#include "samples.h"
#include "tiny_decoder.h"
#include "xfq/quant/hadamard.h"
#include "xfq/quant/quality.h"

using namespace xfq::quant;
using xfq::Index;
using xfq::Matrix;
using xfq::Vector;
using xfq::test::sample;
using xfq::test::Shape;
using xfq::test::TinyDecoder;

namespace {

// Inputs [rows, in] whose channels lean on their neighbours.
Matrix<double> correlated(Index rows, Index in) {
  const auto values = sample(Shape::normal, static_cast<std::size_t>(rows * in), 3);
  Matrix<double> x = xfq::ConstMatrixMap<float>(values.data(), rows, in).cast<double>();
  for (Index c = 1; c < in; ++c) x.col(c) += 0.9 * x.col(c - 1);
  return x;
}

xfq::models::LinearSite site_of(Index in, Index out, bool tied) {
  xfq::models::LinearSite site;
  site.name = "made";
  site.in = in;
  site.out = out;
  site.tied_embedding = tied;
  return site;
}

SitePlan weights_at(int bits, Granularity granularity, Scheme scheme = Scheme::symmetric) {
  SitePlan plan;
  plan.weight = WeightSetting{NumberFormat::integer(bits, scheme), granularity, {}};
  return plan;
}

// The paper's update with the inverse of what is left, computed anew for every input (equation 2
// in the fixed order), one output channel at a time. Scales as in `nearest`.
std::vector<std::int32_t> textbook(const xfq::models::LinearSite& site, const float* weight,
                                   const WeightSetting& setting, const QuantizedWeight& nearest,
                                   Matrix<double> h, double damping) {
  const double added = damping * h.trace() / static_cast<double>(h.rows());
  h += added * Matrix<double>::Identity(h.rows(), h.cols());
  const Index group =
      setting.granularity.kind == Granularity::Kind::group ? setting.granularity.group : site.in;
  std::vector<std::int32_t> codes(nearest.codes.size());
  for (Index o = 0; o < site.out; ++o) {
    Vector<double> w(site.in);
    const auto at = [&](Index i) {
      return site.tied_embedding ? o * site.in + i : i * site.out + o;
    };
    for (Index i = 0; i < site.in; ++i) w[i] = static_cast<double>(weight[at(i)]);
    for (Index q = 0; q < site.in; ++q) {
      const std::size_t s =
          nearest.groups == 0 ? 0 : static_cast<std::size_t>(o * nearest.groups + q / group);
      const Scale& scale = nearest.scales[s];
      const std::int32_t code = setting.format.quantize(static_cast<float>(w[q]), scale);
      codes[static_cast<std::size_t>(at(q))] = code;
      const Index left = site.in - q;
      const Matrix<double> inverse = h.bottomRightCorner(left, left).inverse();
      const double error =
          (w[q] - static_cast<double>(setting.format.dequantize(code, scale))) / inverse(0, 0);
      w.tail(left) -= error * inverse.col(0);
    }
  }
  return codes;
}

}  // namespace

TEST_CASE("codes are those of the textbook update") {
  const Index in = 24;
  const Index out = 5;
  const Matrix<double> x = correlated(200, in);
  const Matrix<double> second = x.transpose() * x / 200.0;
  const auto weight = sample(Shape::normal, static_cast<std::size_t>(in * out), 4);
  for (const bool tied : {false, true}) {
    const auto site = site_of(in, out, tied);
    for (const auto& granularity :
         {Granularity::tensor(), Granularity::channel(), Granularity::groups_of(7)}) {
      for (const Scheme scheme : {Scheme::symmetric, Scheme::affine}) {
        INFO(tied << " " << to_string(granularity) << " " << to_string(scheme));
        const SitePlan plan = weights_at(3, granularity, scheme);
        const auto nearest = quantize_weight(site, weight.data(), *plan.weight);
        const auto rounded = gptq_weight(site, weight.data(), plan, second);
        CHECK(rounded.codes ==
              textbook(site, weight.data(), *plan.weight, nearest, second, kGptqDamping));
        CHECK(rounded.codes != nearest.codes);
        CHECK(rounded.groups == nearest.groups);
        std::vector<float> a(weight.size()), b(weight.size());
        dequantize_weight(site, nearest, *plan.weight, a.data());
        dequantize_weight(site, rounded, *plan.weight, b.data());
        CHECK(output_squared_error(site, weight.data(), b.data(), second) <
              0.7 * output_squared_error(site, weight.data(), a.data(), second));
      }
    }
  }
}

TEST_CASE("the error is that of the outputs") {
  const Matrix<double> x = correlated(50, 6);
  const Matrix<double> second = x.transpose() * x / 50.0;
  const auto weight = sample(Shape::normal, 12, 1);
  const auto other = sample(Shape::normal, 12, 2);
  const Matrix<double> w = xfq::ConstMatrixMap<float>(weight.data(), 6, 2).cast<double>();
  const Matrix<double> v = xfq::ConstMatrixMap<float>(other.data(), 6, 2).cast<double>();
  CHECK(output_squared_error(site_of(6, 2, false), weight.data(), other.data(), second) ==
        Approx((x * (w - v)).squaredNorm() / 50));
}

TEST_CASE("independent inputs, silent inputs: nearest") {
  const auto weight = sample(Shape::normal, 40, 5);
  const auto site = site_of(8, 5, false);
  const SitePlan plan = weights_at(4, Granularity::channel());
  const auto nearest = quantize_weight(site, weight.data(), *plan.weight).codes;
  Matrix<double> second = Matrix<double>::Zero(8, 8);
  CHECK(gptq_weight(site, weight.data(), plan, second).codes == nearest);
  for (Index i = 0; i < 5; ++i) second(i, i) = 1 + static_cast<double>(i);  // three are silent
  CHECK(gptq_weight(site, weight.data(), plan, second).codes == nearest);
  second(0, 1) = second(1, 0) = 100;  // no second moment looks like this
  CHECK_THROWS_AS(gptq_weight(site, weight.data(), plan, second), xfq::Error);
}

TEST_CASE("transforms: rotated moments for rotated weights, nothing for outlier columns") {
  const Index in = 16;
  const Index out = 3;
  const auto site = site_of(in, out, false);
  const Matrix<double> x = correlated(100, in);
  const Matrix<double> second = x.transpose() * x / 100.0;
  const auto weight = sample(Shape::normal, static_cast<std::size_t>(in * out), 6);

  SitePlan rotated = weights_at(4, Granularity::channel());
  rotated.input.hadamard = true;
  Matrix<double> x_rotated = x;
  Hadamard(in).rotate(100, x_rotated.data());
  std::vector<float> w_rotated = weight;
  Hadamard(in).rotate_columns(out, w_rotated.data());
  CHECK(gptq_weight(site, weight.data(), rotated, second).codes ==
        gptq_weight(site, w_rotated.data(), weights_at(4, Granularity::channel()),
                    x_rotated.transpose() * x_rotated / 100.0)
            .codes);

  SitePlan kept = weights_at(4, Granularity::channel());
  kept.input.outlier_columns = {2, 9};
  const auto quantized = gptq_weight(site, weight.data(), kept, second);
  for (Index o = 0; o < out; ++o) {
    CHECK(quantized.codes[static_cast<std::size_t>(2 * out + o)] == 0);
    CHECK(quantized.codes[static_cast<std::size_t>(9 * out + o)] == 0);
  }
}

TEST_CASE("a decoder at 3 bits: closer than round-to-nearest") {
  TinyDecoder tiny;
  const auto sites = tiny.decoder.linears();
  MomentObserver observer(sites);
  tiny.logits(tiny.parameters, &observer);
  const auto moments = observer.moments();
  const Plan plan =
      make_plan(sites, weights_at(3, Granularity::channel()), {Selection::Kind::without_head, {}});
  const auto original = tiny.logits(tiny.parameters);
  const auto kl_of = [&](const QuantizedModel& model) {
    const auto logits = tiny.logits(model.parameters);
    LogitComparison comparison;
    comparison.add(tiny.rows(), 37, original.data(), logits.data(), tiny.targets.data());
    return comparison.mean_kl();
  };
  const QuantizedModel nearest = quantize_weights(tiny.decoder, tiny.parameters, plan);
  const QuantizedModel second_order =
      quantize_weights(tiny.decoder, tiny.parameters, plan, &moments);
  CHECK(kl_of(second_order) < kl_of(nearest));
  for (std::size_t i = 0; i < nearest.tensors.size(); ++i) {
    // Worse in the weights, better in the outputs.
    CHECK(*second_order.tensors[i].sqnr_db < *nearest.tensors[i].sqnr_db);
  }
}
