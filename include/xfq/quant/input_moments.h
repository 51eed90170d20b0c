// First and second moments of the inputs of matrix products: what second-order rounding
// (E[x^T x]) and bias correction (E[x]) need.
#pragma once

#include <cstdint>
#include <vector>

#include "xfq/core/matrix.h"
#include "xfq/models/decoder.h"
#include "xfq/nn/tap.h"
#include "xfq/quant/row_filter.h"

namespace xfq::quant {

/// Of one input of K channels.
struct InputMoments {
  std::int64_t rows = 0;
  Vector<double> mean;    ///< [K], E[x]
  Matrix<double> second;  ///< [K, K], E[x^T x], not centred
};

/// A tap that accumulates them; leaves x as it is. Sums over one batch are in float, over
/// batches in double.
class MomentObserver final : public nn::Tap<float>, public RowFilter {
 public:
  explicit MomentObserver(std::vector<models::LinearSite> sites);

  void forward(const nn::TapPoint& point, float* x, Index rows, Index cols) override;

  /// One per product. Throws ErrorKind::run when a site saw nothing.
  std::vector<InputMoments> moments() const;

 private:
  struct Sums {
    std::int64_t rows = 0;
    Vector<double> first;
    Matrix<double> second;
  };
  std::vector<models::LinearSite> sites_;
  std::vector<Sums> sums_;
  Vector<float> kept_;     // the rows of a batch that count
  Matrix<float> product_;  // of one batch
};

}  // namespace xfq::quant
