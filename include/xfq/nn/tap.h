// Taps: named points of a forward and backward pass where somebody may look at
// activations or change them (fake quantization, ablation, statistics).
#pragma once

#include "xfq/core/matrix.h"

namespace xfq::nn {

/// The inputs of the matrix products. A change made at a site is seen by that
/// product (and by the gradient of its weight) and by nothing else: the residual
/// path keeps the unchanged value.
enum class Site {
  attention_input,    ///< input of the query/key/value projection
  attention_context,  ///< concatenated heads, input of the output projection
  mlp_input,          ///< input of the first feed-forward matrix
  mlp_hidden,         ///< after the activation, input of the second one
  head_input,         ///< input of the vocabulary projection
};

struct TapPoint {
  Site site = Site::attention_input;
  Index layer = 0;  ///< the block's index; the number of blocks for head_input
};

/// y[rows, out] = x[rows, in] W (+ bias), all dense.
template <class S>
struct Product {
  Index rows = 0, in = 0, out = 0;
  const S* x = nullptr;
  const S* bias = nullptr;  ///< [out], or nullptr
  S* y = nullptr;
};

template <class S>
class Tap {
 public:
  virtual ~Tap() = default;
  /// x is [rows, cols], dense; may be changed.
  virtual void forward(const TapPoint& /*point*/, S* /*x*/, Index /*rows*/, Index /*cols*/) {}
  /// Called after forward(). A tap that computes the product itself (in integers, say) fills y
  /// and returns true; otherwise the layer does. For forward passes: a gradient is that of the
  /// layer's own product.
  virtual bool product(const TapPoint& /*point*/, const Product<S>& /*product*/) { return false; }
  /// The gradient of the loss with respect to what forward() left in x.
  virtual void backward(const TapPoint& /*point*/, S* /*d_x*/, Index /*rows*/, Index /*cols*/) {}

  /// The residual stream: the output [rows, cols] of a block. May be changed; everything above
  /// sees it.
  virtual void residual_forward(Index /*layer*/, S* /*x*/, Index /*rows*/, Index /*cols*/) {}
  /// The gradient of the loss with respect to it; what is left here flows on into the block.
  virtual void residual_backward(Index /*layer*/, S* /*d_x*/, Index /*rows*/, Index /*cols*/) {}
};

}  // namespace xfq::nn
