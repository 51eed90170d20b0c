// Scores and mixed-precision plans.
#include "xfq/quant/sensitivity.h"

#include <cmath>
#include <limits>

#include "samples.h"
#include "tiny_decoder.h"

using namespace xfq::quant;
using xfq::Index;
using xfq::Vector;
using xfq::test::TinyDecoder;

namespace {

SitePlan weights_at(int bits) {
  SitePlan plan;
  plan.weight = WeightSetting{NumberFormat::integer(bits), Granularity::channel(), {}};
  return plan;
}

}  // namespace

TEST_CASE("orders and plans") {
  CHECK(most_sensitive_first({1, 3, 2, 3, -1}) == std::vector<std::size_t>{1, 3, 2, 0, 4});
  const Plan plan(4, weights_at(4));
  const auto bits_of = [](const Plan& p) {
    std::vector<int> bits;
    for (const SitePlan& site : p) bits.push_back(site.weight ? site.weight->format.bits() : 32);
    return bits;
  };
  CHECK(bits_of(only_site(plan, 2)) == std::vector<int>{32, 32, 4, 32});
  const std::vector<std::size_t> order = {2, 0, 3, 1};
  CHECK(bits_of(keep_sites(plan, order, 0)) == std::vector<int>{4, 4, 4, 4});
  CHECK(bits_of(keep_sites(plan, order, 2)) == std::vector<int>{32, 4, 32, 4});
  CHECK(bits_of(keep_sites(plan, order, 3, weights_at(8))) == std::vector<int>{8, 4, 8, 8});
}

TEST_CASE("relative noises of both factors add") {
  std::vector<xfq::models::LinearSite> sites(3);
  sites[0].name = "a";
  sites[1].name = "b";
  sites[2].name = "c";
  TensorReport a, b, x;
  a.name = "a";
  a.sqnr_db = 20;  // noise 1 %
  x.name = "a";
  x.sqnr_db = 13.0102999566398;  // 5 %
  b.name = "b";                  // no error
  const auto scores = sqnr_scores(sites, {a, b}, {x});
  CHECK(scores[0] == Approx(10 * std::log10(0.06)));
  CHECK(scores[1] == -std::numeric_limits<double>::infinity());
  CHECK(scores[2] == -std::numeric_limits<double>::infinity());
  CHECK(sqnr_scores(sites, {a, b}, {})[0] == Approx(-20));
}

TEST_CASE("Fisher: squared gradients of single sequences") {
  TinyDecoder tiny;
  for (int t = 0; t < 16; ++t) tiny.targets[static_cast<std::size_t>(32 + t)] = -1;
  FisherDiagonal fisher(tiny.decoder, 16);
  CHECK_THROWS_AS(fisher.mean(), xfq::Error);
  fisher.add(tiny.parameters, tiny.batch);
  CHECK(fisher.sequences() == 5);  // the third one predicts nothing
  Vector<double> sum = Vector<double>::Zero(tiny.parameters.size());
  for (std::size_t b = 0; b < 6; ++b) {
    if (b == 2) continue;
    xfq::models::TokenBatch one;
    one.batch = 1;
    one.time = 16;
    one.inputs = tiny.inputs.data() + 16 * b;
    one.targets = tiny.targets.data() + 16 * b;
    Vector<float> gradients = Vector<float>::Zero(tiny.parameters.size());
    tiny.decoder.forward_backward(tiny.parameters.data(), one, tiny.workspace, gradients.data());
    sum += gradients.cast<double>().cwiseAbs2();
  }
  CHECK((fisher.mean() - sum / 5).cwiseAbs().maxCoeff() == 0);

  const auto sites = tiny.decoder.linears();
  const Plan plan = make_plan(sites, weights_at(4), {Selection::Kind::without_head, {}});
  const auto rounded = quantize_weights(tiny.decoder, tiny.parameters, plan).parameters;
  const auto scores = fisher_scores(sites, fisher.mean(), tiny.parameters, rounded);
  REQUIRE(scores.size() == sites.size());
  CHECK(scores.back() == 0);  // the head is not rounded
  const auto error = (tiny.parameters - rounded).cast<double>().cwiseAbs2().eval();
  const auto first = sites[0];
  CHECK(scores[0] == Approx(fisher.mean()
                                .segment(first.weight, first.in * first.out)
                                .dot(error.segment(first.weight, first.in * first.out))));
  double all = 0;
  for (const double score : scores) all += score;
  CHECK(all == Approx(fisher.mean().dot(error)));
}
