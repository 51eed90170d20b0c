#include "bits.h"

#include <algorithm>
#include <cmath>

#include "arms.h"
#include "result.h"

namespace xfq::experiments::quantize {

std::vector<BitsRow> measure_bits(const Subject& subject) {
  std::vector<BitsRow> rows;
  const auto measure = [&](const std::string& name, const quant::NumberFormat& format,
                           const std::string& granularity, bool activations) {
    quant::SitePlan setting = site_plan(format, granularity, "mse");
    if (!activations) setting = weights_only(setting);
    const quant::Plan plan = plan_of(subject.decoder(), setting, subject.options());
    rows.push_back({name, format.bits(), granularity, activations,
                    quant::model_bytes(subject.decoder(), plan), subject.score(plan)});
  };
  for (const bool activations : {false, true}) {
    for (const int bits : {2, 3, 4, 5, 6, 7, 8, 16}) {
      measure("int", quant::NumberFormat::integer(bits), "channel", activations);
    }
    measure("int", quant::NumberFormat::integer(4), "group:32", activations);
    for (const char* name : {"fp8-e4m3", "fp8-e5m2"}) {
      measure(name, quant::NumberFormat::parse(name), "channel", activations);
    }
    measure("mxfp4", quant::NumberFormat::parse("mxfp4"), "group:32", activations);
  }
  measure("nf4", quant::NumberFormat::parse("nf4"), "group:32", false);
  return rows;
}

std::vector<WidthLoss> integer_ladder(const std::vector<BitsRow>& rows, bool activations) {
  std::vector<WidthLoss> ladder;
  for (const BitsRow& row : rows) {
    if (row.format == "int" && row.granularity == "channel" && row.activations == activations) {
      ladder.push_back({row.bits, row.score.delta_nll});
    }
  }
  return ladder;
}

std::int64_t smallest_width(const std::vector<WidthLoss>& ladder, double band,
                            const std::vector<std::int64_t>& allowed) {
  std::vector<WidthLoss> widths;
  for (const WidthLoss& width : ladder) {
    const bool counts =
        allowed.empty() || std::find(allowed.begin(), allowed.end(), width.bits) != allowed.end();
    if (counts) widths.push_back(width);
  }
  std::sort(widths.begin(), widths.end(),
            [](const WidthLoss& a, const WidthLoss& b) { return a.bits > b.bits; });
  std::int64_t smallest = 32;
  for (const WidthLoss& width : widths) {
    if (std::abs(width.delta_nll) > band) break;
    smallest = width.bits;
  }
  return smallest;
}

Table bits_table(const std::vector<SeedResult>& seeds) {
  Table table{"bits",
              {"format", "bits", "granularity", "activations", "seed", "bytes",
               "bits_per_parameter", "nll", "delta_nll", "kl_mean", "same_top"},
              {}};
  for (const SeedResult& seed : seeds) {
    for (const BitsRow& row : seed.bits) {
      table.rows.push_back({row.format, row.bits, row.granularity, row.activations, seed.number(),
                            row.bytes.quantized, row.bytes.bits_per_parameter, row.score.nll,
                            row.score.delta_nll, row.score.kl, row.score.same_top});
    }
  }
  return table;
}

}  // namespace xfq::experiments::quantize
