// Alternating measurements of fp32 and int8 layers.
#include "xfq/quant/layer_speed.h"

#include <time.h>

#include <algorithm>
#include <cmath>

#include "xfq/core/error.h"
#include "xfq/kernels/int8.h"
#include "xfq/kernels/kernels.h"
#include "xfq/stats/quantiles.h"

namespace xfq::quant {
namespace {

// CPU time of this thread: another program on the same core must not count.
double cpu_seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Seconds of one call, over at least `seconds`.
template <class Call>
double time_of(const Call& call, double seconds) {
  int calls = 0;
  const double start = cpu_seconds();
  double passed = 0;
  do {
    call();
    ++calls;
    passed = cpu_seconds() - start;
  } while (passed < seconds);
  return passed / calls;
}

struct MedianInterval {
  double median = 0;
  Interval ci;
};

// Order statistics whose binomial coverage is 95 % or more (needs 6 values).
MedianInterval median_interval(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  const auto rank = static_cast<std::size_t>(std::max<std::int64_t>(
      1, stats::binomial_quantile(0.025, static_cast<std::int64_t>(n), 0.5)));
  const double median = 0.5 * (values[(n - 1) / 2] + values[n / 2]);
  return {median, {values[rank - 1], values[n - rank]}};
}

// One layer with its operands.
class Layer {
 public:
  Layer(Index rows, Index in, Index out)
      : rows_(rows), in_(in), out_(out), x_(rows * in), w_(in * out), bias_(out), y_(rows * out) {
    // Any numbers: a fixed pattern without long runs.
    const auto value = [](Index i) { return static_cast<float>(i * 37 % 251 - 125) / 125.0f; };
    for (Index i = 0; i < x_.size(); ++i) x_[i] = value(i);
    for (Index i = 0; i < w_.size(); ++i) w_[i] = value(i + 7);
    bias_.setConstant(0.5f);
    std::vector<std::int8_t> codes(static_cast<std::size_t>(w_.size()));
    for (std::size_t i = 0; i < codes.size(); ++i) {
      codes[i] = static_cast<std::int8_t>(127.0f * w_[static_cast<Index>(i)]);
    }
    packed_ = kernels::PackedWeights(in, out, codes.data(), out);
    steps_.setConstant(out, 1.0f / 127);
  }

  void run_fp32() {
    kernels::Gemm<float> g;
    g.m = rows_;
    g.n = out_;
    g.k = in_;
    g.a = x_.data();
    g.a_row = in_;
    g.b = w_.data();
    g.b_row = out_;
    g.c = y_.data();
    g.ldc = out_;
    g.bias = bias_.data();
    kernels::gemm(g);
  }
  void run_int8(bool dynamic) {
    kernels::Int8Linear layer;
    layer.m = rows_;
    layer.x = x_.data();
    layer.ldx = in_;
    layer.weights = &packed_;
    layer.weight_steps = steps_.data();
    layer.bias = bias_.data();
    layer.y = y_.data();
    layer.ldy = out_;
    layer.activations.step = 1.0f / 127;
    layer.activations.inverse = 127.0f;
    layer.dynamic = dynamic;
    kernels::int8_linear(layer);
  }

 private:
  Index rows_, in_, out_;
  Vector<float> x_, w_, bias_, y_, steps_;
  kernels::PackedWeights packed_;
};

}  // namespace

std::vector<LayerSpeed> measure_layer_speed(const std::vector<models::LinearSite>& sites,
                                            Index rows, int repeats, double seconds) {
  XFQ_ASSERT(rows >= 1 && repeats >= 6 && seconds > 0);
  std::vector<LayerSpeed> speeds;
  for (const models::LinearSite& site : sites) {
    const auto same = std::find_if(speeds.begin(), speeds.end(), [&](const LayerSpeed& speed) {
      return speed.in == site.in && speed.out == site.out;
    });
    if (same != speeds.end()) {
      same->names.push_back(site.name);
      continue;
    }
    LayerSpeed speed;
    speed.names = {site.name};
    speed.rows = rows;
    speed.in = site.in;
    speed.out = site.out;
    speeds.push_back(speed);
  }
  for (LayerSpeed& speed : speeds) {
    Layer layer(speed.rows, speed.in, speed.out);
    layer.run_fp32();
    layer.run_int8(false);
    layer.run_int8(true);
    std::vector<double> fp32, fixed, dynamic, fixed_ratio, dynamic_ratio;
    for (int r = 0; r < repeats; ++r) {
      fp32.push_back(time_of([&] { layer.run_fp32(); }, seconds));
      fixed.push_back(time_of([&] { layer.run_int8(false); }, seconds));
      dynamic.push_back(time_of([&] { layer.run_int8(true); }, seconds));
      fixed_ratio.push_back(fp32.back() / fixed.back());
      dynamic_ratio.push_back(fp32.back() / dynamic.back());
    }
    speed.fp32_s = median_interval(fp32).median;
    speed.int8_static_s = median_interval(fixed).median;
    speed.int8_dynamic_s = median_interval(dynamic).median;
    const MedianInterval fixed_gain = median_interval(fixed_ratio);
    const MedianInterval dynamic_gain = median_interval(dynamic_ratio);
    speed.static_speedup = fixed_gain.median;
    speed.static_ci = fixed_gain.ci;
    speed.dynamic_speedup = dynamic_gain.median;
    speed.dynamic_ci = dynamic_gain.ci;
  }
  return speeds;
}

}  // namespace xfq::quant
