// Activations: observation and rounding inside a decoder.
#include "xfq/quant/activations.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "samples.h"
#include "tiny_decoder.h"
#include "xfq/quant/quality.h"

using namespace xfq::quant;
using xfq::Index;
using xfq::Vector;
using xfq::nn::Site;
using xfq::nn::TapPoint;
using xfq::test::TinyDecoder;

namespace {

// Keeps what the products read, as it is before rounding.
class Recorder final : public xfq::nn::Tap<float> {
 public:
  void forward(const TapPoint& point, float* x, Index rows, Index cols) override {
    inputs[{static_cast<int>(point.site), point.layer}].assign(x, x + rows * cols);
  }
  std::map<std::pair<int, Index>, std::vector<float>> inputs;
};

std::vector<Observation> observe_model(TinyDecoder& tiny) {
  ActivationObserver observer(tiny.decoder.linears());
  tiny.logits(tiny.parameters, &observer);
  observer.start_second_pass();
  tiny.logits(tiny.parameters, &observer);
  return observer.observations();
}

SitePlan activations_only(NumberFormat format, Granularity granularity = Granularity::tensor(),
                          bool dynamic = false, const char* calibration = "minmax") {
  SitePlan setting;
  setting.activation =
      ActivationSetting{format, granularity, dynamic, parse_calibration(calibration)};
  return setting;
}

LogitComparison compare(TinyDecoder& tiny, xfq::nn::Tap<float>& tap) {
  const auto original = tiny.logits(tiny.parameters);
  const auto quantized = tiny.logits(tiny.parameters, &tap);
  LogitComparison comparison;
  comparison.add(tiny.rows(), tiny.decoder.config().vocab, original.data(), quantized.data(),
                 tiny.targets.data());
  return comparison;
}

}  // namespace

TEST_CASE("observing changes nothing and sees the inputs of the products") {
  TinyDecoder tiny;
  const auto plain = tiny.logits(tiny.parameters);
  Recorder recorder;
  tiny.logits(tiny.parameters, &recorder);
  ActivationObserver observer(tiny.decoder.linears());
  CHECK(tiny.logits(tiny.parameters, &observer) == plain);
  observer.start_second_pass();
  CHECK(tiny.logits(tiny.parameters, &observer) == plain);
  const auto sites = tiny.decoder.linears();
  for (std::size_t i = 0; i < sites.size(); ++i) {
    const auto& x = recorder.inputs[{static_cast<int>(sites[i].input.site), sites[i].input.layer}];
    REQUIRE(!x.empty());
    const Observation expected =
        observe(x.data(), static_cast<Index>(x.size()) / sites[i].in, sites[i].in);
    const Observation& seen = observer.observations()[i];
    CHECK(seen.positive() == expected.positive());
    CHECK(seen.negative() == expected.negative());
    CHECK(seen.range() == expected.range());
  }
}

TEST_CASE("padding rows do not count") {
  TinyDecoder tiny;
  Recorder recorder;
  tiny.logits(tiny.parameters, &recorder);
  for (std::size_t r = 0; r < tiny.targets.size(); ++r) {
    if (r % 3 == 1 || r > 80) tiny.targets[r] = -1;
  }
  const auto sites = tiny.decoder.linears();
  ActivationObserver observer(sites);
  observer.use_rows(tiny.targets.data());
  tiny.logits(tiny.parameters, &observer);
  observer.start_second_pass();
  tiny.logits(tiny.parameters, &observer);
  const auto& x = recorder.inputs[{static_cast<int>(Site::mlp_hidden), 1}];
  std::vector<float> kept;
  for (std::size_t r = 0; r < tiny.targets.size(); ++r) {
    if (tiny.targets[r] < 0) continue;
    kept.insert(kept.end(), x.begin() + static_cast<std::ptrdiff_t>(r * 128),
                x.begin() + static_cast<std::ptrdiff_t>((r + 1) * 128));
  }
  const Observation expected = observe(kept.data(), static_cast<Index>(kept.size()) / 128, 128);
  CHECK(observer.observations()[7].positive() == expected.positive());
  CHECK(observer.observations()[7].count() == static_cast<std::int64_t>(kept.size()));

  // Nor do they widen a dynamic range: what happens on them has no effect on the others.
  ActivationQuantizer quantizer(
      sites,
      make_plan(sites, activations_only(NumberFormat::integer(4), Granularity::tensor(), true)),
      {});
  const std::vector<std::int32_t> targets = {0, -1};
  quantizer.use_rows(targets.data());
  std::vector<float> rows(2 * 32, 1.0f);
  std::fill(rows.begin() + 32, rows.end(), 1000.0f);
  rows[3] = 0.6f;
  quantizer.forward({Site::attention_input, 0}, rows.data(), 2, 32);
  CHECK(rows[0] == Approx(1.0));
  CHECK(rows[3] == Approx(4.0 / 7));  // 4.2 steps of 1/7
  CHECK(rows[40] == Approx(1.0));     // saturated
}

TEST_CASE("observers of parts merge") {
  TinyDecoder tiny;
  const auto whole = observe_model(tiny);
  std::vector<std::int32_t> first = tiny.targets;
  std::vector<std::int32_t> second = tiny.targets;
  for (std::size_t r = 0; r < tiny.targets.size(); ++r) (r < 40 ? second : first)[r] = -1;
  const auto sites = tiny.decoder.linears();
  ActivationObserver a(sites);
  ActivationObserver b(sites);
  a.use_rows(first.data());
  b.use_rows(second.data());
  tiny.logits(tiny.parameters, &a);
  tiny.logits(tiny.parameters, &b);
  ActivationObserver total(sites);
  total.merge(a);
  total.merge(b);
  a.start_second_pass_of(total);
  b.start_second_pass_of(total);
  tiny.logits(tiny.parameters, &a);
  tiny.logits(tiny.parameters, &b);
  CHECK_THROWS_AS(a.observations(), xfq::Error);  // a part is not the whole
  a.merge(b);
  for (std::size_t i = 0; i < sites.size(); ++i) {
    CHECK(a.observations()[i].positive() == whole[i].positive());
    CHECK(a.observations()[i].negative() == whole[i].negative());
  }
}

TEST_CASE("passes out of order are errors") {
  TinyDecoder tiny;
  ActivationObserver observer(tiny.decoder.linears());
  CHECK_THROWS_AS(observer.start_second_pass(), xfq::Error);
  tiny.logits(tiny.parameters, &observer);
  CHECK_THROWS_AS(observer.observations(), xfq::Error);
  observer.start_second_pass();
  CHECK_THROWS_AS(observer.observations(), xfq::Error);
  CHECK_THROWS_AS(observer.start_second_pass(), xfq::Error);
  std::vector<float> bad(32, NAN);
  const std::string text = xfq::test::error_of(
      [&] {
        observer.forward({Site::attention_input, 0}, bad.data(), 1, 32);
      },
      xfq::ErrorKind::run);
  CHECK(text.find("input of h.0.attn.c_attn") == 0);
}

TEST_CASE("an empty plan passes everything through") {
  TinyDecoder tiny;
  ActivationQuantizer quantizer(tiny.decoder.linears(), Plan(9), {});
  const auto plain = tiny.logits(tiny.parameters);
  CHECK(tiny.logits(tiny.parameters, &quantizer) == plain);
  CHECK(quantizer.reports().empty());
  CHECK(quantizer.static_scale(0) == nullptr);
}

TEST_CASE("rounding reaches the product, not the residual path") {
  TinyDecoder tiny;
  const auto sites = tiny.decoder.linears();
  const auto observations = observe_model(tiny);
  tiny.logits(tiny.parameters);
  const Vector<float> entry = tiny.workspace.residual[0];
  const Vector<float> after_block = tiny.workspace.residual[1];
  const Vector<float> last = tiny.workspace.residual[2];

  // The head's input alone: every residual state stays.
  ActivationQuantizer head(sites,
                           make_plan(sites, activations_only(NumberFormat::integer(2)),
                                     {Selection::Kind::list, {"wte"}}),
                           observations);
  CHECK(compare(tiny, head).mean_kl() > 0);
  CHECK(tiny.workspace.residual[2] == last);

  // Inputs of the first block rounded to nothing: both branches then add their constants only,
  // and the residual stream itself passes whole.
  SitePlan setting = activations_only(NumberFormat::integer(8));
  std::vector<float> tiny_values(2, 1e-30f);
  std::vector<Observation> zeros;
  for (std::size_t i = 0; i < sites.size(); ++i) zeros.push_back(observe(tiny_values.data(), 2, 1));
  ActivationQuantizer silent(
      sites,
      make_plan(sites, setting, {Selection::Kind::list, {"h.0.attn.c_proj", "h.0.mlp.c_proj"}}),
      zeros);
  tiny.logits(tiny.parameters, &silent);
  CHECK(tiny.workspace.residual[0] == entry);
  // Biases start as zeros: block 0 is the identity but for products with values of 1e-30.
  CHECK((tiny.workspace.residual[1] - entry).cwiseAbs().maxCoeff() < 1e-25f);
  CHECK((after_block - entry).cwiseAbs().maxCoeff() > 0.1f);
}

TEST_CASE("what a tap leaves is what the format says") {
  TinyDecoder tiny;
  const auto sites = tiny.decoder.linears();
  const auto observations = observe_model(tiny);
  const auto format = NumberFormat::integer(5, Scheme::affine);
  Recorder recorder;
  tiny.logits(tiny.parameters, &recorder);
  const auto& x = recorder.inputs[{static_cast<int>(Site::mlp_hidden), 0}];
  const auto rounded = [&](const SitePlan& setting) {
    ActivationQuantizer quantizer(sites, make_plan(sites, setting), observations);
    std::vector<float> y = x;
    quantizer.forward({Site::mlp_hidden, 0}, y.data(), tiny.rows(), 128);
    return y;
  };
  const auto by_pieces = [&](std::size_t size) {
    std::vector<float> y = x;
    for (std::size_t begin = 0; begin < x.size();) {
      const std::size_t end = std::min(begin + size, (begin / 128 + 1) * 128);
      Range range;
      for (std::size_t i = begin; i < end; ++i) {
        range.lo = std::min(range.lo, static_cast<double>(x[i]));
        range.hi = std::max(range.hi, static_cast<double>(x[i]));
      }
      const Scale scale = format.fit(range);
      for (std::size_t i = begin; i < end; ++i) y[i] = format.fake_quantize(x[i], scale);
      begin = end;
    }
    return y;
  };
  CHECK(rounded(activations_only(format, Granularity::token())) == by_pieces(128));
  CHECK(rounded(activations_only(format, Granularity::groups_of(48))) == by_pieces(48));
  // One batch calibrated on itself: static min-max equals dynamic per tensor.
  CHECK(rounded(activations_only(format)) ==
        rounded(activations_only(format, Granularity::tensor(), true)));
}

TEST_CASE("fewer bits, larger divergence; reports agree") {
  TinyDecoder tiny;
  const auto sites = tiny.decoder.linears();
  const auto observations = observe_model(tiny);
  std::vector<double> kl;
  std::vector<double> sqnr;
  for (const int bits : {16, 8, 6, 4, 2}) {
    ActivationQuantizer quantizer(
        sites, make_plan(sites, activations_only(NumberFormat::integer(bits))), observations);
    quantizer.measure(true);
    kl.push_back(compare(tiny, quantizer).mean_kl());
    const auto reports = quantizer.reports();
    REQUIRE(reports.size() == sites.size());
    sqnr.push_back(*reports[0].sqnr_db);
    CHECK(reports[0].rows == tiny.rows());
    CHECK(reports[0].cols == 32);
    CHECK(*reports[0].clip_share == 0);  // its input comes before any rounding
    CHECK(reports[0].effective_bits == bits);
    CHECK(quantizer.static_scale(0)->step ==
          Approx(observations[0].range() / ((1 << (bits - 1)) - 1)).epsilon(1e-6));
  }
  CHECK(std::is_sorted(kl.begin(), kl.end()));
  CHECK(kl[0] < 1e-7);
  CHECK(kl[1] < 1e-2);
  CHECK(kl[4] > 0.1);
  // 20 log10(127 / 31) = 12.2 dB between 8 and 6 bits, while errors are spread evenly.
  CHECK(sqnr[1] - sqnr[2] == Approx(12.25).margin(0.5));
}

TEST_CASE("reports and static ranges need observations") {
  TinyDecoder tiny;
  const auto sites = tiny.decoder.linears();
  const Plan fixed = make_plan(sites, activations_only(NumberFormat()));
  CHECK_THROWS_AS(ActivationQuantizer(sites, fixed, {}), xfq::Error);
  std::vector<Observation> few = observe_model(tiny);
  few.pop_back();
  CHECK_THROWS_AS(ActivationQuantizer(sites, fixed, few), xfq::Error);
  const Plan moving = make_plan(sites, activations_only(NumberFormat(), Granularity::token()));
  const ActivationQuantizer quantizer(sites, moving, {});
  CHECK_THROWS_AS(quantizer.reports(), xfq::Error);
}

TEST_CASE("every calibration and format runs on activations") {
  TinyDecoder tiny;
  const auto sites = tiny.decoder.linears();
  const auto observations = observe_model(tiny);
  for (const char* calibration : {"minmax", "percentile:99.9", "mse", "kl", "aciq"}) {
    for (const char* name : {"int", "fp8-e4m3", "fp8-e5m2", "nf4", "mxfp4"}) {
      INFO(calibration << " " << name);
      const NumberFormat format = NumberFormat::parse(name);
      const Granularity granularity =
          format.kind() == NumberKind::mxfp4 ? Granularity::groups_of(32) : Granularity::tensor();
      ActivationQuantizer quantizer(
          sites, make_plan(sites, activations_only(format, granularity, false, calibration)),
          observations);
      quantizer.measure(true);
      CHECK(std::isfinite(compare(tiny, quantizer).mean_kl()));
      for (const TensorReport& report : quantizer.reports()) CHECK(*report.sqnr_db > 5);
    }
  }
}
