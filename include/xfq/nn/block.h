// One Transformer block: multi-head attention and a feed-forward network, each
// with a residual connection.
//   pre-LayerNorm  (GPT-2, Radford et al. 2019):  x + f(norm(x))
//   post-LayerNorm (Vaswani et al. 2017, BERT):   norm(x + f(x))
#pragma once

#include <string>

#include "xfq/kernels/kernels.h"
#include "xfq/nn/layers.h"
#include "xfq/nn/tap.h"

namespace xfq::nn {

enum class NormPlacement { pre, post };

struct BlockConfig {
  Index dim = 0;
  Index heads = 0;
  Index hidden = 0;  ///< width of the feed-forward layer, usually 4 dim
  bool bias = true;
  NormPlacement norm = NormPlacement::pre;
  kernels::Activation activation = kernels::Activation::gelu_tanh;
  double norm_epsilon = 1e-5;
  double init = 0.02;           ///< standard deviation of the matrices
  double residual_init = 0.02;  ///< of the two matrices that write to the residual path
};

/// Names of a block's tensors, prefix included, without ".weight" / ".bias".
struct BlockNames {
  std::string norm_1, qkv, context, norm_2, up, down;
};

/// What a block keeps from forward for backward; rows = batch * time.
template <class S>
struct BlockCache {
  Vector<S> attention_input;  ///< [rows, dim]
  Vector<S> qkv;              ///< [rows, 3 dim]
  Vector<S> probabilities;    ///< [batch, heads, time, time]
  Vector<S> context;          ///< [rows, dim]
  Vector<S> middle_sum;       ///< [rows, dim], x + attention
  Vector<S> mlp_input;        ///< [rows, dim]
  Vector<S> pre;              ///< [rows, hidden], input of the activation
  Vector<S> hidden;           ///< [rows, hidden]
  Vector<S> out_sum;          ///< [rows, dim], post only: middle + mlp
  Vector<S> middle;           ///< [rows, dim], post only: norm(middle_sum)
  Vector<S> norm_1, norm_2;   ///< [2, rows] statistics

  void allocate(const BlockConfig& config, Index batch, Index time);
};

/// Buffers of backward that all blocks share.
template <class S>
struct BlockScratch {
  Vector<S> d_hidden;  ///< [rows, hidden]
  Vector<S> d_qkv;     ///< [rows, 3 dim]
  Vector<S> d_a, d_b;  ///< [rows, dim]

  void allocate(const BlockConfig& config, Index batch, Index time);
};

class Block {
 public:
  Block(ParameterLayout& layout, const BlockConfig& config, const BlockNames& names);

  /// x [rows, dim] -> y [rows, dim]; x must stay as it is until backward.
  template <class S>
  void forward(const S* parameters, const kernels::AttentionShape& shape, Index layer, const S* x,
               S* y, BlockCache<S>& cache, Tap<S>* tap) const;

  /// d [rows, dim]: the gradient of y on entry, of x on return.
  template <class S>
  void backward(const S* parameters, const kernels::AttentionShape& shape, Index layer, const S* x,
                BlockCache<S>& cache, BlockScratch<S>& scratch, S* d, S* gradients,
                Tap<S>* tap) const;

  const BlockConfig& config() const { return config_; }
  const Linear& qkv() const { return qkv_; }
  const Linear& context() const { return context_; }
  const Linear& up() const { return up_; }
  const Linear& down() const { return down_; }
  const LayerNorm& norm_1() const { return norm_1_; }
  const LayerNorm& norm_2() const { return norm_2_; }

 private:
  BlockConfig config_;
  LayerNorm norm_1_, norm_2_;
  Linear qkv_, context_, up_, down_;
};

}  // namespace xfq::nn
