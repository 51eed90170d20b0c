// Matrix aliases. Everything is row-major; tokens are rows: an activation of a
// batch of B sequences of T tokens with C channels is a [B*T, C] matrix.
#pragma once

#include <Eigen/Core>

#ifdef XFQ_EIGEN_ALIGN_BYTES
// Who links the installed libraries frees matrices that were made in them.
static_assert(EIGEN_DEFAULT_ALIGN_BYTES == XFQ_EIGEN_ALIGN_BYTES,
              "compile for the instruction set (-march) that xfq was built for");
#endif

namespace xfq {

using Index = Eigen::Index;

template <class S>
using Matrix = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class S>
using Vector = Eigen::Matrix<S, Eigen::Dynamic, 1>;
template <class S>
using MatrixMap = Eigen::Map<Matrix<S>>;
template <class S>
using ConstMatrixMap = Eigen::Map<const Matrix<S>>;
template <class S>
using VectorMap = Eigen::Map<Vector<S>>;
template <class S>
using ConstVectorMap = Eigen::Map<const Vector<S>>;

}  // namespace xfq
