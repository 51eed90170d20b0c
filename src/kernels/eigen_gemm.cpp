// The `eigen` implementation: Eigen's gemm, the given table for the rest. Its sums
// are taken in Eigen's order, so its results differ in the last bits.
#include <mutex>

#include "table.h"
#include "xfq/core/matrix.h"

namespace xfq::kernels {
namespace {

using Stride = Eigen::OuterStride<>;
using RowMajorMap = Eigen::Map<const Matrix<float>, 0, Stride>;
using ColumnMajorMap = Eigen::Map<const Eigen::Matrix<float, -1, -1, Eigen::ColMajor>, 0, Stride>;
using OutputMap = Eigen::Map<Matrix<float>, 0, Stride>;

// Set by eigen_kernels(): the vector code that does the activation.
const FloatKernels* rest_of_table = nullptr;

template <class A, class B>
void product(const GemmCall& call, const A& a, const B& b, float* c, Size ldc) {
  OutputMap out(c, call.m, call.n, Stride(ldc));
  if (call.accumulate) {
    out.noalias() += a * b;
  } else {
    out.noalias() = a * b;
  }
}

template <class A>
void with_a(const GemmCall& call, const A& a, float* c, Size ldc) {
  if (call.b_col == 1) {
    product(call, a, RowMajorMap(call.b, call.k, call.n, Stride(call.b_row)), c, ldc);
  } else {
    product(call, a, ColumnMajorMap(call.b, call.k, call.n, Stride(call.b_col)), c, ldc);
  }
}

void gemm(const GemmCall& call) {
  if (call.m <= 0 || call.n <= 0) return;
  // A residual may be the old content of c, which the product would overwrite.
  Matrix<float> apart;
  float* c = call.c;
  Size ldc = call.ldc;
  if (call.residual != nullptr && !call.accumulate) {
    apart.resize(call.m, call.n);
    c = apart.data();
    ldc = call.n;
  }
  if (call.a_col == 1) {
    with_a(call, RowMajorMap(call.a, call.m, call.k, Stride(call.a_row)), c, ldc);
  } else {
    with_a(call, ColumnMajorMap(call.a, call.m, call.k, Stride(call.a_col)), c, ldc);
  }
  for (Size i = 0; i < call.m; ++i) {
    float* row = c + i * ldc;
    float* out = call.c + i * call.ldc;
    if (call.bias != nullptr) rest_of_table->add(call.n, call.bias, row);
    if (call.pre != nullptr) {
      VectorMap<float>(call.pre + i * call.ld_pre, call.n) = ConstVectorMap<float>(row, call.n);
    }
    if (call.activation != 0) {
      rest_of_table->activation_forward(call.activation, call.n, row, row);
    }
    if (call.residual != nullptr) {
      VectorMap<float>(out, call.n) =
          ConstVectorMap<float>(row, call.n) +
          ConstVectorMap<float>(call.residual + i * call.ld_residual, call.n);
    }
  }
}

}  // namespace

const FloatKernels* eigen_kernels(const FloatKernels& rest) {
  static FloatKernels table;
  static std::once_flag once;
  std::call_once(once, [&rest] {
    // Block sizes follow from the cache sizes: pinned, so that results are the
    // same on every machine.
    Eigen::setCpuCacheSizes(32 * 1024, 1024 * 1024, 8 * 1024 * 1024);
    rest_of_table = &rest;
    table = rest;
    table.name = "eigen";
    table.gemm = gemm;
  });
  return &table;
}

}  // namespace xfq::kernels
