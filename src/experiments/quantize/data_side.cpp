#include "data_side.h"

#include "../numbers.h"
#include "xfq/quant/histogram_distortion.h"
#include "xfq/quant/theory.h"

namespace xfq::experiments::quantize {

namespace {

struct Tensor {
  std::string kind;  ///< "weight" or "activation"
  std::string name;
  quant::Observation observation;
};

/// Weights as they are, activations as calibration saw them; products that are left out of the
/// plan too.
std::vector<Tensor> tensors(const Subject& subject) {
  std::vector<Tensor> all;
  for (const models::LinearSite& site : subject.sites()) {
    all.push_back({"weight", site.name,
                   quant::observe(subject.parameters().data() + site.weight, site.in, site.out)});
  }
  for (std::size_t i = 0; i < subject.sites().size(); ++i) {
    all.push_back({"activation", subject.sites()[i].name, subject.observations()[i]});
  }
  return all;
}

void add_sqnr(const Tensor& tensor, Table& table) {
  const quant::Observation& observation = tensor.observation;
  const double kurtosis = observation.statistics().moments().excess_kurtosis().value_or(0);
  const quant::Density density = quant::fit_density(kurtosis);
  for (const int bits : {2, 3, 4, 5, 6, 7, 8, 10, 12, 16}) {
    const auto format = quant::NumberFormat::integer(bits);
    const auto at = [&](const char* calibration) {
      const quant::Range range =
          quant::calibrate(quant::parse_calibration(calibration), observation, format);
      return quant::histogram_distortion(observation, format, format.fit(range));
    };
    const quant::HistogramDistortion widest = at("minmax");
    const quant::HistogramDistortion best = at("mse");
    table.rows.push_back(
        {tensor.kind, tensor.name, std::int64_t{bits}, cell(widest.sqnr_db), cell(best.sqnr_db),
         best.clip_share, best.code_entropy_bits, best.histogram_kl, quant::to_string(density),
         quant::six_db_per_bit_db(bits), quant::rate_distortion_db(density, bits),
         quant::lloyd_max_db(density, bits), quant::panter_dite_db(density, bits)});
  }
}

void add_histogram(const Tensor& tensor, Table& table) {
  for (const quant::DrawnBin& bin : quant::drawn_histogram(tensor.observation)) {
    table.rows.push_back({tensor.kind, tensor.name, bin.lo, bin.hi, bin.share});
  }
}

/// Every 16th of the candidates, and the best.
void add_kl_curve(const Tensor& tensor, Table& table) {
  constexpr std::size_t kEvery = 16;
  const quant::NumberFormat format;
  const quant::KlSearch search = quant::kl_search(
      tensor.observation.magnitudes(), tensor.observation.bin_width(), quant::kl_levels(format));
  for (std::size_t i = 0; i < search.curve.size(); ++i) {
    const bool chosen = search.curve[i].threshold == search.threshold;
    if (i % kEvery != 0 && i + 1 != search.curve.size() && !chosen) continue;
    table.rows.push_back({tensor.name, search.curve[i].threshold,
                          search.curve[i].threshold / tensor.observation.range(),
                          search.curve[i].divergence, chosen});
  }
}

}  // namespace

DataSide measure_data_side(const Subject& subject) {
  DataSide side;
  side.sqnr = {"sqnr",
               {"kind", "name", "bits", "minmax_db", "mse_db", "clip_share", "code_entropy_bits",
                "histogram_kl", "density", "six_db_per_bit_db", "rate_distortion_db",
                "lloyd_max_db", "panter_dite_db"},
               {}};
  side.histograms = {"histograms", {"kind", "name", "lo", "hi", "share"}, {}};
  side.kl_curve = {"kl_curve", {"name", "threshold", "share_of_range", "divergence", "chosen"}, {}};
  for (const Tensor& tensor : tensors(subject)) {
    subject.stop_if_asked();
    add_sqnr(tensor, side.sqnr);
    add_histogram(tensor, side.histograms);
    if (tensor.kind == "activation") add_kl_curve(tensor, side.kl_curve);
  }
  return side;
}

}  // namespace xfq::experiments::quantize
