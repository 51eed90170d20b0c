#include "synthetic.h"

#include <algorithm>
#include <cmath>

#include "../numbers.h"
#include "result.h"
#include "xfq/core/random.h"
#include "xfq/quant/calibration.h"
#include "xfq/quant/distortion.h"
#include "xfq/quant/observer.h"

namespace xfq::experiments::quantize {

namespace {

const std::vector<std::string>& methods() {
  static const std::vector<std::string> names = {
      "minmax", "percentile:99.9", "percentile:99.99", "percentile:99.999", "mse", "kl", "aciq"};
  return names;
}

constexpr double kOutlierShare = 0.001;

/// Normal values whose outliers are that many times as large.
struct OutlierSource {
  const char* name;
  float factor;
};
constexpr OutlierSource kOutlierSources[] = {
    {"outliers:5", 5}, {"outliers:10", 10}, {"outliers:20", 20}, {"outliers:60", 60}};

/// Values of all sources, drawn together so that they share what can be shared.
class Draw {
 public:
  Draw(std::uint64_t seed, std::int64_t size) : stream_(seed, "quantize/synthetic") {
    const auto count = static_cast<std::size_t>(size);
    for (auto* values : {&normal_, &laplace_, &t4_, &t3_}) values->resize(count);
    outlier_.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      const double normal = stream_.normal();
      const double exponential = -std::log(1 - stream_.uniform());
      const double gamma = exponential - std::log(1 - stream_.uniform());
      const double other = stream_.normal();
      normal_[i] = static_cast<float>(normal);
      laplace_[i] = static_cast<float>(normal < 0 ? -exponential : exponential);
      // Chi squared with 4 degrees of freedom is 2 * gamma, with 3 it is 2 * exponential +
      // normal^2.
      t4_[i] = static_cast<float>(normal / std::sqrt(2 * gamma / 4));
      t3_[i] = static_cast<float>(normal / std::sqrt((2 * exponential + other * other) / 3));
      outlier_[i] = stream_.bernoulli(kOutlierShare) ? 1 : 0;
    }
  }

  std::vector<float> values(const std::string& source) const {
    if (source == "normal") return normal_;
    if (source == "laplace") return laplace_;
    if (source == "t4") return t4_;
    if (source == "t3") return t3_;
    std::vector<float> values = normal_;
    for (const OutlierSource& outliers : kOutlierSources) {
      if (source != outliers.name) continue;
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (outlier_[i]) values[i] *= outliers.factor;
      }
    }
    return values;
  }

 private:
  Stream stream_;
  std::vector<float> normal_, laplace_, t4_, t3_;
  std::vector<char> outlier_;
};

}  // namespace

const std::vector<std::string>& source_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all = {"normal", "laplace", "t4", "t3"};
    for (const OutlierSource& outliers : kOutlierSources) all.emplace_back(outliers.name);
    return all;
  }();
  return names;
}

std::vector<SyntheticRow> measure_synthetic(std::uint64_t seed,
                                            const std::vector<std::int64_t>& sizes) {
  const Draw draw(seed, *std::max_element(sizes.begin(), sizes.end()));
  const quant::NumberFormat format = quant::NumberFormat::integer(8);
  std::vector<SyntheticRow> rows;
  for (const std::string& source : source_names()) {
    const std::vector<float> values = draw.values(source);
    for (const std::int64_t size : sizes) {
      const quant::Observation observation = quant::observe(values.data(), size, 1);
      for (const std::string& method : methods()) {
        const quant::Range range =
            quant::calibrate(quant::parse_calibration(method), observation, format);
        quant::Distortion distortion(format);
        distortion.add(values.data(), size, format.fit(range));
        rows.push_back({source, size, method, range.magnitude(), distortion.sqnr_db(),
                        distortion.clip_share().value_or(0)});
      }
    }
  }
  return rows;
}

std::optional<double> sqnr_difference(const std::vector<SyntheticRow>& rows,
                                      const std::string& source, std::int64_t size,
                                      const std::string& calibration, const std::string& other) {
  std::optional<double> first, second;
  for (const SyntheticRow& row : rows) {
    if (row.source != source || row.size != size) continue;
    if (row.calibration == calibration) first = row.sqnr_db;
    if (row.calibration == other) second = row.sqnr_db;
  }
  if (!first || !second) return std::nullopt;
  return *first - *second;
}

Table synthetic_table(const std::vector<SeedResult>& seeds) {
  Table table{"synthetic",
              {"source", "size", "calibration", "seed", "threshold", "sqnr_db", "clip_share"},
              {}};
  for (const SeedResult& seed : seeds) {
    for (const SyntheticRow& row : seed.synthetic) {
      table.rows.push_back({row.source, row.size, row.calibration, seed.number(), row.threshold,
                            cell(row.sqnr_db), row.clip_share});
    }
  }
  return table;
}

}  // namespace xfq::experiments::quantize
