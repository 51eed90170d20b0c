// Exact Hessian-vector products of a decoder's loss, and the largest eigenvalue from them:
// the sharpness of a minimum (Keskar et al. 2017, "On large-batch training").
#pragma once

#include <cstdint>
#include <functional>

#include "xfq/core/dual.h"
#include "xfq/models/decoder.h"

namespace xfq::train {

/// product = H v, H the Hessian of the mean loss of the batch at `parameters`, v the
/// direction; all of the decoder's layout. The gradient is computed on dual numbers
/// p + v e, and its slope is H v: exact up to rounding, at about the cost of four gradients.
/// S is float or double. The workspace holds batch x time tokens or more.
template <class S>
void hessian_vector_product(const models::Decoder& decoder, const Vector<S>& parameters,
                            const models::TokenBatch& batch, const Vector<S>& direction,
                            models::DecoderWorkspace<Dual<S>>& workspace, Vector<S>& product);

struct Eigenvalue {
  double value = 0;     ///< v' A v of the last unit vector v
  double residual = 0;  ///< |A v - value v|: an eigenvalue lies within this of `value`
  std::int64_t products = 0;
};

/// product = A v, A symmetric.
using SymmetricProduct = std::function<void(const Vector<float>& v, Vector<float>& product)>;

/// The eigenvalue of largest magnitude by power iteration from a normal random vector of the
/// stream (seed, "power_iteration"): until the residual is at most tolerance |value|, or
/// most_products have been taken. most_products >= 1.
Eigenvalue power_iteration(Index size, const SymmetricProduct& apply, std::uint64_t seed,
                           double tolerance, std::int64_t most_products);

/// The largest eigenvalue, sign included: where the one of largest magnitude is negative,
/// a second iteration runs on A - value I, whose spectrum is not negative.
Eigenvalue largest_eigenvalue(Index size, const SymmetricProduct& apply, std::uint64_t seed,
                              double tolerance, std::int64_t most_products);

}  // namespace xfq::train
