#include "xfq/train/hessian.h"

#include <cmath>

#include "xfq/core/error.h"
#include "xfq/core/random.h"
#include "xfq/kernels/kernels.h"

namespace xfq::train {

template <class S>
void hessian_vector_product(const models::Decoder& decoder, const Vector<S>& parameters,
                            const models::TokenBatch& batch, const Vector<S>& direction,
                            models::DecoderWorkspace<Dual<S>>& workspace, Vector<S>& product) {
  const Index size = decoder.layout().size();
  XFQ_ASSERT(parameters.size() == size && direction.size() == size);
  Vector<Dual<S>> point(size), gradient = nn::make_parameters<Dual<S>>(decoder.layout());
  for (Index i = 0; i < size; ++i) point[i] = {parameters[i], direction[i]};
  decoder.forward_backward(point.data(), batch, workspace, gradient.data());
  product.resize(size);
  for (Index i = 0; i < size; ++i) product[i] = gradient[i].slope;
}

template void hessian_vector_product(const models::Decoder&, const Vector<float>&,
                                     const models::TokenBatch&, const Vector<float>&,
                                     models::DecoderWorkspace<Dual<float>>&, Vector<float>&);
template void hessian_vector_product(const models::Decoder&, const Vector<double>&,
                                     const models::TokenBatch&, const Vector<double>&,
                                     models::DecoderWorkspace<Dual<double>>&, Vector<double>&);

namespace {

double norm_of(const Vector<float>& v) {
  return std::sqrt(kernels::sum_squares(v.size(), v.data()));
}

}  // namespace

Eigenvalue power_iteration(Index size, const SymmetricProduct& apply, std::uint64_t seed,
                           double tolerance, std::int64_t most_products) {
  Stream stream(seed, "power_iteration");
  Vector<float> v(size), product;
  for (float& x : v) x = static_cast<float>(stream.normal());
  v *= static_cast<float>(1 / norm_of(v));
  Eigenvalue found;
  while (true) {
    apply(v, product);
    ++found.products;
    double value = 0;
    for (Index i = 0; i < size; ++i) {
      value += static_cast<double>(v[i]) * static_cast<double>(product[i]);
    }
    double residual = 0;
    for (Index i = 0; i < size; ++i) {
      const double difference = static_cast<double>(product[i]) - value * static_cast<double>(v[i]);
      residual += difference * difference;
    }
    found.value = value;
    found.residual = std::sqrt(residual);
    const double norm = norm_of(product);
    if (found.residual <= tolerance * std::abs(value) || found.products >= most_products ||
        norm == 0) {
      return found;
    }
    v = product * static_cast<float>(1 / norm);
  }
}

Eigenvalue largest_eigenvalue(Index size, const SymmetricProduct& apply, std::uint64_t seed,
                              double tolerance, std::int64_t most_products) {
  const Eigenvalue first = power_iteration(size, apply, seed, tolerance, most_products);
  if (first.value >= 0) return first;
  const float shift = static_cast<float>(first.value);
  Eigenvalue second = power_iteration(
      size,
      [&](const Vector<float>& v, Vector<float>& product) {
        apply(v, product);
        product -= shift * v;
      },
      seed, tolerance, most_products);
  second.value += static_cast<double>(shift);
  second.products += first.products;
  return second;
}

}  // namespace xfq::train
