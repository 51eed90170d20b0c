// Gradient norms per sequence, through gemm and sum_squares.
#include "xfq/kernels/sequence_norms.h"

#include <algorithm>

#include "scratch.h"
#include "xfq/kernels/kernels.h"

namespace xfq::kernels {
namespace {

template <class S>
S* block(Slot slot, Index count) {
  return static_cast<S*>(scratch(slot, count * static_cast<Index>(sizeof(S))));
}

// Multiplications, and one more operation per element of the result.
bool rows_are_cheaper(Index time, Index in, Index out) {
  return time * time * (in + out + 1) < (time + 1) * in * out;
}

// products[T, T] = X X^T
template <class S>
void row_products(Index time, Index width, const S* x, Index ld, S* products) {
  Gemm<S> g;
  g.m = g.n = time;
  g.k = width;
  g.a = g.b = x;
  g.a_row = g.b_col = ld;
  g.a_col = g.b_row = 1;
  g.c = products;
  g.ldc = time;
  gemm(g);
}

// sum_i a_i b_i in double, in eight lanes and a fixed tree.
template <class S>
double dot(Index size, const S* a, const S* b) {
  double lanes[8] = {};
  Index i = 0;
  for (; i + 8 <= size; i += 8) {
    for (Index j = 0; j < 8; ++j) lanes[j] += double(a[i + j]) * double(b[i + j]);
  }
  for (Index j = 0; i + j < size; ++j) lanes[j] += double(a[i + j]) * double(b[i + j]);
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) +
         ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

}  // namespace

template <class S>
void add_sequence_norms(Index batch, Index time, Index in, Index out, const S* x, Index ldx,
                        const S* d_y, Index ld_dy, double* weight_norms, double* bias_norms) {
  for (Index b = 0; b < batch; ++b) {
    const S* rows = x + b * time * ldx;
    const S* d_rows = d_y + b * time * ld_dy;
    if (weight_norms != nullptr && time > 0) {
      if (rows_are_cheaper(time, in, out)) {
        S* products = block<S>(Slot::norms, 2 * time * time);
        S* d_products = products + time * time;
        row_products(time, in, rows, ldx, products);
        row_products(time, out, d_rows, ld_dy, d_products);
        weight_norms[b] += std::max(0.0, dot(time * time, products, d_products));
      } else {
        Gemm<S> g;
        g.m = in;
        g.n = out;
        g.k = time;
        g.a = rows;
        g.a_row = 1;
        g.a_col = ldx;
        g.b = d_rows;
        g.b_row = ld_dy;
        g.c = block<S>(Slot::norms, in * out);
        g.ldc = out;
        gemm(g);
        weight_norms[b] += sum_squares(in * out, static_cast<const S*>(g.c));
      }
    }
    if (bias_norms != nullptr) {
      S* sums = block<S>(Slot::sums, out);
      std::fill(sums, sums + out, S(0));
      add_column_sums(time, out, d_rows, ld_dy, sums);
      bias_norms[b] += sum_squares(out, static_cast<const S*>(sums));
    }
  }
}

template void add_sequence_norms(Index, Index, Index, Index, const float*, Index, const float*,
                                 Index, double*, double*);
template void add_sequence_norms(Index, Index, Index, Index, const double*, Index, const double*,
                                 Index, double*, double*);

}  // namespace xfq::kernels
