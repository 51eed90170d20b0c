// A decoder-only Transformer language model with GPT-2's semantics (Radford et
// al. 2019): learned positions, pre-LayerNorm blocks, tanh-GELU, a last
// LayerNorm, and an output head tied to the token embedding.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xfq/nn/block.h"
#include "xfq/nn/loss.h"

namespace xfq::models {

struct DecoderConfig {
  Index layers = 2;
  Index dim = 64;
  Index heads = 4;
  Index context = 64;  ///< longest sequence
  Index vocab = 0;
  bool bias = true;
  double init =
      0.02;  ///< standard deviation of the matrices; / sqrt(2 layers) on the residual path
  double embedding_init = 0.02;  ///< of the token embedding (and so of the tied head)
};

/// B sequences of T tokens. inputs and targets are [B*T]; a target < 0 is not
/// predicted. lengths ([B] or nullptr): keys beyond are hidden.
struct TokenBatch {
  Index batch = 0;
  Index time = 0;
  const std::int32_t* inputs = nullptr;
  const std::int32_t* targets = nullptr;
  const std::int32_t* lengths = nullptr;
};

/// A matrix product of a model, for whoever quantizes or prunes it.
struct LinearSite {
  std::string name;  ///< of the weight, "h.0.attn.c_attn"
  nn::TapPoint input;
  Index weight = 0;  ///< offset of the weight
  Index in = 0;
  Index out = 0;
  bool tied_embedding = false;  ///< weight is [out, in] (the token table), else [in, out]
  Index bias = -1;              ///< offset of the bias [out]; -1: none
};

template <class S>
struct DecoderWorkspace {
  Index batch = 0;
  Index time = 0;
  std::vector<Vector<S>>
      residual;  ///< layers + 1 of [B*T, dim]: input of block l, output of the last
  std::vector<nn::BlockCache<S>> blocks;
  nn::BlockScratch<S> scratch;
  Vector<S> normed;      ///< [B*T, dim]
  Vector<S> norm_stats;  ///< [2, B*T]
  Vector<S> logits;      ///< [B*T, vocab]; overwritten by their gradient in backward
  Vector<S> d;           ///< [B*T, dim]
  Vector<S> losses;      ///< [B*T] -log p per prediction, 0 where there is none
};

class Decoder {
 public:
  /// Throws ErrorKind::usage on sizes that do not fit.
  explicit Decoder(const DecoderConfig& config);

  const DecoderConfig& config() const { return config_; }
  const nn::ParameterLayout& layout() const { return layout_; }
  const std::vector<nn::Block>& blocks() const { return blocks_; }
  /// The LayerNorm between the last block and the head.
  const nn::LayerNorm& final_norm() const { return norm_; }
  /// Every matrix product, in the order of the forward pass, head last.
  std::vector<LinearSite> linears() const;

  /// Memory for batches of at most batch x time tokens; smaller ones fit as well.
  template <class S>
  DecoderWorkspace<S> make_workspace(Index batch, Index time) const;

  /// Fills workspace.logits. With a tap, activations pass through it.
  template <class S>
  void forward(const S* parameters, const TokenBatch& batch, DecoderWorkspace<S>& workspace,
               nn::Tap<S>* tap = nullptr) const;

  /// The same from block `first` on, which reads workspace.residual[first] as it is;
  /// first = layers: the last LayerNorm and the head alone.
  template <class S>
  void forward_from(Index first, const S* parameters, const TokenBatch& batch,
                    DecoderWorkspace<S>& workspace, nn::Tap<S>* tap = nullptr) const;

  /// The loss of the logits that forward() left; workspace.losses gets its terms.
  template <class S>
  nn::Loss loss(const TokenBatch& batch, DecoderWorkspace<S>& workspace) const;

  /// Forward, loss, and the gradient of gradient_scale * (sum of the losses),
  /// accumulated. gradient_scale = 0 means 1 / predictions: the mean loss.
  template <class S>
  nn::Loss forward_backward(const S* parameters, const TokenBatch& batch,
                            DecoderWorkspace<S>& workspace, S* gradients, S gradient_scale = 0,
                            nn::Tap<S>* tap = nullptr) const;

  /// Floating-point operations of one training step per token: 6 N + 12 L T d
  /// (Kaplan et al. 2020, with attention), N without the position table.
  double flops_per_token(Index time) const;

 private:
  /// Fills workspace.residual[0].
  template <class S>
  void embed(const S* parameters, const TokenBatch& batch, DecoderWorkspace<S>& workspace) const;
  /// Everything between residual[first] and the head: fills workspace.normed.
  template <class S>
  void forward_blocks(Index first, const S* parameters, const TokenBatch& batch,
                      DecoderWorkspace<S>& workspace, nn::Tap<S>* tap) const;

  DecoderConfig config_;
  nn::ParameterLayout layout_;
  nn::Embedding tokens_, positions_;
  std::vector<nn::Block> blocks_;
  nn::LayerNorm norm_;
};

}  // namespace xfq::models
