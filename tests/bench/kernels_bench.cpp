// Speed of the kernels on one thread, in CPU time.
//
// Before the benchmarks of Google Benchmark (names gemm/..., attention/..., and so
// on) a table of matrix products is printed: forward, dX and dW at eleven layer
// shapes for 256 and 2048 tokens, in GFLOP/s, with the share of the processor's own
// peak and geometric means, beside Eigen and, where it is installed, oneDNN. The
// contenders take turns, so that changes of the clock hit all alike; each figure is
// the median of the turns. --table=off leaves the table out, --table=only prints
// nothing else, --kernel=NAME picks the implementation.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "peak.h"
#include "timing.h"
#include "xfq/kernels/kernels.h"

#ifdef XFQ_BENCH_DNNL
#include <oneapi/dnnl/dnnl.h>
#endif

namespace {

using xfq::bench::cpu_seconds;
using xfq::bench::median;

using xfq::Index;
using namespace xfq::kernels;
using Floats = std::vector<float>;

Floats numbers(Index size) {
  Floats values(static_cast<std::size_t>(size));
  std::uint32_t state = 1;
  for (float& value : values) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(state >> 8) * 0x1p-23f - 1.0f;
  }
  return values;
}

// --- the table ------------------------------------------------------------------------

struct Product {
  Index m, n, k;
  bool a_turned, b_turned;
};

constexpr Index kShapes[][2] = {{64, 64},   {64, 256},   {256, 64},  {128, 128},
                                {128, 512}, {512, 128},  {256, 256}, {256, 1024},
                                {768, 768}, {768, 3072}, {128, 2000}};

Product product(int pass, Index tokens, Index in, Index out) {
  if (pass == 0) return {tokens, out, in, false, false};  // Y = X W
  if (pass == 1) return {tokens, in, out, false, true};   // dX = dY W^T
  return {in, out, tokens, true, false};                  // dW = X^T dY
}

void run_ours(const Product& p, const float* a, const float* b, float* c) {
  Gemm<float> g;
  g.m = p.m;
  g.n = p.n;
  g.k = p.k;
  g.a = a;
  g.a_row = p.a_turned ? 1 : p.k;
  g.a_col = p.a_turned ? p.m : 1;
  g.b = b;
  g.b_row = p.b_turned ? 1 : p.n;
  g.b_col = p.b_turned ? p.k : 1;
  g.c = c;
  g.ldc = p.n;
  gemm(g);
}

void run_dnnl(const Product& p, const float* a, const float* b, float* c) {
#ifdef XFQ_BENCH_DNNL
  dnnl_sgemm(p.a_turned ? 'T' : 'N', p.b_turned ? 'T' : 'N', p.m, p.n, p.k, 1.0f, a,
             p.a_turned ? p.m : p.k, b, p.b_turned ? p.k : p.n, 0.0f, c, p.n);
#else
  (void)p, (void)a, (void)b, (void)c;
#endif
}

// Seconds of one call, from a burst of about two milliseconds.
double time_of(const std::function<void()>& call, int repeats) {
  const double start = cpu_seconds();
  for (int i = 0; i < repeats; ++i) call();
  return (cpu_seconds() - start) / repeats;
}

struct Contender {
  std::string name;
  std::function<void()> prepare;
  std::function<void(const Product&, const float*, const float*, float*)> run;
};

double peak_of(float (*loop)(std::int64_t), std::int64_t operations) {
  if (operations == 0) return 0;
  const std::int64_t rounds = 100000;
  const double start = cpu_seconds();
  benchmark::DoNotOptimize(loop(rounds));
  return double(operations * rounds) / (cpu_seconds() - start) * 1e-9;
}

// Of the widest instructions that the chosen implementation uses.
double peak_gflops() {
  const std::vector<std::string> names = available();
  const bool wide = std::count(names.begin(), names.end(), "avx512") != 0;
  const bool ours_is_narrow = selected() == "avx2" || selected() == "portable";
  if (wide && !ours_is_narrow) {
    return peak_of(xfq::bench::peak_avx512, xfq::bench::kPeakOperationsAvx512);
  }
  if (std::count(names.begin(), names.end(), "avx2") == 0) return 0;
  return peak_of(xfq::bench::peak_avx2, xfq::bench::kPeakOperationsAvx2);
}

void print_table(const std::string& kernel) {
  const int turns = 15;
  std::vector<Contender> contenders = {{kernel, [&] { select(kernel); }, run_ours},
                                       {"eigen", [] { select("eigen"); }, run_ours}};
#ifdef XFQ_BENCH_DNNL
  contenders.push_back({"onednn", [] {}, run_dnnl});
#endif
  const char* passes[] = {"forward", "dX", "dW"};
  select(kernel);
  std::vector<double> peaks;
  for (int i = 0; i < 20; ++i) peaks.push_back(peak_gflops());
  fmt::print("kernel {}; peak of fused multiply-adds {:.1f} GFLOP/s (best of 20: {:.1f})\n",
             selected(), median(peaks), *std::max_element(peaks.begin(), peaks.end()));
  for (const Index tokens : {Index(256), Index(2048)}) {
    for (int pass = 0; pass < 3; ++pass) {
      fmt::print("\n{} with {} tokens: GFLOP/s (% of the peak measured beside it)\n{:>14}",
                 passes[pass], tokens, "");
      for (const Contender& c : contenders) fmt::print("{:>16}", c.name);
      fmt::print("\n");
      std::vector<double> logs(contenders.size()), shares(contenders.size());
      for (const auto& shape : kShapes) {
        const Product p = product(pass, tokens, shape[0], shape[1]);
        const Floats a = numbers(p.m * p.k), b = numbers(p.k * p.n);
        Floats c(static_cast<std::size_t>(p.m * p.n));
        const double work = 2.0 * double(p.m) * double(p.n) * double(p.k);
        const int repeats = std::max(1, static_cast<int>(2e8 / work));
        std::vector<std::vector<double>> rates(contenders.size());
        std::vector<double> beside;
        for (int turn = 0; turn < turns; ++turn) {
          select(kernel);
          beside.push_back(peak_gflops());
          for (std::size_t i = 0; i < contenders.size(); ++i) {
            contenders[i].prepare();
            contenders[i].run(p, a.data(), b.data(), c.data());
            const double seconds =
                time_of([&] { contenders[i].run(p, a.data(), b.data(), c.data()); }, repeats);
            rates[i].push_back(work / seconds * 1e-9);
          }
        }
        const double peak = median(beside);
        fmt::print("{:>6} -> {:<4}", shape[0], shape[1]);
        for (std::size_t i = 0; i < contenders.size(); ++i) {
          const double rate = median(rates[i]);
          fmt::print("{:>9.1f} ({:3.0f}%)", rate, 100 * rate / peak);
          logs[i] += std::log(rate);
          shares[i] += std::log(rate / peak);
        }
        fmt::print("\n");
      }
      fmt::print("{:>14}", "geometric mean");
      const double count = double(std::size(kShapes));
      for (std::size_t i = 0; i < contenders.size(); ++i) {
        fmt::print("{:>9.1f} ({:3.0f}%)", std::exp(logs[i] / count),
                   100 * std::exp(shares[i] / count));
      }
      fmt::print("\n");
    }
  }
  select(kernel);
}

// --- the rest, one benchmark each ------------------------------------------------------

using benchmark::State;

// Reports nanoseconds per element, which is the time of one call over `elements`.
void per_element(State& state, Index elements) {
  state.counters["ns_per_element"] =
      benchmark::Counter(double(elements) * 1e-9, benchmark::Counter::kIsIterationInvariantRate |
                                                      benchmark::Counter::kInvert);
}

AttentionShape shape_of(const State& state) {
  AttentionShape shape;
  shape.batch = 4;
  shape.time = state.range(0);
  shape.heads = 4;
  shape.head_size = state.range(1);
  return shape;
}

// GFLOP/s of the work that a causal mask leaves.
void attention_rate(State& state, const AttentionShape& s, double products) {
  const double pairs = double(s.time) * double(s.time + 1) / 2;
  state.counters["gflops"] =
      benchmark::Counter(products * 2e-9 * pairs * double(s.head_size) * double(s.batch * s.heads),
                         benchmark::Counter::kIsIterationInvariantRate);
}

void attention(State& state, bool backward) {
  const AttentionShape s = shape_of(state);
  const Index tokens = s.batch * s.time, width = s.heads * s.head_size;
  const Floats qkv = numbers(tokens * 3 * width), d_out = numbers(tokens * width);
  Floats p(static_cast<std::size_t>(s.batch * s.heads * s.time * s.time));
  Floats out(d_out.size()), d_qkv(qkv.size());
  attention_forward(s, qkv.data(), p.data(), out.data());
  for (auto _ : state) {
    if (backward) {
      attention_backward(s, qkv.data(), p.data(), d_out.data(), d_qkv.data());
    } else {
      attention_forward(s, qkv.data(), p.data(), out.data());
    }
    benchmark::ClobberMemory();
  }
  attention_rate(state, s, backward ? 4 : 2);
}

void layernorm(State& state, bool backward) {
  const Index rows = 256, width = state.range(0);
  const Floats x = numbers(rows * width), w = numbers(width), d_y = numbers(rows * width);
  Floats b = numbers(width), y(x.size()), mean(256), rstd(256), d_w(w), d_b(w), d_x(x.size());
  layernorm_forward(rows, width, x.data(), w.data(), b.data(), 1e-5f, y.data(), mean.data(),
                    rstd.data());
  for (auto _ : state) {
    if (backward) {
      layernorm_backward(rows, width, x.data(), w.data(), mean.data(), rstd.data(), d_y.data(),
                         d_x.data(), false, d_w.data(), d_b.data());
    } else {
      layernorm_forward(rows, width, x.data(), w.data(), b.data(), 1e-5f, y.data(), mean.data(),
                        rstd.data());
    }
    benchmark::ClobberMemory();
  }
  per_element(state, rows * width);
}

void softmax(State& state) {
  const Index rows = 256, width = state.range(0);
  Floats x = numbers(rows * width);
  for (auto _ : state) {
    softmax_rows(rows, width, x.data(), width);
    benchmark::ClobberMemory();
  }
  per_element(state, rows * width);
}

void xent(State& state) {
  const Index rows = 64, width = state.range(0);
  Floats x = numbers(rows * width);
  const std::vector<std::int32_t> targets(64, 3);
  std::int64_t count = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(cross_entropy(rows, width, x.data(), width, targets.data(),
                                           static_cast<float*>(nullptr), true, 1.0f, &count));
  }
  per_element(state, rows * width);
}

void unary(State& state, void (*function)(Index, const float*, float*)) {
  const Index size = 8192;
  const Floats x = numbers(size);
  Floats y(x.size());
  for (auto _ : state) {
    function(size, x.data(), y.data());
    benchmark::ClobberMemory();
  }
  per_element(state, size);
}

void gelu(State& state, Activation activation, bool backward) {
  const Index size = 8192;
  const Floats x = numbers(size), d_y = numbers(size);
  Floats y(x.size());
  for (auto _ : state) {
    if (backward) {
      activation_backward(activation, size, x.data(), d_y.data(), y.data());
    } else {
      activation_forward(activation, size, x.data(), y.data());
    }
    benchmark::ClobberMemory();
  }
  per_element(state, size);
}

void optimiser(State& state) {
  const Index size = state.range(0);
  const Floats g = numbers(size);
  Floats w = numbers(size), m(w.size()), v(w.size());
  AdamW p;
  p.lr = 1e-4;
  for (auto _ : state) {
    adamw(p, size, w.data(), g.data(), m.data(), v.data());
    benchmark::ClobberMemory();
  }
  per_element(state, size);
}

// One row through a layer: generation token by token.
void gemm_row(State& state) {
  const Index k = state.range(0), n = state.range(1);
  const Floats a = numbers(k), b = numbers(k * n);
  Floats c(static_cast<std::size_t>(n));
  for (auto _ : state) {
    run_ours({1, n, k, false, false}, a.data(), b.data(), c.data());
    benchmark::ClobberMemory();
  }
  state.counters["gflops"] = benchmark::Counter(2e-9 * double(k) * double(n),
                                                benchmark::Counter::kIsIterationInvariantRate);
}

void register_all() {
  benchmark::RegisterBenchmark("gemm/one_row", gemm_row)->Args({256, 1024})->Args({256, 2000});
  for (const bool backward : {false, true}) {
    const std::string end = backward ? "/backward" : "/forward";
    benchmark::RegisterBenchmark(("attention" + end).c_str(),
                                 [=](State& s) { attention(s, backward); })
        ->Args({32, 16})
        ->Args({32, 32})
        ->Args({64, 32})
        ->Args({128, 32})
        ->Args({128, 64})
        ->Args({512, 64});
    benchmark::RegisterBenchmark(("layernorm" + end).c_str(),
                                 [=](State& s) { layernorm(s, backward); })
        ->Arg(64)
        ->Arg(256)
        ->Arg(768);
    benchmark::RegisterBenchmark(("gelu_tanh" + end).c_str(),
                                 [=](State& s) { gelu(s, Activation::gelu_tanh, backward); });
    benchmark::RegisterBenchmark(("gelu_erf" + end).c_str(),
                                 [=](State& s) { gelu(s, Activation::gelu_erf, backward); });
  }
  benchmark::RegisterBenchmark("softmax", softmax)->Arg(32)->Arg(128)->Arg(1000);
  benchmark::RegisterBenchmark("cross_entropy", xent)->Arg(65)->Arg(2000);
  benchmark::RegisterBenchmark("exp", [](State& s) { unary(s, exp_forward<float>); });
  benchmark::RegisterBenchmark("log", [](State& s) { unary(s, log_forward<float>); });
  benchmark::RegisterBenchmark("tanh", [](State& s) { unary(s, tanh_forward<float>); });
  benchmark::RegisterBenchmark("erf", [](State& s) { unary(s, erf_forward<float>); });
  benchmark::RegisterBenchmark("adamw", optimiser)->Arg(8192)->Arg(1 << 22);
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
    kernel = selected();
    if (table != "off") print_table(kernel);
    if (table == "only") return 0;
    register_all();
    benchmark::RunSpecifiedBenchmarks();
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_kernels: {}\n", error.what());
    return 2;
  }
  return 0;
}
