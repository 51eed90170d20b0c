#include "frontier.h"

#include <algorithm>
#include <cmath>

#include "arms.h"
#include "result.h"

namespace xfq::experiments::quantize {

std::vector<FrontierRow> measure_frontier(const Subject& subject) {
  std::vector<FrontierRow> rows;
  const std::int64_t width = subject.decoder().config().dim;
  for (const int bits : {2, 3, 4, 5, 6, 8}) {
    const quant::SitePlan setting =
        weights_only(site_plan(quant::NumberFormat::integer(bits), "channel", "minmax"));
    const quant::Plan plan = plan_of(subject.decoder(), setting, subject.options());
    rows.push_back({width, bits, quant::model_bytes(subject.decoder(), plan).quantized,
                    subject.score(plan).nll});
  }
  const quant::Plan fp32(subject.sites().size());
  rows.push_back({width, 32, quant::model_bytes(subject.decoder(), fp32).fp32, subject.nll()});
  return rows;
}

std::optional<double> equal_bytes_difference(const std::vector<FrontierRow>& rows,
                                             std::int64_t fewer, std::int64_t more) {
  std::vector<FrontierRow> line;
  for (const FrontierRow& row : rows) {
    if (row.bits == fewer) line.push_back(row);
  }
  std::sort(line.begin(), line.end(),
            [](const FrontierRow& a, const FrontierRow& b) { return a.bytes < b.bytes; });
  double sum = 0;
  int sizes = 0;
  for (const FrontierRow& row : rows) {
    if (row.bits != more) continue;
    for (std::size_t i = 1; i < line.size(); ++i) {
      if (row.bytes < line[i - 1].bytes || row.bytes > line[i].bytes) continue;
      const auto log_bytes = [](const FrontierRow& at) {
        return std::log(static_cast<double>(at.bytes));
      };
      const double part =
          (log_bytes(row) - log_bytes(line[i - 1])) / (log_bytes(line[i]) - log_bytes(line[i - 1]));
      sum += line[i - 1].nll + part * (line[i].nll - line[i - 1].nll) - row.nll;
      ++sizes;
      break;
    }
  }
  if (sizes == 0) return std::nullopt;
  return sum / sizes;
}

std::vector<bool> on_frontier(const std::vector<FrontierRow>& rows) {
  std::vector<bool> best;
  for (const FrontierRow& row : rows) {
    best.push_back(std::none_of(rows.begin(), rows.end(), [&](const FrontierRow& other) {
      const bool no_worse = other.bytes <= row.bytes && other.nll <= row.nll;
      return no_worse && (other.bytes < row.bytes || other.nll < row.nll);
    }));
  }
  return best;
}

Table frontier_table(const std::vector<SeedResult>& seeds) {
  Table table{"frontier", {"width", "bits", "seed", "bytes", "nll", "on_frontier"}, {}};
  for (const SeedResult& seed : seeds) {
    const std::vector<FrontierRow> rows = seed.frontier_rows();
    const std::vector<bool> best = on_frontier(rows);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      table.rows.push_back({rows[i].width, rows[i].bits, seed.number(), rows[i].bytes, rows[i].nll,
                            static_cast<bool>(best[i])});
    }
  }
  return table;
}

}  // namespace xfq::experiments::quantize
