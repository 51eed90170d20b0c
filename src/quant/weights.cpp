// Rounding of weight matrices, slice by slice.
#include "xfq/quant/weights.h"

#include <algorithm>

#include "xfq/core/error.h"
#include "xfq/quant/distortion.h"

namespace xfq::quant {
namespace {

// The values that share a scale: `count` inputs from `first` of output channels
// out_begin .. out_end - 1.
struct Slice {
  Index out_begin = 0;
  Index out_end = 0;
  Index first = 0;
  Index count = 0;
};

std::vector<Slice> slices_of(const Granularity& granularity, Index in, Index out) {
  if (granularity.kind == Granularity::Kind::tensor) return {{0, out, 0, in}};
  const Index size = granularity.kind == Granularity::Kind::group ? granularity.group : in;
  std::vector<Slice> slices;
  for (Index o = 0; o < out; ++o) {
    for (Index i = 0; i < in; i += size) slices.push_back({o, o + 1, i, std::min(size, in - i)});
  }
  return slices;
}

Index offset_of(const models::LinearSite& site, Index i, Index o) {
  return site.tied_embedding ? o * site.in + i : i * site.out + o;
}

template <class T>
void gather(const models::LinearSite& site, const Slice& slice, const T* weight,
            std::vector<T>& values) {
  values.clear();
  for (Index o = slice.out_begin; o < slice.out_end; ++o) {
    for (Index i = slice.first; i < slice.first + slice.count; ++i) {
      values.push_back(weight[offset_of(site, i, o)]);
    }
  }
}

template <class T>
void scatter(const models::LinearSite& site, const Slice& slice, const std::vector<T>& values,
             T* weight) {
  std::size_t k = 0;
  for (Index o = slice.out_begin; o < slice.out_end; ++o) {
    for (Index i = slice.first; i < slice.first + slice.count; ++i) {
      weight[offset_of(site, i, o)] = values[k++];
    }
  }
}

Range slice_range(const WeightSetting& setting, const std::vector<float>& values) {
  const auto size = static_cast<Index>(values.size());
  if (setting.calibration.method != CalibrationMethod::minmax) {
    return calibrate(setting.calibration, observe(values.data(), size, 1), setting.format);
  }
  // Groups are many and small: no histogram for their ends.
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  const Range seen = {std::min(static_cast<double>(*least), 0.0),
                      std::max(static_cast<double>(*most), 0.0)};
  if (setting.format.scheme() == Scheme::affine) return seen;
  return {-seen.magnitude(), seen.magnitude()};
}

}  // namespace

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

TensorReport report_of(const models::LinearSite& site, const float* weight,
                       const WeightSetting& setting, const QuantizedWeight& quantized) {
  // Columns are output channels, as everywhere in reports.
  std::vector<float> by_output(static_cast<std::size_t>(site.in * site.out));
  for (Index i = 0; i < site.in; ++i) {
    for (Index o = 0; o < site.out; ++o) {
      by_output[static_cast<std::size_t>(i * site.out + o)] = weight[offset_of(site, i, o)];
    }
  }
  const Observation observation = observe(by_output.data(), site.in, site.out);

  Distortion distortion(setting.format);
  const auto slices = slices_of(setting.granularity, site.in, site.out);
  std::vector<float> values;
  for (std::size_t s = 0; s < slices.size(); ++s) {
    gather(site, slices[s], weight, values);
    distortion.add(values.data(), static_cast<Index>(values.size()), quantized.scales[s]);
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
  const WeightBytes bytes = weight_bytes(setting, site.in, site.out);
  report.bytes = bytes.codes + bytes.scales;
  report.effective_bits =
      8 * static_cast<double>(report.bytes) / static_cast<double>(site.in * site.out);
  report.shared_with_lookup = site.tied_embedding;
  return report;
}

}  // namespace

QuantizedModel quantize_weights(const std::vector<models::LinearSite>& sites,
                                const Vector<float>& parameters, const Plan& plan) {
  XFQ_ASSERT(plan.size() == sites.size());
  QuantizedModel model;
  model.parameters = parameters;
  for (std::size_t s = 0; s < sites.size(); ++s) {
    if (!plan[s].weight) continue;
    const models::LinearSite& site = sites[s];
    const float* weight = parameters.data() + site.weight;
    const QuantizedWeight quantized = quantize_weight(site, weight, *plan[s].weight);
    model.tensors.push_back(report_of(site, weight, *plan[s].weight, quantized));
    dequantize_weight(site, quantized, *plan[s].weight, model.parameters.data() + site.weight);
  }
  return model;
}

QuantizedModel quantize_weights(const models::Decoder& decoder, const Vector<float>& parameters,
                                const Plan& plan) {
  return quantize_weights(decoder.linears(), parameters, plan);
}

}  // namespace xfq::quant
