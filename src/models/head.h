// The output head of decoder and encoder: a product with the token table, which a tap may compute
// instead.
#pragma once

#include "xfq/nn/layers.h"
#include "xfq/nn/tap.h"

namespace xfq::models {

/// y [rows, vocab] = x table^T (+ bias, at this offset unless -1), with x as the tap's forward()
/// left it at `point`.
template <class S>
void project_head(nn::Tap<S>* tap, const nn::TapPoint& point, const nn::Embedding& table,
                  const S* parameters, Index rows, const S* x, Index bias, S* y) {
  if (tap) {
    nn::Product<S> product;
    product.rows = rows;
    product.in = table.width;
    product.out = table.entries;
    product.x = x;
    product.bias = bias < 0 ? nullptr : parameters + bias;
    product.y = y;
    if (tap->product(point, product)) return;
  }
  table.project(parameters, rows, x, bias, y);
}

}  // namespace xfq::models
