#include "xfq/nn/block.h"

#include <algorithm>

#include "xfq/core/dual.h"

namespace xfq::nn {

using kernels::Activation;

namespace {

/// A product behind its tap: the tap may change x, and may compute the product instead of the
/// layer. Extras as in Linear::forward.
template <class S>
void forward_through(Tap<S>* tap, const TapPoint& point, const Linear& linear, const S* parameters,
                     Index rows, S* x, S* y, Activation activation = Activation::none,
                     S* pre = nullptr, const S* residual = nullptr) {
  if (tap) {
    tap->forward(point, x, rows, linear.in);
    Product<S> product;
    product.rows = rows;
    product.in = linear.in;
    product.out = linear.out;
    product.x = x;
    product.bias = linear.bias < 0 ? nullptr : parameters + linear.bias;
    product.y = pre ? pre : y;
    if (tap->product(point, product)) {
      if (pre) kernels::activation_forward(activation, rows * linear.out, pre, y);
      if (residual) kernels::add(rows * linear.out, residual, y);
      return;
    }
  }
  linear.forward(parameters, rows, x, y, activation, pre, residual);
}

}  // namespace

template <class S>
void BlockCache<S>::allocate(const BlockConfig& config, Index batch, Index time) {
  const Index rows = batch * time;
  for (auto* buffer : {&attention_input, &context, &middle_sum, &mlp_input}) {
    buffer->setZero(rows * config.dim);
  }
  qkv.setZero(rows * 3 * config.dim);
  probabilities.setZero(batch * config.heads * time * time);
  pre.setZero(rows * config.hidden);
  hidden.setZero(rows * config.hidden);
  if (config.norm == NormPlacement::post) {
    out_sum.setZero(rows * config.dim);
    middle.setZero(rows * config.dim);
  }
  norm_1.setZero(2 * rows);
  norm_2.setZero(2 * rows);
}

template <class S>
void BlockScratch<S>::allocate(const BlockConfig& config, Index batch, Index time) {
  const Index rows = batch * time;
  d_hidden.setZero(rows * config.hidden);
  d_qkv.setZero(rows * 3 * config.dim);
  d_a.setZero(rows * config.dim);
  d_b.setZero(rows * config.dim);
}

Block::Block(ParameterLayout& layout, const BlockConfig& config, const BlockNames& names)
    : config_(config) {
  const Init init = Init::normal(config.init);
  const Init residual = Init::normal(config.residual_init);
  norm_1_ = LayerNorm::add(layout, names.norm_1, config.dim, config.bias, config.norm_epsilon);
  qkv_ = Linear::add(layout, names.qkv, config.dim, 3 * config.dim, config.bias, init);
  context_ = Linear::add(layout, names.context, config.dim, config.dim, config.bias, residual);
  norm_2_ = LayerNorm::add(layout, names.norm_2, config.dim, config.bias, config.norm_epsilon);
  up_ = Linear::add(layout, names.up, config.dim, config.hidden, config.bias, init);
  down_ = Linear::add(layout, names.down, config.hidden, config.dim, config.bias, residual);
}

template <class S>
void Block::forward(const S* parameters, const kernels::AttentionShape& shape, Index layer,
                    const S* x, S* y, BlockCache<S>& cache, Tap<S>* tap) const {
  const Index rows = shape.batch * shape.time;
  const Index dim = config_.dim;
  const bool pre_norm = config_.norm == NormPlacement::pre;

  // Where the product's input is the residual stream itself, it is copied, so
  // that a tap cannot touch the residual path.
  if (pre_norm) {
    norm_1_.forward(parameters, rows, x, cache.attention_input.data(), cache.norm_1.data());
  } else {
    std::copy(x, x + rows * dim, cache.attention_input.data());
  }
  forward_through(tap, {Site::attention_input, layer}, qkv_, parameters, rows,
                  cache.attention_input.data(), cache.qkv.data());
  kernels::attention_forward(shape, cache.qkv.data(), cache.probabilities.data(),
                             cache.context.data());
  forward_through(tap, {Site::attention_context, layer}, context_, parameters, rows,
                  cache.context.data(), cache.middle_sum.data(), Activation::none,
                  static_cast<S*>(nullptr), x);

  const S* middle = cache.middle_sum.data();
  if (pre_norm) {
    norm_2_.forward(parameters, rows, middle, cache.mlp_input.data(), cache.norm_2.data());
  } else {
    norm_1_.forward(parameters, rows, middle, cache.middle.data(), cache.norm_1.data());
    middle = cache.middle.data();
    std::copy(middle, middle + rows * dim, cache.mlp_input.data());
  }
  forward_through(tap, {Site::mlp_input, layer}, up_, parameters, rows, cache.mlp_input.data(),
                  cache.hidden.data(), config_.activation, cache.pre.data());
  S* out = pre_norm ? y : cache.out_sum.data();
  forward_through(tap, {Site::mlp_hidden, layer}, down_, parameters, rows, cache.hidden.data(), out,
                  Activation::none, static_cast<S*>(nullptr), middle);
  if (!pre_norm) norm_2_.forward(parameters, rows, out, y, cache.norm_2.data());
}

template <class S>
void Block::backward(const S* parameters, const kernels::AttentionShape& shape, Index layer,
                     const S* x, BlockCache<S>& cache, BlockScratch<S>& scratch, S* d, S* gradients,
                     Tap<S>* tap) const {
  const Index rows = shape.batch * shape.time;
  const Index dim = config_.dim;
  const bool pre_norm = config_.norm == NormPlacement::pre;
  S* d_hidden = scratch.d_hidden.data();
  S* d_input = scratch.d_a.data();

  // `sum` is the gradient of the residual stream where both branches meet.
  S* sum = d;
  if (!pre_norm) {
    sum = scratch.d_b.data();
    norm_2_.backward(parameters, rows, cache.out_sum.data(), cache.norm_2.data(), d, sum, false,
                     gradients);
  }
  down_.backward(parameters, rows, cache.hidden.data(), sum, d_hidden, gradients);
  if (tap) tap->backward({Site::mlp_hidden, layer}, d_hidden, rows, config_.hidden);
  kernels::activation_backward(config_.activation, rows * config_.hidden, cache.pre.data(),
                               d_hidden, d_hidden);
  up_.backward(parameters, rows, cache.mlp_input.data(), d_hidden, d_input, gradients);
  if (tap) tap->backward({Site::mlp_input, layer}, d_input, rows, dim);
  if (pre_norm) {
    norm_2_.backward(parameters, rows, cache.middle_sum.data(), cache.norm_2.data(), d_input, sum,
                     true, gradients);
  } else {
    kernels::add(rows * dim, d_input, sum);
    norm_1_.backward(parameters, rows, cache.middle_sum.data(), cache.norm_1.data(), sum, d, false,
                     gradients);
    sum = d;
  }

  context_.backward(parameters, rows, cache.context.data(), sum, d_input, gradients);
  if (tap) tap->backward({Site::attention_context, layer}, d_input, rows, dim);
  kernels::attention_backward(shape, cache.qkv.data(), cache.probabilities.data(), d_input,
                              scratch.d_qkv.data());
  qkv_.backward(parameters, rows, cache.attention_input.data(), scratch.d_qkv.data(), d_input,
                gradients);
  if (tap) tap->backward({Site::attention_input, layer}, d_input, rows, dim);
  if (pre_norm) {
    norm_1_.backward(parameters, rows, x, cache.norm_1.data(), d_input, sum, true, gradients);
  } else {
    kernels::add(rows * dim, d_input, sum);
  }
}

#define XFQ_INSTANTIATE(S)                                                                       \
  template struct BlockCache<S>;                                                                 \
  template struct BlockScratch<S>;                                                               \
  template void Block::forward<S>(const S*, const kernels::AttentionShape&, Index, const S*, S*, \
                                  BlockCache<S>&, Tap<S>*) const;                                \
  template void Block::backward<S>(const S*, const kernels::AttentionShape&, Index, const S*,    \
                                   BlockCache<S>&, BlockScratch<S>&, S*, S*, Tap<S>*) const;
XFQ_INSTANTIATE(float)
XFQ_INSTANTIATE(double)
XFQ_INSTANTIATE(Dual<float>)
XFQ_INSTANTIATE(Dual<double>)
#undef XFQ_INSTANTIATE

}  // namespace xfq::nn
