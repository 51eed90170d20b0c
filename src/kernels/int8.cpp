// The public functions of the int8 layers: packing, the choice of an implementation,
// and the plain reference.
#include "xfq/kernels/int8.h"

#include <cmath>
#include <limits>

#include "check.h"
#include "int8_table.h"
#include "scratch.h"
#include "xfq/core/error.h"
#include "xfq/kernels/kernels.h"

namespace xfq::kernels {
namespace {

// --- the reference ----------------------------------------------------------------------

std::uint8_t code_of(float x, const Int8Scale& scale) {
  const auto lo = static_cast<float>(scale.lowest - scale.zero_point);
  const auto hi = static_cast<float>(scale.highest - scale.zero_point);
  float v = x * scale.inverse;
  v = lo < v ? v : lo;  // NaN becomes lo
  v = v < hi ? v : hi;
  return static_cast<std::uint8_t>(static_cast<std::int32_t>(std::nearbyint(v)) + scale.zero_point);
}

void quantize(Index size, const float* x, const Int8Scale& scale, std::uint8_t* codes) {
  for (Index i = 0; i < size; ++i) codes[i] = code_of(x[i], scale);
}

float largest_magnitude(Index size, const float* x) {
  float largest = 0;
  for (Index i = 0; i < size; ++i) {
    const float magnitude = std::fabs(x[i]);
    if (magnitude > largest) largest = magnitude;
  }
  return std::fmin(largest, std::numeric_limits<float>::max());
}

std::int8_t packed_code(const Int8Call& g, Index p, Index j) {
  const Index panel = j / kInt8Panel * kInt8Panel;
  const Index left = (g.n - panel + 15) / 16 * 16;
  const Index columns = left < kInt8Panel ? left : kInt8Panel;
  const Index groups = (g.k + kInt8Group - 1) / kInt8Group;
  return g.panels[panel * groups * kInt8Group +
                  (p / kInt8Group * columns + j - panel) * kInt8Group + p % kInt8Group];
}

void run(const Int8Call& g) {
  auto* codes = static_cast<std::uint8_t*>(scratch(Slot::codes, g.k));
  for (Index i = 0; i < g.m; ++i) {
    Int8Scale scale = g.scale;
    const std::uint8_t* row = g.codes + i * g.ld_codes;
    if (g.codes == nullptr) {
      const float* x = g.x + i * g.ldx;
      if (g.dynamic) scale = int8_row_scale(scale, largest_magnitude(g.k, x));
      quantize(g.k, x, scale, codes);
      row = codes;
    }
    for (Index j = 0; j < g.n; ++j) {
      std::int32_t sum = 0;
      for (Index p = 0; p < g.k; ++p) sum += row[p] * packed_code(g, p, j);
      if (g.codes != nullptr) {
        g.c[i * g.ldc + j] = sum;
        continue;
      }
      sum -= scale.zero_point * g.column_sums[j];
      const float factor = scale.step * g.weight_steps[j];
      const float value = factor * static_cast<float>(sum);
      g.y[i * g.ldy + j] = g.bias == nullptr ? value : value + g.bias[j];
    }
  }
}

// --- the choice ----------------------------------------------------------------------------

bool processor_has(const char* name) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (name[3] == '2') return __builtin_cpu_supports("avx2");
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512vnni");
#else
  (void)name;
  return false;
#endif
}

const Int8Kernels& table() {
  static const Int8Kernels* const avx2 =
      processor_has("avx2") && int8_avx2() != nullptr ? int8_avx2() : int8_portable();
  static const Int8Kernels* const best =
      processor_has("avx512") && int8_vnni512() != nullptr ? int8_vnni512() : avx2;
  const std::string name = selected();
  if (name == "reference") return *int8_reference();
  if (name == "portable") return *int8_portable();
  if (name == "avx2") return *avx2;
  if (name == "check") {
    static const Int8Kernels* const checked = check_int8(*best);
    return *checked;
  }
  return *best;
}

Int8Scale scale_of(const ActivationCodes& codes) {
  XFQ_ASSERT(0 <= codes.lowest && codes.lowest <= codes.zero_point &&
             codes.zero_point <= codes.highest && codes.highest <= 255);
  return {codes.step, codes.inverse, codes.zero_point, codes.lowest, codes.highest};
}

}  // namespace

const Int8Kernels* int8_reference() {
  static constexpr Int8Kernels kTable = {"reference", run, quantize, largest_magnitude};
  return &kTable;
}

std::string int8_selected() { return table().name; }

PackedWeights::PackedWeights(Index k, Index n, const std::int8_t* codes, Index ld) : k_(k), n_(n) {
  if (k > kInt8MaxDepth) {
    throw_run("got an int8 layer with " + std::to_string(k) + " inputs, expected at most " +
              std::to_string(kInt8MaxDepth));
  }
  const Index groups = (k + kInt8Group - 1) / kInt8Group;
  const Index padded = (n + 15) / 16 * 16;
  panels_.resize(static_cast<std::size_t>(groups * padded / 16));
  column_sums_.resize(static_cast<std::size_t>(padded));
  for (Index j = 0; j < n; ++j) {
    const Index panel = j / kInt8Panel * kInt8Panel;
    const Index columns = padded - panel < kInt8Panel ? padded - panel : kInt8Panel;
    for (Index p = 0; p < k; ++p) {
      const std::int8_t code = codes[p * ld + j];
      const Index at = panel * groups * kInt8Group +
                       (p / kInt8Group * columns + j - panel) * kInt8Group + p % kInt8Group;
      panels_[static_cast<std::size_t>(at / 64)].codes[at % 64] = code;
      column_sums_[static_cast<std::size_t>(j)] += code;
    }
  }
}

void int8_quantize(Index size, const float* x, const ActivationCodes& how, std::uint8_t* codes) {
  table().quantize(size, x, scale_of(how), codes);
}

ActivationCodes int8_row_codes(Index size, const float* x, const ActivationCodes& how) {
  XFQ_ASSERT(how.highest > how.zero_point);
  const Int8Scale row = int8_row_scale(scale_of(how), table().largest_magnitude(size, x));
  return {row.step, row.inverse, row.zero_point, row.lowest, row.highest};
}

void int8_gemm(Index m, const std::uint8_t* a, Index lda, const PackedWeights& weights,
               std::int32_t* c, Index ldc) {
  Int8Call call = {};
  call.m = m;
  call.n = weights.n();
  call.k = weights.k();
  if (m <= 0 || call.n <= 0) return;
  call.panels = weights.panels();
  call.column_sums = weights.column_sums();
  call.codes = a;
  call.ld_codes = lda;
  call.c = c;
  call.ldc = ldc;
  table().run(call);
}

void int8_linear(const Int8Linear& layer) {
  XFQ_ASSERT(layer.weights != nullptr);
  XFQ_ASSERT(!layer.dynamic || layer.activations.highest > layer.activations.zero_point);
  Int8Call call = {};
  call.m = layer.m;
  call.n = layer.weights->n();
  call.k = layer.weights->k();
  if (call.m <= 0 || call.n <= 0) return;
  call.panels = layer.weights->panels();
  call.column_sums = layer.weights->column_sums();
  call.x = layer.x;
  call.ldx = layer.ldx;
  call.weight_steps = layer.weight_steps;
  call.bias = layer.bias;
  call.y = layer.y;
  call.ldy = layer.ldy;
  call.scale = scale_of(layer.activations);
  call.dynamic = layer.dynamic;
  table().run(call);
}

}  // namespace xfq::kernels
