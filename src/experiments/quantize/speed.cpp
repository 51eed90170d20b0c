#include "speed.h"

#include <fmt/format.h>

#include <cmath>

#include "xfq/kernels/int8.h"
#include "xfq/quant/layer_speed.h"
#include "xfq/stats/claims.h"

namespace xfq::experiments::quantize {

namespace {

constexpr Index kRows = 512;  // tokens per call
/// Below this gain nobody would change a model for speed.
constexpr double kWorthIt = 1.5;

/// Time of all layers in fp32 over their time in int8, from the layers' own times.
double total_speedup(const std::vector<quant::LayerSpeed>& layers,
                     double quant::LayerSpeed::*int8) {
  double fp32 = 0, integer = 0;
  for (const quant::LayerSpeed& layer : layers) {
    const auto count = static_cast<double>(layer.names.size());
    fp32 += count * layer.fp32_s;
    integer += count * (layer.*int8);
  }
  return fp32 / integer;
}

Table speed_table(const std::vector<quant::LayerSpeed>& layers) {
  Table table{
      "speed",
      {"layers", "rows", "in", "out", "kernel", "fp32_us", "int8_static_us", "int8_dynamic_us",
       "static_speedup", "static_lo", "static_hi", "dynamic_speedup", "dynamic_lo", "dynamic_hi"},
      {}};
  for (const quant::LayerSpeed& layer : layers) {
    table.rows.push_back(
        {fmt::format("{}", fmt::join(layer.names, " ")), static_cast<std::int64_t>(layer.rows),
         static_cast<std::int64_t>(layer.in), static_cast<std::int64_t>(layer.out),
         kernels::int8_selected(), 1e6 * layer.fp32_s, 1e6 * layer.int8_static_s,
         1e6 * layer.int8_dynamic_s, layer.static_speedup, layer.static_ci.lo, layer.static_ci.hi,
         layer.dynamic_speedup, layer.dynamic_ci.lo, layer.dynamic_ci.hi});
  }
  return table;
}

}  // namespace

void fill_speed(const models::Decoder& decoder, const Options& options, Monitor& monitor,
                Record& record) {
  if (monitor.stop_requested()) return;
  std::vector<models::LinearSite> sites = decoder.linears();
  if (!options.quantize_head) sites.pop_back();
  const std::vector<quant::LayerSpeed> layers = quant::measure_layer_speed(sites, kRows);
  record.cost.tables.push_back(speed_table(layers));
  const auto add = [&](const std::string& id, double speedup) {
    Metric metric;
    metric.id = id;
    metric.unit = "times fp32";
    metric.better = Better::higher;
    metric.value = speedup;
    record.cost.measurements.push_back(metric);
  };
  add("int8.static_speedup", total_speedup(layers, &quant::LayerSpeed::int8_static_s));
  add("int8.dynamic_speedup", total_speedup(layers, &quant::LayerSpeed::int8_dynamic_s));

  // The layer that takes the longest in fp32 decides.
  const quant::LayerSpeed* longest = &layers.front();
  for (const quant::LayerSpeed& layer : layers) {
    if (layer.fp32_s > longest->fp32_s) longest = &layer;
  }
  stats::Estimate estimate;
  estimate.value = longest->static_speedup;
  estimate.ci = longest->static_ci;
  estimate.over_seeds = false;
  record.cost.tests.push_back(
      {"quant.int8-sweet-spot",
       stats::make_test(fmt::format("the longest layer runs at least {} times as fast in int8 as "
                                    "in fp32, quantization included",
                                    kWorthIt),
                        stats::at_least(kWorthIt), estimate)
           .test});
}

}  // namespace xfq::experiments::quantize
