// Speed of the int8 layers on one thread, in CPU time.
//
// Before the benchmarks of Google Benchmark (int8/quantize, int8/one_row) two tables are
// printed for eleven layer shapes at 256 and 2048 tokens: the product of codes in GOP/s with
// the share of the processor's vpdpbusd peak, beside oneDNN's where it is installed; and the
// whole layer (quantize, product, dequantize, bias) with static and with dynamic scales, as
// the gain over the float gemm with bias. The contenders take turns, so that changes of
// the clock hit all alike; each figure is the median of the turns. --table=off leaves the
// tables out, --table=only prints nothing else, --kernel=NAME picks the implementation.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "peak_int8.h"
#include "timing.h"
#include "xfq/kernels/int8.h"
#include "xfq/kernels/kernels.h"

#ifdef XFQ_BENCH_DNNL
#include <oneapi/dnnl/dnnl.h>
#endif

namespace {

using xfq::bench::cpu_seconds;
using xfq::bench::median;

using xfq::Index;
using namespace xfq::kernels;

// Seconds of one call.
double time_of(const std::function<void()>& call, int repeats) {
  call();
  const double start = cpu_seconds();
  for (int i = 0; i < repeats; ++i) call();
  return (cpu_seconds() - start) / repeats;
}

// 0 where the processor or the build has no VNNI.
double peak_gops() {
  if (int8_selected() != "avx512" || xfq::bench::kPeakOperationsVnni512 == 0) return 0;
  const std::int64_t rounds = 50000;
  const double start = cpu_seconds();
  xfq::bench::peak_vnni512(rounds);
  return double(xfq::bench::kPeakOperationsVnni512 * rounds) / (cpu_seconds() - start) * 1e-9;
}

constexpr Index kShapes[][2] = {{64, 64},   {64, 256},   {256, 64},  {128, 128},
                                {128, 512}, {512, 128},  {256, 256}, {256, 1024},
                                {768, 768}, {768, 3072}, {128, 2000}};

// One layer with all that the contenders need.
struct Layer {
  Index m, k, n;
  std::vector<std::uint8_t> codes;
  std::vector<std::int8_t> weights;
  std::vector<float> x, w, y, steps, bias;
  std::vector<std::int32_t> c;
  PackedWeights packed;

  Layer(Index tokens, Index in, Index out) : m(tokens), k(in), n(out) {
    std::uint32_t state = 1;
    const auto next = [&] {
      state = state * 1664525u + 1013904223u;
      return static_cast<std::uint8_t>(state >> 24);
    };
    const auto size = [](Index rows, Index columns) {
      return static_cast<std::size_t>(rows * columns);
    };
    codes.resize(size(m, k));
    for (auto& code : codes) code = next();
    weights.resize(size(k, n));
    for (auto& code : weights) code = static_cast<std::int8_t>(next() % 255 - 127);
    x.resize(codes.size());
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = (float(codes[i]) - 128) / 128;
    w.resize(weights.size());
    for (std::size_t i = 0; i < w.size(); ++i) w[i] = float(weights[i]) / 128;
    y.resize(size(m, n));
    c.resize(y.size());
    steps.assign(size(1, n), 1.0f / 128);
    bias.assign(size(1, n), 0.5f);
    packed = PackedWeights(k, n, weights.data(), n);
  }

  double operations() const { return 2.0 * double(m) * double(n) * double(k); }
  void run_product() { int8_gemm(m, codes.data(), k, packed, c.data(), n); }
  void run_layer(bool dynamic) {
    Int8Linear call;
    call.m = m;
    call.x = x.data();
    call.ldx = k;
    call.weights = &packed;
    call.weight_steps = steps.data();
    call.bias = bias.data();
    call.y = y.data();
    call.ldy = n;
    call.activations.step = 1.0f / 128;
    call.activations.inverse = 128;
    call.dynamic = dynamic;
    int8_linear(call);
  }
  void run_float() {
    Gemm<float> g;
    g.m = m;
    g.n = n;
    g.k = k;
    g.a = x.data();
    g.a_row = k;
    g.b = w.data();
    g.b_row = n;
    g.c = y.data();
    g.ldc = n;
    g.bias = bias.data();
    gemm(g);
  }
  void run_dnnl() {
#ifdef XFQ_BENCH_DNNL
    const std::int32_t offset = 0;
    dnnl_gemm_u8s8s32('N', 'N', 'F', m, n, k, 1.0f, codes.data(), k, 0, weights.data(), n, 0, 0.0f,
                      c.data(), n, &offset);
#endif
  }
};

constexpr int kTurns = 15;

struct Contender {
  std::string name;
  std::function<void(Layer&)> run;
};

// Median seconds of each contender, and the peak measured beside them.
std::vector<double> race(Layer& layer, const std::vector<Contender>& contenders, double* peak) {
  const int repeats = std::max(1, static_cast<int>(4e8 / layer.operations()));
  std::vector<std::vector<double>> seconds(contenders.size());
  std::vector<double> peaks, medians;
  for (int turn = 0; turn < kTurns; ++turn) {
    peaks.push_back(peak_gops());
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      seconds[i].push_back(time_of([&] { contenders[i].run(layer); }, repeats));
    }
  }
  for (const auto& times : seconds) medians.push_back(median(times));
  *peak = median(peaks);
  return medians;
}

// GOP/s and the share of the peak, as far as there are such figures.
std::string rate(double gops, double share) {
  if (!(gops > 0)) return fmt::format("{:>16}", "-");
  if (!std::isfinite(share)) return fmt::format("{:>9.1f}{:>7}", gops, "");
  return fmt::format("{:>9.1f} ({:3.0f}%)", gops, 100 * share);
}

void print_table(Index tokens) {
  std::vector<Contender> contenders = {
      {"product", [](Layer& l) { l.run_product(); }},
      {"static", [](Layer& l) { l.run_layer(false); }},
      {"dynamic", [](Layer& l) { l.run_layer(true); }},
      {"float", [](Layer& l) { l.run_float(); }},
  };
#ifdef XFQ_BENCH_DNNL
  contenders.push_back({"onednn", [](Layer& l) { l.run_dnnl(); }});
#endif
  fmt::print(
      "\n{} tokens; kernel {} (int8: {}): GOP/s (% of the peak measured beside it), and the "
      "float gemm's time over the layer's\n",
      tokens, selected(), int8_selected());
  fmt::print("{:>14}{:>16}{:>16}{:>10}{:>10}{:>10}\n", "", "product", "oneDNN product", "float",
             "static x", "dynamic x");
  std::vector<double> logs(6);
  for (const auto& shape : kShapes) {
    Layer layer(tokens, shape[0], shape[1]);
    double peak = 0;
    const std::vector<double> seconds = race(layer, contenders, &peak);
    const double work = layer.operations() * 1e-9;
    const double rival = contenders.size() > 4 ? work / seconds[4] : 0;
    const double row[] = {work / seconds[0], work / seconds[0] / peak, rival,
                          rival / peak,      seconds[3] / seconds[1],  seconds[3] / seconds[2]};
    fmt::print("{:>6} -> {:<4}{}{}{:>10.1f}{:>10.2f}{:>10.2f}\n", shape[0], shape[1],
               rate(row[0], row[1]), rate(row[2], row[3]), work / seconds[3], row[4], row[5]);
    for (std::size_t i = 0; i < 6; ++i) logs[i] += std::log(row[i]);
  }
  for (double& value : logs) value = std::exp(value / double(std::size(kShapes)));
  fmt::print("{:>14}{}{}{:>10}{:>10.2f}{:>10.2f}\n", "geometric mean", rate(logs[0], logs[1]),
             rate(logs[2], logs[3]), "", logs[4], logs[5]);
}

void quantize(benchmark::State& state) {
  const Layer layer(16, state.range(0), 16);
  std::vector<std::uint8_t> codes(layer.codes.size());
  const auto size = static_cast<Index>(codes.size());
  for (auto _ : state) {
    int8_quantize(size, layer.x.data(), {1.0f / 128, 128.0f, 128, 1, 255}, codes.data());
    benchmark::ClobberMemory();
  }
  state.counters["ns_per_element"] =
      benchmark::Counter(double(size) * 1e-9, benchmark::Counter::kIsIterationInvariantRate |
                                                  benchmark::Counter::kInvert);
}

// One row through a layer: generation token by token.
void one_row(benchmark::State& state) {
  Layer layer(1, state.range(0), state.range(1));
  for (auto _ : state) {
    layer.run_layer(true);
    benchmark::ClobberMemory();
  }
  state.counters["gops"] =
      benchmark::Counter(layer.operations() * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace

int main(int argc, char** argv) {
  // oneDNN reads its number of threads when it is loaded: set it and start again.
  if (std::getenv("OMP_NUM_THREADS") == nullptr) {
    setenv("OMP_NUM_THREADS", "1", 1);
    execv("/proc/self/exe", argv);
  }
  std::string table = "on", kernel = "auto";
  int kept = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (option.rfind("--table=", 0) == 0) {
      table = option.substr(8);
    } else if (option.rfind("--kernel=", 0) == 0) {
      kernel = option.substr(9);
    } else {
      argv[kept++] = argv[i];
    }
  }
  argc = kept;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  try {
    select(kernel);
    if (table != "off") {
      for (const Index tokens : {Index(256), Index(2048)}) print_table(tokens);
    }
    if (table == "only") return 0;
    benchmark::RegisterBenchmark("int8/quantize", quantize)->Arg(64)->Arg(768);
    benchmark::RegisterBenchmark("int8/one_row", one_row)->Args({256, 1024})->Args({256, 2000});
    benchmark::RunSpecifiedBenchmarks();
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_int8: {}\n", error.what());
    return 2;
  }
  return 0;
}
