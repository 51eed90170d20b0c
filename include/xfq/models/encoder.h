// A bidirectional encoder with BERT's semantics (Devlin et al. 2019): token,
// position and segment embeddings, post-LayerNorm blocks, GELU, a masked-language
// head tied to the token embedding, and a pooler with a sentence-pair head.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xfq/models/decoder.h"
#include "xfq/nn/block.h"
#include "xfq/nn/loss.h"

namespace xfq::models {

struct EncoderConfig {
  Index layers = 2;
  Index dim = 64;
  Index heads = 4;
  Index context = 64;
  Index vocab = 0;
  Index segments = 2;
  Index classes = 2;  ///< of the sentence-pair head
  double init = 0.02;
  double embedding_init = 0.02;
};

/// B sequences of T tokens.
struct PairBatch {
  Index batch = 0;
  Index time = 0;
  const std::int32_t* inputs = nullptr;          ///< [B*T]
  const std::int32_t* segments = nullptr;        ///< [B*T], 0 or 1
  const std::int32_t* lengths = nullptr;         ///< [B] or nullptr; keys beyond are hidden
  Index masked = 0;                              ///< M, number of masked positions
  const std::int32_t* masked_rows = nullptr;     ///< [M] row b*T + t
  const std::int32_t* masked_targets = nullptr;  ///< [M] true tokens
  const std::int32_t* labels = nullptr;          ///< [B] class of the pair, < 0: none; or nullptr
};

struct PairLoss {
  nn::Loss masked;    ///< over masked positions
  nn::Loss sentence;  ///< over labelled pairs
};

template <class S>
struct EncoderWorkspace {
  Index batch = 0;
  Index time = 0;
  Index max_masked = 0;
  Vector<S> embedded;               ///< [B*T, dim] sum of embeddings
  Vector<S> embedded_stats;         ///< [2, B*T]
  std::vector<Vector<S>> residual;  ///< layers + 1 of [B*T, dim]; the last is the hidden state
  std::vector<nn::BlockCache<S>> blocks;
  nn::BlockScratch<S> scratch;
  Vector<S> gathered, transform_pre, transform, transform_normed;  ///< [M, dim]
  Vector<S> transform_stats;                                       ///< [2, M]
  Vector<S> logits;                                                ///< [M, vocab]
  Vector<S> masked_losses;                                         ///< [M]
  Vector<S> first, pooled;  ///< [B, dim]: hidden state of position 0; tanh of its projection
  Vector<S> pair_logits;    ///< [B, classes]
  Vector<S> pair_losses;    ///< [B]
  Vector<S> d, d_embedded;  ///< [B*T, dim]
  Vector<S> d_masked_a, d_masked_b;  ///< [M, dim]
  Vector<S> d_pair;                  ///< [B, dim]
};

class Encoder {
 public:
  /// Throws ErrorKind::usage on sizes that do not fit.
  explicit Encoder(const EncoderConfig& config);

  const EncoderConfig& config() const { return config_; }
  const nn::ParameterLayout& layout() const { return layout_; }
  const std::vector<nn::Block>& blocks() const { return blocks_; }
  std::vector<LinearSite> linears() const;
  /// The first matrix of the masked-language head.
  const nn::Linear& transform() const { return transform_; }

  template <class S>
  EncoderWorkspace<S> make_workspace(Index batch, Index time, Index max_masked) const;

  /// Hidden states, and the logits of the heads that the batch asks for.
  template <class S>
  void forward(const S* parameters, const PairBatch& batch, EncoderWorkspace<S>& workspace,
               nn::Tap<S>* tap = nullptr) const;

  /// The same from block `first` on, which reads workspace.residual[first] as it is;
  /// first = layers: the heads alone.
  template <class S>
  void forward_from(Index first, const S* parameters, const PairBatch& batch,
                    EncoderWorkspace<S>& workspace, nn::Tap<S>* tap = nullptr) const;

  /// The losses of the logits that forward() left.
  template <class S>
  PairLoss loss(const PairBatch& batch, EncoderWorkspace<S>& workspace) const;

  /// Forward, losses, and the gradient of
  ///   masked_weight * mean masked loss + sentence_weight * mean sentence loss,
  /// accumulated. class_weights ([classes] or nullptr) weigh the terms of the
  /// sentence loss, whose mean then divides by the sum of the weights.
  template <class S>
  PairLoss forward_backward(const S* parameters, const PairBatch& batch,
                            EncoderWorkspace<S>& workspace, S* gradients, S masked_weight = 1,
                            S sentence_weight = 1, const S* class_weights = nullptr,
                            nn::Tap<S>* tap = nullptr) const;

  double flops_per_token(Index time) const;

 private:
  EncoderConfig config_;
  nn::ParameterLayout layout_;
  nn::Embedding tokens_, positions_, segments_;
  nn::LayerNorm embedding_norm_;
  std::vector<nn::Block> blocks_;
  nn::Linear transform_;
  nn::LayerNorm transform_norm_;
  Index head_bias_ = -1;
  nn::Linear pooler_, classifier_;
};

}  // namespace xfq::models
