// Rounding of weight matrices, slice by slice.
#include "xfq/quant/weights.h"

#include <utility>

#include "input_transform.h"
#include "slices.h"
#include "xfq/core/error.h"
#include "xfq/quant/distortion.h"
#include "xfq/quant/gptq.h"

namespace xfq::quant {
QuantizedWeight quantize_weight(const models::LinearSite& site, const float* weight,
                                const WeightSetting& setting) {
  QuantizedWeight quantized;
  quantized.in = site.in;
  quantized.out = site.out;
  quantized.codes.resize(static_cast<std::size_t>(site.in * site.out));
  const auto slices = slices_of(setting.granularity, site.in, site.out);
  if (setting.granularity.kind != Granularity::Kind::tensor) {
    quantized.groups = static_cast<Index>(slices.size()) / site.out;
  }
  std::vector<float> values;
  std::vector<std::int32_t> codes;
  for (const Slice& slice : slices) {
    gather(site, slice, weight, values);
    const Scale scale = setting.format.fit(slice_range(setting, values));
    codes.resize(values.size());
    setting.format.quantize(static_cast<Index>(values.size()), values.data(), scale, codes.data());
    scatter(site, slice, codes, quantized.codes.data());
    quantized.scales.push_back(scale);
  }
  return quantized;
}

void dequantize_weight(const models::LinearSite& site, const QuantizedWeight& quantized,
                       const WeightSetting& setting, float* weight) {
  XFQ_ASSERT(quantized.in == site.in && quantized.out == site.out);
  const auto slices = slices_of(setting.granularity, site.in, site.out);
  XFQ_ASSERT(slices.size() == quantized.scales.size());
  std::vector<std::int32_t> codes;
  std::vector<float> values;
  for (std::size_t s = 0; s < slices.size(); ++s) {
    gather(site, slices[s], quantized.codes.data(), codes);
    values.resize(codes.size());
    setting.format.dequantize(static_cast<Index>(codes.size()), codes.data(), quantized.scales[s],
                              values.data());
    scatter(site, slices[s], values, weight);
  }
}

namespace {

// `weight` is what was rounded: after the plan's transform.
TensorReport report_of(const models::LinearSite& site, const float* weight, const SitePlan& plan,
                       const QuantizedWeight& quantized) {
  const WeightSetting& setting = *plan.weight;
  // Columns are output channels, as everywhere in reports.
  std::vector<float> by_output(static_cast<std::size_t>(site.in * site.out));
  for (Index i = 0; i < site.in; ++i) {
    for (Index o = 0; o < site.out; ++o) {
      by_output[static_cast<std::size_t>(i * site.out + o)] = weight[weight_offset(site, i, o)];
    }
  }
  const Observation observation = observe(by_output.data(), site.in, site.out);

  Distortion distortion(setting.format);
  const auto slices = slices_of(setting.granularity, site.in, site.out);
  std::vector<float> values;
  std::vector<std::int32_t> codes;
  for (std::size_t s = 0; s < slices.size(); ++s) {
    gather(site, slices[s], weight, values);
    gather(site, slices[s], quantized.codes.data(), codes);
    distortion.add(values.data(), codes.data(), static_cast<Index>(values.size()),
                   quantized.scales[s]);
  }

  TensorReport report = describe(observation, site.name, setting.format);
  report.rows = site.tied_embedding ? site.out : site.in;
  report.cols = site.tied_embedding ? site.in : site.out;
  report.sqnr_db = distortion.sqnr_db();
  report.clip_share = distortion.clip_share();
  report.code_entropy_bits = distortion.code_entropy_bits();
  if (setting.granularity.kind == Granularity::Kind::tensor) {
    std::vector<float> all(weight, weight + site.in * site.out);
    report.range = slice_range(setting, all);
  }
  const WeightBytes bytes = weight_bytes(plan, site.in, site.out);
  report.bytes = bytes.codes + bytes.scales + bytes.outliers;
  report.effective_bits =
      8 * static_cast<double>(report.bytes) / static_cast<double>(site.in * site.out);
  report.shared_with_lookup = site.tied_embedding;
  return report;
}

}  // namespace

QuantizedModel quantize_weights(const std::vector<models::LinearSite>& sites,
                                const Vector<float>& parameters, const Plan& plan,
                                const std::vector<InputMoments>* moments) {
  XFQ_ASSERT(plan.size() == sites.size());
  XFQ_ASSERT(moments == nullptr || moments->size() == sites.size());
  QuantizedModel model;
  model.parameters = parameters;
  model.weights.resize(sites.size());
  for (std::size_t s = 0; s < sites.size(); ++s) {
    if (!plan[s].weight) continue;
    const models::LinearSite& site = sites[s];
    const float* original = parameters.data() + site.weight;
    const InputTransformer transformer(plan[s].input, site.in);
    std::vector<float> weight(original, original + site.in * site.out);
    transformer.apply_to_weight(site, weight.data());
    QuantizedWeight quantized = moments == nullptr
                                    ? quantize_weight(site, weight.data(), *plan[s].weight)
                                    : gptq_weight(site, original, plan[s], (*moments)[s].second);
    model.tensors.push_back(report_of(site, weight.data(), plan[s], quantized));
    float* rounded = model.parameters.data() + site.weight;
    dequantize_weight(site, quantized, *plan[s].weight, rounded);
    transformer.undo_on_weight(site, original, rounded);
    model.weights[s] = std::move(quantized);
  }
  return model;
}

QuantizedModel quantize_weights(const models::Decoder& decoder, const Vector<float>& parameters,
                                const Plan& plan, const std::vector<InputMoments>* moments) {
  return quantize_weights(decoder.linears(), parameters, plan, moments);
}

}  // namespace xfq::quant
