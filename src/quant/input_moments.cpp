// Sums of x and x^T x over batches.
#include "xfq/quant/input_moments.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sites.h"
#include "xfq/core/error.h"
#include "xfq/kernels/kernels.h"

namespace xfq::quant {

MomentObserver::MomentObserver(std::vector<models::LinearSite> sites)
    : sites_(std::move(sites)), sums_(sites_.size()) {
  for (std::size_t i = 0; i < sites_.size(); ++i) {
    sums_[i].first.setZero(sites_[i].in);
    sums_[i].second.setZero(sites_[i].in, sites_[i].in);
  }
}

void MomentObserver::forward(const nn::TapPoint& point, float* x, Index rows, Index cols) {
  const std::size_t site = find_site(sites_, point);
  if (site == sites_.size()) return;
  if (kept_.size() < rows * cols) kept_.resize(rows * cols);
  Index used = 0;
  Sums& sums = sums_[site];
  for (Index r = 0; r < rows; ++r) {
    if (!counts(r)) continue;
    const float* row = x + r * cols;
    std::copy(row, row + cols, kept_.data() + used * cols);
    for (Index c = 0; c < cols; ++c) sums.first[c] += static_cast<double>(row[c]);
    ++used;
  }
  if (used == 0) return;
  sums.rows += used;
  product_.resize(cols, cols);
  kernels::Gemm<float> g;
  g.m = g.n = cols;
  g.k = used;
  g.a = g.b = kept_.data();
  g.a_row = 1;
  g.a_col = g.b_row = cols;
  g.c = product_.data();
  g.ldc = cols;
  kernels::gemm(g);
  sums.second += product_.cast<double>();
}

std::vector<InputMoments> MomentObserver::moments() const {
  std::vector<InputMoments> all;
  for (std::size_t i = 0; i < sites_.size(); ++i) {
    const Sums& sums = sums_[i];
    if (sums.rows == 0) {
      throw_run(fmt::format("no activations seen at {}, expected some", sites_[i].name));
    }
    const double share = 1 / static_cast<double>(sums.rows);
    all.push_back({sums.rows, sums.first * share, sums.second * share});
  }
  return all;
}

}  // namespace xfq::quant
