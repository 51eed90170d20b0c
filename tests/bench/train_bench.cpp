// Speed of whole training steps on one thread: batch, forward, backward, clipping,
// AdamW. Three sizes:
//   S  2 layers, width  64, 2 heads, context  32, batch 64, vocabulary 1000
//   M  4 layers, width 128, 4 heads, context  64, batch 12, vocabulary   65
//   L  4 layers, width 256, 8 heads, context 128, batch 16, vocabulary 2000
// tokens/s from the median step, in CPU time so that another program on the core
// does not count, and the share of the processor's measured peak of fused
// multiply-adds: (6 N + 12 L T d) tokens/s / peak.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "peak.h"
#include "timing.h"
#include "xfq/core/random.h"
#include "xfq/kernels/kernels.h"
#include "xfq/models/decoder.h"
#include "xfq/train/optimizer.h"

namespace {

using xfq::bench::cpu_seconds;

using xfq::Index;

/// Best of several bursts, in operations per second.
double measured_peak() {
  double best = 0;
  for (int burst = 0; burst < 40; ++burst) {
    for (const bool wide : {false, true}) {
      if (wide && !__builtin_cpu_supports("avx512f")) continue;
      if (!wide && !__builtin_cpu_supports("fma")) continue;
      const std::int64_t rounds = 20000;
      const double begin = cpu_seconds();
      benchmark::DoNotOptimize(wide ? xfq::bench::peak_avx512(rounds)
                                    : xfq::bench::peak_avx2(rounds));
      const double operations = double(rounds) * double(wide ? xfq::bench::kPeakOperationsAvx512
                                                             : xfq::bench::kPeakOperationsAvx2);
      best = std::max(best, operations / (cpu_seconds() - begin));
    }
  }
  return best;
}

void train(benchmark::State& state, Index layers, Index dim, Index heads, Index context,
           Index batch, Index vocab) {
  xfq::models::DecoderConfig config;
  config.layers = layers;
  config.dim = dim;
  config.heads = heads;
  config.context = context;
  config.vocab = vocab;
  const xfq::models::Decoder decoder(config);
  xfq::Vector<float> parameters;
  xfq::nn::initialise(decoder.layout(), 1, parameters);
  xfq::Vector<float> gradients = xfq::nn::make_parameters<float>(decoder.layout());
  auto workspace = decoder.make_workspace<float>(batch, context);
  xfq::train::Optimizer optimizer(decoder.layout(), {});
  const std::size_t tokens = static_cast<std::size_t>(batch * context);
  std::vector<std::int32_t> inputs(tokens), targets(tokens);

  std::vector<double> seconds;
  std::int64_t step = 0;
  for (auto _ : state) {
    const double begin = cpu_seconds();
    xfq::Stream stream(1, "batch", static_cast<std::uint64_t>(step));
    for (std::size_t i = 0; i < tokens; ++i) {
      inputs[i] = static_cast<std::int32_t>(stream.below(static_cast<std::uint64_t>(vocab)));
      targets[i] = (7 * inputs[i] + 3) % static_cast<std::int32_t>(vocab);
    }
    gradients.setZero();
    decoder.forward_backward(parameters.data(),
                             {batch, context, inputs.data(), targets.data(), nullptr}, workspace,
                             gradients.data());
    optimizer.step(step % 1000, parameters, gradients);
    ++step;
    const double took = cpu_seconds() - begin;
    seconds.push_back(took);
    state.SetIterationTime(took);
  }
  std::nth_element(seconds.begin(), seconds.begin() + static_cast<long>(seconds.size() / 2),
                   seconds.end());
  const double rate = double(tokens) / seconds[seconds.size() / 2];
  static const double peak = measured_peak();
  state.counters["tokens/s"] = rate;
  state.counters["peak_GFLOP/s"] = peak * 1e-9;
  state.counters["share_of_peak"] = rate * decoder.flops_per_token(context) / peak;
}

BENCHMARK_CAPTURE(train, S, 2, 64, 2, 32, 64, 1000)->UseManualTime()->MinTime(3);
BENCHMARK_CAPTURE(train, M, 4, 128, 4, 64, 12, 65)->UseManualTime()->MinTime(3);
BENCHMARK_CAPTURE(train, L, 4, 256, 8, 128, 16, 2000)->UseManualTime()->MinTime(3);

}  // namespace

int main(int argc, char** argv) {
  std::string kernel = "auto";
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.rfind("--kernel=", 0) == 0) kernel = argument.substr(9);
  }
  xfq::kernels::select(kernel);
  benchmark::Initialize(&argc, argv);
  benchmark::AddCustomContext("kernel", xfq::kernels::selected());
  benchmark::RunSpecifiedBenchmarks();
}
