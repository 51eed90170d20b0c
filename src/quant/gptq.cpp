// Second-order rounding of one weight.
#include "xfq/quant/gptq.h"

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <utility>

#include "input_transform.h"
#include "slices.h"
#include "xfq/core/error.h"

namespace xfq::quant {
namespace {

// The factorisation is written out: plain loops over rows give the same bits for every
// instruction set, which a library's blocked one does not.

// Overwrites the upper triangle of h with V, h = V V^T, V upper triangular with a positive
// diagonal. False when h is not positive definite.
bool factorise(Matrix<double>& h) {
  const Index n = h.rows();
  Vector<double> column(n);
  for (Index k = n; k-- > 0;) {
    if (!(h(k, k) > 0)) return false;
    const double root = std::sqrt(h(k, k));
    h(k, k) = root;
    for (Index i = 0; i < k; ++i) column[i] = h(i, k) /= root;
    for (Index i = 0; i < k; ++i) {
      double* row = &h(i, 0);
      const double factor = column[i];
      for (Index j = i; j < k; ++j) row[j] -= factor * column[j];
    }
  }
  return true;
}

// Overwrites the upper triangular v with its inverse, row by row from the last one.
void invert(Matrix<double>& v) {
  const Index n = v.rows();
  Vector<double> sum(n);
  for (Index i = n; i-- > 0;) {
    // Row i of the inverse: (e_i - sum_{k > i} v_ik row_k) / v_ii.
    sum.setZero();
    for (Index k = i + 1; k < n; ++k) {
      const double factor = v(i, k);
      const double* row = &v(k, 0);
      for (Index j = k; j < n; ++j) sum[j] -= factor * row[j];
    }
    const double pivot = 1 / v(i, i);
    v(i, i) = pivot;
    for (Index j = i + 1; j < n; ++j) v(i, j) = sum[j] * pivot;
  }
}

// U with H^-1 = U^T U: H = V V^T gives U = V^-1.
Matrix<double> cholesky_of_inverse(Matrix<double> h, double damping, const std::string& name) {
  double trace = 0;
  for (Index i = 0; i < h.rows(); ++i) trace += h(i, i);
  const double added = trace > 0 ? damping * trace / static_cast<double>(h.rows()) : 1.0;
  for (Index i = 0; i < h.rows(); ++i) h(i, i) += added;
  if (!factorise(h)) {
    throw_run(fmt::format("second moments of the input of {} that are not positive definite", name),
              "use more calibration tokens");
  }
  invert(h);
  return h;
}

}  // namespace

QuantizedWeight gptq_weight(const models::LinearSite& site, const float* weight,
                            const SitePlan& plan, const Matrix<double>& second, double damping) {
  XFQ_ASSERT(plan.weight && second.rows() == site.in && second.cols() == site.in);
  const InputTransformer transformer(plan.input, site.in);
  std::vector<float> transformed(weight, weight + site.in * site.out);
  transformer.apply_to_weight(site, transformed.data());
  Matrix<double> h = second;
  transformer.apply_to_second_moment(h.data());
  const Matrix<double> u = cholesky_of_inverse(std::move(h), damping, site.name);

  // Scales of round-to-nearest; only the codes change.
  const NumberFormat& format = plan.weight->format;
  QuantizedWeight quantized = quantize_weight(site, transformed.data(), *plan.weight);
  const Index group = plan.weight->granularity.kind == Granularity::Kind::group
                          ? plan.weight->granularity.group
                          : site.in;
  Matrix<double> w(site.in, site.out);  // what is left to round
  for (Index i = 0; i < site.in; ++i) {
    for (Index o = 0; o < site.out; ++o) {
      w(i, o) =
          static_cast<double>(transformed[static_cast<std::size_t>(weight_offset(site, i, o))]);
    }
  }
  Vector<double> error(site.out);
  for (Index q = 0; q < site.in; ++q) {
    for (Index o = 0; o < site.out; ++o) {
      const Index at = quantized.groups == 0 ? 0 : o * quantized.groups + q / group;
      const Scale& scale = quantized.scales[static_cast<std::size_t>(at)];
      const std::int32_t code = format.quantize(static_cast<float>(w(q, o)), scale);
      quantized.codes[static_cast<std::size_t>(weight_offset(site, q, o))] = code;
      error[o] = (w(q, o) - static_cast<double>(format.dequantize(code, scale))) / u(q, q);
    }
    for (Index p = q + 1; p < site.in; ++p) {
      const double factor = u(q, p);
      double* row = &w(p, 0);
      for (Index o = 0; o < site.out; ++o) row[o] -= factor * error[o];
    }
  }
  return quantized;
}

double output_squared_error(const models::LinearSite& site, const float* weight,
                            const float* rounded, const Matrix<double>& second) {
  XFQ_ASSERT(second.rows() == site.in && second.cols() == site.in);
  // sum_o d_o^T H d_o, with d one column of the difference.
  Matrix<double> d(site.in, site.out);
  for (Index i = 0; i < site.in; ++i) {
    for (Index o = 0; o < site.out; ++o) {
      const Index at = weight_offset(site, i, o);
      d(i, o) = static_cast<double>(weight[at]) - static_cast<double>(rounded[at]);
    }
  }
  double sum = 0;
  Vector<double> product(site.out);  // row i of H d
  for (Index i = 0; i < site.in; ++i) {
    product.setZero();
    for (Index k = 0; k < site.in; ++k) {
      const double factor = second(i, k);
      const double* row = &d(k, 0);
      for (Index o = 0; o < site.out; ++o) product[o] += factor * row[o];
    }
    for (Index o = 0; o < site.out; ++o) sum += product[o] * d(i, o);
  }
  return sum;
}

}  // namespace xfq::quant
