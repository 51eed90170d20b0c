// Mean shifts of outputs and their correction.
#include "xfq/quant/bias_correction.h"

#include <cmath>

#include "samples.h"
#include "tiny_decoder.h"
#include "xfq/quant/activations.h"

using namespace xfq::quant;
using xfq::Index;
using xfq::Vector;
using xfq::nn::Site;
using xfq::nn::TapPoint;
using xfq::test::TinyDecoder;

namespace {

std::vector<Vector<double>> means_of(const std::vector<InputMoments>& moments) {
  std::vector<Vector<double>> means;
  for (const auto& m : moments) means.push_back(m.mean);
  return means;
}

// Mean over rows of the first product's output, which the workspace keeps.
Vector<double> mean_qkv(const TinyDecoder& tiny) {
  const xfq::ConstMatrixMap<float> qkv(tiny.workspace.blocks[0].qkv.data(), tiny.rows(), 96);
  return qkv.cast<double>().colwise().mean().transpose();
}

SitePlan setting_of(int bits) {
  SitePlan setting;
  setting.weight = WeightSetting{NumberFormat::integer(bits), Granularity::tensor(), {}};
  setting.activation =
      ActivationSetting{NumberFormat::integer(bits), Granularity::tensor(), true, {}};
  return setting;
}

}  // namespace

TEST_CASE("the mean output is that of the original again") {
  TinyDecoder tiny;
  const auto sites = tiny.decoder.linears();
  tiny.logits(tiny.parameters);
  const Vector<double> original = mean_qkv(tiny);
  MomentObserver observer(sites);
  tiny.logits(tiny.parameters, &observer);
  const auto means = means_of(observer.moments());

  for (const bool codes : {false, true}) {
    for (const bool hadamard : {false, true}) {
      INFO(codes << hadamard);
      SitePlan setting = setting_of(3);
      setting.input.hadamard = hadamard;
      const Plan plan = make_plan(sites, setting);
      QuantizedModel model = quantize_weights(tiny.decoder, tiny.parameters, plan);
      ActivationQuantizer quantizer(sites, plan, {});
      if (codes) quantizer.execute(model, Execution::integer);
      CHECK_THROWS_AS(quantizer.channel_means(), xfq::Error);
      quantizer.collect_means(true);
      tiny.logits(model.parameters, &quantizer);
      const Vector<double> shifted = mean_qkv(tiny);
      const Vector<float> before = model.parameters;
      correct_biases(sites, tiny.parameters, means, quantizer.channel_means(), model);
      tiny.logits(model.parameters, &quantizer);
      // The first product's input does not depend on biases, so its mean is met exactly, up to
      // the rounding of float outputs.
      CHECK((shifted - original).cwiseAbs().maxCoeff() > 1e-2);
      CHECK((mean_qkv(tiny) - original).cwiseAbs().maxCoeff() < 1e-5);
      for (const auto& tensor : tiny.decoder.layout().tensors()) {
        const bool bias = tensor.name.find("attn.c_") != std::string::npos ||
                          tensor.name.find("mlp.c_") != std::string::npos;
        const bool changes = bias && tensor.vector;
        CHECK((model.parameters.segment(tensor.offset, tensor.size()) !=
               before.segment(tensor.offset, tensor.size())) == changes);
      }
    }
  }
}

TEST_CASE("products outside of the plan keep their bias") {
  TinyDecoder tiny;
  const auto sites = tiny.decoder.linears();
  SitePlan setting;
  setting.weight = WeightSetting{NumberFormat::integer(3), Granularity::tensor(), {}};
  const Plan plan = make_plan(sites, setting, {Selection::Kind::list, {"h.1.mlp.c_fc"}});
  QuantizedModel model = quantize_weights(tiny.decoder, tiny.parameters, plan);
  MomentObserver original(sites);
  tiny.logits(tiny.parameters, &original);
  MomentObserver changed(sites);
  tiny.logits(model.parameters, &changed);
  const Vector<float> before = model.parameters;
  correct_biases(sites, tiny.parameters, means_of(original.moments()), means_of(changed.moments()),
                 model);
  const auto* bias = tiny.decoder.layout().find("h.1.mlp.c_fc.bias");
  Vector<float> expected = before;
  expected.segment(bias->offset, bias->size()) =
      model.parameters.segment(bias->offset, bias->size());
  CHECK(model.parameters == expected);
  CHECK(model.parameters != before);
}
