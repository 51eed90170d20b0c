// Moments of inputs against plain sums.
#include "xfq/quant/input_moments.h"

#include "samples.h"
#include "tiny_decoder.h"

using namespace xfq::quant;
using xfq::Index;
using xfq::Matrix;
using xfq::nn::Site;
using xfq::test::sample;
using xfq::test::Shape;
using xfq::test::TinyDecoder;

TEST_CASE("mean and second moments over batches, padding left out") {
  xfq::models::LinearSite site;
  site.in = 5;
  site.input = {Site::mlp_hidden, 0};
  MomentObserver observer({site});
  CHECK_THROWS_AS(observer.moments(), xfq::Error);
  auto values = sample(Shape::normal, 5 * 60);
  const std::vector<float> before = values;
  std::vector<std::int32_t> targets(60, 1);
  Matrix<double> kept(0, 5);
  for (Index r = 0; r < 60; ++r) {
    if (r % 4 == 1) {
      targets[static_cast<std::size_t>(r)] = -1;
      continue;
    }
    kept.conservativeResize(kept.rows() + 1, 5);
    for (Index c = 0; c < 5; ++c) {
      kept(kept.rows() - 1, c) = static_cast<double>(values[static_cast<std::size_t>(5 * r + c)]);
    }
  }
  observer.use_rows(targets.data());
  observer.forward({Site::mlp_hidden, 0}, values.data(), 40, 5);
  observer.use_rows(targets.data() + 40);
  observer.forward({Site::mlp_hidden, 0}, values.data() + 200, 20, 5);
  observer.forward({Site::mlp_input, 0}, values.data(), 60, 5);  // not a site of ours
  CHECK(values == before);
  const InputMoments moments = observer.moments()[0];
  CHECK(moments.rows == 45);
  CHECK((moments.mean.transpose() - kept.colwise().mean()).cwiseAbs().maxCoeff() < 1e-12);
  // Sums of at most 30 products in float.
  CHECK((moments.second - kept.transpose() * kept / 45.0).cwiseAbs().maxCoeff() < 1e-6);
}

TEST_CASE("all products of a decoder") {
  TinyDecoder tiny;
  const auto sites = tiny.decoder.linears();
  MomentObserver observer(sites);
  tiny.logits(tiny.parameters, &observer);
  const auto moments = observer.moments();
  REQUIRE(moments.size() == sites.size());
  for (std::size_t s = 0; s < sites.size(); ++s) {
    CHECK(moments[s].rows == tiny.rows());
    CHECK(moments[s].second.rows() == sites[s].in);
    CHECK(moments[s].second.isApprox(moments[s].second.transpose()));
  }
  // Norms start as they are: every row has mean 0 and variance 1, so the trace is the width.
  CHECK(moments[0].second.trace() == Approx(32).epsilon(1e-3));
}
