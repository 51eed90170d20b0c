#include "dual_gemm.h"

#include "reference.h"
#include "scratch.h"

namespace xfq::kernels {
namespace {

// Values and slopes of a matrix as two dense row-major ones.
template <class S>
struct Planes {
  S* value;
  S* slope;
};

template <class S>
void split(Index rows, Index cols, const Dual<S>* x, Index row, Index col, const Planes<S>& to) {
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < cols; ++j) {
      const Dual<S>& number = x[i * row + j * col];
      to.value[i * cols + j] = number.value;
      to.slope[i * cols + j] = number.slope;
    }
  }
}

template <class S>
void product(Index m, Index n, Index k, const S* a, const S* b, S* c, bool accumulate) {
  Gemm<S> g;
  g.m = m;
  g.n = n;
  g.k = k;
  g.a = a;
  g.a_row = k;
  g.b = b;
  g.b_row = n;
  g.c = c;
  g.ldc = n;
  g.accumulate = accumulate;
  gemm(g);
}

}  // namespace

template <class S>
void dual_gemm(const Gemm<Dual<S>>& g) {
  if (g.m <= 0 || g.n <= 0) return;
  const Index size_a = g.m * g.k, size_b = g.k * g.n, size_c = g.m * g.n;
  S* memory = static_cast<S*>(
      scratch(Slot::dual, (2 * (size_a + size_b + size_c + g.n)) * static_cast<Index>(sizeof(S))));
  const auto take = [&memory](Index size) {
    const Planes<S> planes{memory, memory + size};
    memory += 2 * size;
    return planes;
  };
  const Planes<S> a = take(size_a), b = take(size_b), c = take(size_c);
  Dual<S>* row = reinterpret_cast<Dual<S>*>(memory);
  split(g.m, g.k, g.a, g.a_row, g.a_col, a);
  split(g.k, g.n, g.b, g.b_row, g.b_col, b);
  if (g.accumulate) split(g.m, g.n, g.c, g.ldc, Index(1), c);
  product(g.m, g.n, g.k, a.value, b.value, c.value, g.accumulate);
  product(g.m, g.n, g.k, a.slope, b.value, c.slope, g.accumulate);
  product(g.m, g.n, g.k, a.value, b.slope, c.slope, true);
  for (Index i = 0; i < g.m; ++i) {
    for (Index j = 0; j < g.n; ++j) row[j] = {c.value[i * g.n + j], c.slope[i * g.n + j]};
    reference::finish_row(g, i, row);
  }
}

template void dual_gemm(const Gemm<Dual<float>>&);
template void dual_gemm(const Gemm<Dual<double>>&);

}  // namespace xfq::kernels
