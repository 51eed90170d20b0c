// Weights: slices, codes, reports, and a decoder from 16 bits down to 2.
#include "xfq/quant/weights.h"

#include <algorithm>
#include <cmath>

#include "samples.h"
#include "tiny_decoder.h"
#include "xfq/quant/quality.h"

using namespace xfq::quant;
using xfq::Index;
using xfq::Vector;
using xfq::test::TinyDecoder;

namespace {

SitePlan weights_only(int bits, Granularity granularity, const char* calibration = "minmax") {
  SitePlan setting;
  setting.weight =
      WeightSetting{NumberFormat::integer(bits), granularity, parse_calibration(calibration)};
  return setting;
}

LogitComparison compare(TinyDecoder& tiny, const Vector<float>& parameters) {
  const auto original = tiny.logits(tiny.parameters);
  const auto quantized = tiny.logits(parameters);
  LogitComparison comparison;
  comparison.add(tiny.rows(), tiny.decoder.config().vocab, original.data(), quantized.data(),
                 tiny.targets.data());
  return comparison;
}

}  // namespace

TEST_CASE("slices follow the output channel and the input dimension") {
  // [in, out] = [4, 2]: channel 0 is {1, 2, 3, 4}, channel 1 is {10, 20, 30, 40}.
  const std::vector<float> plain = {1, 10, 2, 20, 3, 30, 4, 40};
  const std::vector<float> tied = {1, 2, 3, 4, 10, 20, 30, 40};
  xfq::models::LinearSite site;
  site.in = 4;
  site.out = 2;
  const auto format = NumberFormat::integer(8);
  const auto steps = [&](const Granularity& granularity, const std::vector<float>& weight) {
    const WeightSetting setting{format, granularity, {}};
    const QuantizedWeight quantized = quantize_weight(site, weight.data(), setting);
    std::vector<double> magnitudes;
    for (const Scale& scale : quantized.scales) {
      magnitudes.push_back(std::round(static_cast<double>(scale.step) * 127 * 1e4) / 1e4);
    }
    // Half a step of the slice's own scale bounds every error.
    std::vector<float> back(8);
    dequantize_weight(site, quantized, setting, back.data());
    const double most = *std::max_element(magnitudes.begin(), magnitudes.end()) / 127;
    for (std::size_t i = 0; i < 8; ++i) {
      CHECK(std::abs(static_cast<double>(back[i] - weight[i])) <= most / 2 * (1 + 1e-5));
    }
    return magnitudes;
  };
  for (const bool transposed : {false, true}) {
    site.tied_embedding = transposed;
    const auto& weight = transposed ? tied : plain;
    CHECK(steps(Granularity::tensor(), weight) == std::vector<double>{40});
    CHECK(steps(Granularity::channel(), weight) == std::vector<double>{4, 40});
    CHECK(steps(Granularity::groups_of(2), weight) == std::vector<double>{2, 4, 20, 40});
    CHECK(steps(Granularity::groups_of(3), weight) == std::vector<double>{3, 4, 30, 40});
  }
  const QuantizedWeight groups =
      quantize_weight(site, tied.data(), {format, Granularity::groups_of(3), {}});
  CHECK(groups.groups == 2);
  CHECK(quantize_weight(site, tied.data(), {format, Granularity::tensor(), {}}).groups == 0);
}

TEST_CASE("only the planned weights change") {
  TinyDecoder tiny;
  const auto sites = tiny.decoder.linears();
  const Plan nothing(sites.size());
  const QuantizedModel same = quantize_weights(tiny.decoder, tiny.parameters, nothing);
  CHECK(same.parameters == tiny.parameters);
  CHECK(same.tensors.empty());
  CHECK(compare(tiny, same.parameters).max_kl() == 0);

  const Plan one = make_plan(sites, weights_only(4, Granularity::channel()),
                             {Selection::Kind::list, {"h.0.mlp.c_fc"}});
  const QuantizedModel model = quantize_weights(tiny.decoder, tiny.parameters, one);
  REQUIRE(model.tensors.size() == 1);
  for (const auto& tensor : tiny.decoder.layout().tensors()) {
    const bool equal = model.parameters.segment(tensor.offset, tensor.size()) ==
                       tiny.parameters.segment(tensor.offset, tensor.size());
    CHECK(equal == (tensor.name != "h.0.mlp.c_fc.weight"));
  }
}

TEST_CASE("reports on weights") {
  TinyDecoder tiny;
  const auto sites = tiny.decoder.linears();
  const QuantizedModel model = quantize_weights(
      tiny.decoder, tiny.parameters, make_plan(sites, weights_only(8, Granularity::tensor())));
  REQUIRE(model.tensors.size() == sites.size());
  for (std::size_t s = 0; s < sites.size(); ++s) {
    const TensorReport& report = model.tensors[s];
    const auto before = tiny.parameters.segment(sites[s].weight, sites[s].in * sites[s].out);
    const auto after = model.parameters.segment(sites[s].weight, sites[s].in * sites[s].out);
    CHECK(report.name == sites[s].name);
    CHECK(report.format == "int8");
    CHECK(report.rows * report.cols == before.size());
    CHECK(report.max == static_cast<double>(before.maxCoeff()));
    CHECK(report.min == static_cast<double>(before.minCoeff()));
    const Eigen::VectorXd exact = before.cast<double>();
    const double noise = (exact - after.cast<double>()).squaredNorm();
    CHECK(*report.sqnr_db == Approx(10 * std::log10(exact.squaredNorm() / noise)).epsilon(1e-10));
    CHECK(*report.clip_share == 0);
    CHECK(*report.code_entropy_bits < 8);
    CHECK(report.range->hi == static_cast<double>(before.cwiseAbs().maxCoeff()));
    CHECK(report.bytes == before.size() + 4);
    CHECK(report.shared_with_lookup == (s + 1 == sites.size()));
    // Channels are output channels.
    CHECK(*report.channel_ratio >= 1);
  }
  CHECK(model.tensors.back().rows == 37);
  CHECK(model.tensors.back().cols == 32);
}

TEST_CASE("an outlier channel shows in its report and is cured by channel scales") {
  TinyDecoder tiny;
  const auto sites = tiny.decoder.linears();
  const auto& site = sites[0];
  for (Index i = 0; i < site.in; ++i) tiny.parameters[site.weight + i * site.out + 5] *= 50;
  const Selection first{Selection::Kind::list, {site.name}};
  const auto report = [&](Granularity granularity) {
    return quantize_weights(tiny.decoder, tiny.parameters,
                            make_plan(sites, weights_only(8, granularity), first))
        .tensors[0];
  };
  CHECK(*report(Granularity::tensor()).channel_ratio > 20);
  CHECK(*report(Granularity::tensor()).code_entropy_bits < 4);
  CHECK(*report(Granularity::channel()).code_entropy_bits > 6);
}

TEST_CASE("weights of fewer bits, larger divergence") {
  TinyDecoder tiny;
  const auto sites = tiny.decoder.linears();
  std::vector<double> kl;
  for (const int bits : {16, 8, 6, 4, 3, 2}) {
    const QuantizedModel model =
        quantize_weights(tiny.decoder, tiny.parameters,
                         make_plan(sites, weights_only(bits, Granularity::channel())));
    kl.push_back(compare(tiny, model.parameters).mean_kl());
  }
  CHECK(std::is_sorted(kl.begin(), kl.end()));
  // Noise power falls by 4 a bit, and a small KL is quadratic in the logits' error: 8 to 6 bits is
  // a factor near (127 / 31)^2 = 16.8, within the spread of one draw.
  CHECK(kl[2] / kl[1] > 8);
  CHECK(kl[2] / kl[1] < 34);
  CHECK(kl[0] < 1e-7);
  CHECK(kl[1] < 1e-2);
  CHECK(kl[5] > 0.1);
  // Rounding twice changes nothing more.
  const Plan plan = make_plan(sites, weights_only(4, Granularity::channel()));
  const QuantizedModel once = quantize_weights(tiny.decoder, tiny.parameters, plan);
  const QuantizedModel twice = quantize_weights(tiny.decoder, once.parameters, plan);
  CHECK((once.parameters - twice.parameters).cwiseAbs().maxCoeff() < 1e-6f);
}

TEST_CASE("every calibration and format runs on weights") {
  TinyDecoder tiny;
  const auto sites = tiny.decoder.linears();
  for (const char* calibration : {"minmax", "percentile:99.9", "mse", "kl", "aciq"}) {
    for (const char* name : {"int", "fp8-e4m3", "fp8-e5m2", "nf4", "mxfp4"}) {
      INFO(calibration << " " << name);
      SitePlan setting = weights_only(8, Granularity::groups_of(32), calibration);
      setting.weight->format = NumberFormat::parse(name);
      const QuantizedModel model =
          quantize_weights(tiny.decoder, tiny.parameters,
                           make_plan(sites, setting, {Selection::Kind::list, {"h.1.attn.c_proj"}}));
      CHECK(model.parameters.allFinite());
      // Thirty-two values are far too few for kl, which then clips nearly everything.
      const double least = std::string(calibration) == "kl" ? 0 : 10;
      CHECK(*model.tensors[0].sqnr_db > least);
    }
  }
}
