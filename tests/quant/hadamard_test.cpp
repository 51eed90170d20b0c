// The rotation against its matrix, and what it is for.
#include "xfq/quant/hadamard.h"

#include <cmath>
#include <vector>

#include "samples.h"

using xfq::Index;
using xfq::Matrix;
using xfq::quant::Hadamard;
using xfq::test::sample;
using xfq::test::Shape;

namespace {

// Sylvester: entry (i, j) is (-1)^(bits that i and j have in common) / sqrt(size).
double sylvester(Index i, Index j, Index size) {
  int common = 0;
  for (Index both = i & j; both > 0; both &= both - 1) ++common;
  return (common % 2 == 0 ? 1.0 : -1.0) / std::sqrt(static_cast<double>(size));
}

// R, read off the unit vectors.
Matrix<double> matrix_of(const Hadamard& hadamard) {
  Matrix<double> r = Matrix<double>::Identity(hadamard.size(), hadamard.size());
  hadamard.rotate(hadamard.size(), r.data());
  return r;
}

}  // namespace

TEST_CASE("R is signs times Sylvester's matrix, in blocks") {
  for (const Index size : {1, 2, 8, 12, 64, 37, 96}) {
    const Hadamard hadamard(size);
    Index block = 1;
    while (size % (2 * block) == 0) block *= 2;
    CHECK(hadamard.block() == block);
    const Matrix<double> r = matrix_of(hadamard);
    for (Index i = 0; i < size; ++i) {
      const double sign =
          r(i, i / block * block) > 0 ? 1 : -1;  // the first column of H is positive
      for (Index j = 0; j < size; ++j) {
        const double expected =
            i / block == j / block ? sign * sylvester(i % block, j % block, block) : 0;
        CHECK(r(i, j) == Approx(expected).margin(1e-6));  // 1 / sqrt(block) is a float
      }
    }
    CHECK((r * r.transpose() - Matrix<double>::Identity(size, size)).cwiseAbs().maxCoeff() < 1e-6);
  }
}

TEST_CASE("signs are mixed and fixed") {
  const Matrix<double> r = matrix_of(Hadamard(64));
  const auto positive = (r.col(0).array() > 0).count();
  CHECK(positive > 16);
  CHECK(positive < 48);
  CHECK(matrix_of(Hadamard(64)) == r);
}

TEST_CASE("rotations of rows, of columns, and back") {
  const Index size = 24;
  const Hadamard hadamard(size);
  const Matrix<double> r = matrix_of(hadamard);
  const auto values = sample(Shape::normal, static_cast<std::size_t>(5 * size));
  const Matrix<double> x =
      xfq::ConstMatrixMap<float>(values.data(), 5, size).cast<double>();  // [5, 24]
  Matrix<double> y = x;
  hadamard.rotate(5, y.data());
  CHECK((y - x * r).cwiseAbs().maxCoeff() < 1e-6);
  hadamard.rotate_back(5, y.data());
  CHECK((y - x).cwiseAbs().maxCoeff() < 1e-6);

  const Matrix<double> w = x.transpose();  // [24, 5]
  Matrix<double> v = w;
  hadamard.rotate_columns(5, v.data());
  CHECK((v - r.transpose() * w).cwiseAbs().maxCoeff() < 1e-6);
  hadamard.rotate_columns_back(5, v.data());
  CHECK((v - w).cwiseAbs().maxCoeff() < 1e-6);
}

TEST_CASE("one large channel becomes many small ones") {
  const Hadamard hadamard(256);
  std::vector<float> x(256, 0.0f);
  x[17] = 100.0f;
  hadamard.rotate(1, x.data());
  // 100 / sqrt(256)
  for (const float value : x) CHECK(std::abs(value) == Approx(6.25));
}
