#include "xfq/models/encoder.h"

#include <fmt/core.h>

#include <algorithm>

#include "head.h"
#include "sizes.h"
#include "xfq/core/error.h"

namespace xfq::models {

using nn::Site;

namespace {

// BERT's epsilon (Devlin et al. 2019, released code).
constexpr double kEpsilon = 1e-12;

std::string layer_name(Index layer, const char* part) {
  return fmt::format("bert.encoder.layer.{}.{}", layer, part);
}

kernels::AttentionShape shape_of(const EncoderConfig& config, const PairBatch& batch) {
  return {batch.batch, batch.time, config.heads, config.dim / config.heads, false, batch.lengths};
}

}  // namespace

Encoder::Encoder(const EncoderConfig& config) : config_(config) {
  check_sizes(config.layers, config.dim, config.heads, config.context, config.vocab);
  const nn::Init init = nn::Init::normal(config.init);
  const std::string embeddings = "bert.embeddings.";
  tokens_ = nn::Embedding::add(layout_, embeddings + "word_embeddings", config.vocab, config.dim,
                               nn::Init::normal(config.embedding_init));
  positions_ = nn::Embedding::add(layout_, embeddings + "position_embeddings", config.context,
                                  config.dim, init);
  segments_ = nn::Embedding::add(layout_, embeddings + "token_type_embeddings", config.segments,
                                 config.dim, init);
  embedding_norm_ =
      nn::LayerNorm::add(layout_, embeddings + "LayerNorm", config.dim, true, kEpsilon);
  nn::BlockConfig block;
  block.dim = config.dim;
  block.heads = config.heads;
  block.hidden = 4 * config.dim;
  block.norm = nn::NormPlacement::post;
  block.activation = kernels::Activation::gelu_erf;
  block.norm_epsilon = kEpsilon;
  block.init = config.init;
  block.residual_init = config.init;
  for (Index l = 0; l < config.layers; ++l) {
    blocks_.emplace_back(
        layout_, block,
        nn::BlockNames{layer_name(l, "attention.output.LayerNorm"),
                       layer_name(l, "attention.self.qkv"), layer_name(l, "attention.output.dense"),
                       layer_name(l, "output.LayerNorm"), layer_name(l, "intermediate.dense"),
                       layer_name(l, "output.dense")});
  }
  transform_ = nn::Linear::add(layout_, "cls.predictions.transform.dense", config.dim, config.dim,
                               true, init);
  transform_norm_ = nn::LayerNorm::add(layout_, "cls.predictions.transform.LayerNorm", config.dim,
                                       true, kEpsilon);
  head_bias_ = layout_.add_vector("cls.predictions.bias", config.vocab, nn::Init::zeros());
  pooler_ = nn::Linear::add(layout_, "bert.pooler.dense", config.dim, config.dim, true, init);
  classifier_ =
      nn::Linear::add(layout_, "cls.seq_relationship", config.dim, config.classes, true, init);
}

std::vector<LinearSite> Encoder::linears() const {
  std::vector<LinearSite> sites;
  for (Index l = 0; l < config_.layers; ++l) {
    append_block_linears(
        blocks_[static_cast<std::size_t>(l)], l,
        {layer_name(l, "attention.self.qkv"), layer_name(l, "attention.output.dense"),
         layer_name(l, "intermediate.dense"), layer_name(l, "output.dense")},
        sites);
  }
  sites.push_back({"bert.embeddings.word_embeddings",
                   {Site::head_input, config_.layers},
                   tokens_.weight,
                   config_.dim,
                   config_.vocab,
                   true,
                   head_bias_});
  return sites;
}

template <class S>
EncoderWorkspace<S> Encoder::make_workspace(Index batch, Index time, Index max_masked) const {
  XFQ_ASSERT(time <= config_.context);
  EncoderWorkspace<S> w;
  w.batch = batch;
  w.time = time;
  w.max_masked = max_masked;
  const Index rows = batch * time;
  const Index dim = config_.dim;
  w.residual.assign(static_cast<std::size_t>(config_.layers) + 1, Vector<S>::Zero(rows * dim));
  w.blocks.resize(static_cast<std::size_t>(config_.layers));
  for (std::size_t l = 0; l < w.blocks.size(); ++l) {
    w.blocks[l].allocate(blocks_[l].config(), batch, time);
  }
  w.scratch.allocate(blocks_[0].config(), batch, time);
  for (auto* buffer : {&w.embedded, &w.d, &w.d_embedded}) buffer->setZero(rows * dim);
  w.embedded_stats.setZero(2 * rows);
  for (auto* buffer : {&w.gathered, &w.transform_pre, &w.transform, &w.transform_normed,
                       &w.d_masked_a, &w.d_masked_b}) {
    buffer->setZero(max_masked * dim);
  }
  w.transform_stats.setZero(2 * max_masked);
  w.logits.setZero(max_masked * config_.vocab);
  w.masked_losses.setZero(max_masked);
  for (auto* buffer : {&w.first, &w.pooled, &w.d_pair}) buffer->setZero(batch * dim);
  w.pair_logits.setZero(batch * config_.classes);
  w.pair_losses.setZero(batch);
  return w;
}

template <class S>
void Encoder::forward(const S* parameters, const PairBatch& batch, EncoderWorkspace<S>& w,
                      nn::Tap<S>* tap) const {
  XFQ_ASSERT(batch.batch <= w.batch && batch.time <= w.time && batch.masked <= w.max_masked);
  const Index rows = batch.batch * batch.time;
  tokens_.forward(parameters, rows, batch.inputs, w.embedded.data(), false);
  positions_.add_positions(parameters, batch.batch, batch.time, w.embedded.data());
  segments_.forward(parameters, rows, batch.segments, w.embedded.data(), true);
  embedding_norm_.forward(parameters, rows, w.embedded.data(), w.residual[0].data(),
                          w.embedded_stats.data());
  forward_from(0, parameters, batch, w, tap);
}

template <class S>
void Encoder::forward_from(Index first, const S* parameters, const PairBatch& batch,
                           EncoderWorkspace<S>& w, nn::Tap<S>* tap) const {
  const Index rows = batch.batch * batch.time;
  const Index dim = config_.dim;
  const auto shape = shape_of(config_, batch);
  for (auto l = static_cast<std::size_t>(first); l < blocks_.size(); ++l) {
    blocks_[l].forward(parameters, shape, static_cast<Index>(l), w.residual[l].data(),
                       w.residual[l + 1].data(), w.blocks[l], tap);
    if (tap) tap->residual_forward(static_cast<Index>(l), w.residual[l + 1].data(), rows, dim);
  }
  const S* hidden = w.residual.back().data();
  if (batch.masked > 0) {
    for (Index i = 0; i < batch.masked; ++i) {
      const S* row = hidden + batch.masked_rows[i] * dim;
      std::copy(row, row + dim, w.gathered.data() + i * dim);
    }
    transform_.forward(parameters, batch.masked, w.gathered.data(), w.transform.data(),
                       kernels::Activation::gelu_erf, w.transform_pre.data());
    transform_norm_.forward(parameters, batch.masked, w.transform.data(), w.transform_normed.data(),
                            w.transform_stats.data());
    if (tap) {
      tap->forward({Site::head_input, config_.layers}, w.transform_normed.data(), batch.masked,
                   dim);
    }
    project_head(tap, {Site::head_input, config_.layers}, tokens_, parameters, batch.masked,
                 w.transform_normed.data(), head_bias_, w.logits.data());
  }
  if (batch.labels != nullptr) {
    for (Index b = 0; b < batch.batch; ++b) {
      const S* row = hidden + b * batch.time * dim;
      std::copy(row, row + dim, w.first.data() + b * dim);
    }
    pooler_.forward(parameters, batch.batch, w.first.data(), w.pooled.data());
    kernels::tanh_forward(batch.batch * dim, w.pooled.data(), w.pooled.data());
    classifier_.forward(parameters, batch.batch, w.pooled.data(), w.pair_logits.data());
  }
}

template <class S>
PairLoss Encoder::loss(const PairBatch& batch, EncoderWorkspace<S>& w) const {
  PairLoss loss;
  if (batch.masked > 0) {
    loss.masked.sum = kernels::cross_entropy(
        batch.masked, config_.vocab, w.logits.data(), config_.vocab, batch.masked_targets,
        w.masked_losses.data(), false, S(0), &loss.masked.count);
  }
  if (batch.labels != nullptr) {
    loss.sentence.sum = kernels::cross_entropy(batch.batch, config_.classes, w.pair_logits.data(),
                                               config_.classes, batch.labels, w.pair_losses.data(),
                                               false, S(0), &loss.sentence.count);
  }
  return loss;
}

template <class S>
PairLoss Encoder::forward_backward(const S* parameters, const PairBatch& batch,
                                   EncoderWorkspace<S>& w, S* gradients, S masked_weight,
                                   S sentence_weight, const S* class_weights,
                                   nn::Tap<S>* tap) const {
  forward(parameters, batch, w, tap);
  const Index rows = batch.batch * batch.time;
  const Index dim = config_.dim;
  PairLoss loss;
  w.d.head(rows * dim).setZero();

  if (batch.masked > 0) {
    const S scale = masked_weight / static_cast<S>(batch.masked);
    loss.masked.sum = kernels::cross_entropy(
        batch.masked, config_.vocab, w.logits.data(), config_.vocab, batch.masked_targets,
        w.masked_losses.data(), true, scale, &loss.masked.count);
    tokens_.backward_project(parameters, batch.masked, w.transform_normed.data(), w.logits.data(),
                             head_bias_, w.d_masked_a.data(), gradients);
    if (tap) {
      tap->backward({Site::head_input, config_.layers}, w.d_masked_a.data(), batch.masked, dim);
    }
    transform_norm_.backward(parameters, batch.masked, w.transform.data(), w.transform_stats.data(),
                             w.d_masked_a.data(), w.d_masked_b.data(), false, gradients);
    kernels::activation_backward(kernels::Activation::gelu_erf, batch.masked * dim,
                                 w.transform_pre.data(), w.d_masked_b.data(), w.d_masked_b.data());
    transform_.backward(parameters, batch.masked, w.gathered.data(), w.d_masked_b.data(),
                        w.d_masked_a.data(), gradients);
    for (Index i = 0; i < batch.masked; ++i) {
      kernels::add(dim, w.d_masked_a.data() + i * dim, w.d.data() + batch.masked_rows[i] * dim);
    }
  }

  if (batch.labels != nullptr) {
    const auto weight_of = [&](Index b) {
      const std::int32_t label = batch.labels[b];
      if (label < 0) return S(0);
      return class_weights == nullptr ? S(1) : class_weights[label];
    };
    S weights = 0;
    for (Index b = 0; b < batch.batch; ++b) weights += weight_of(b);
    for (Index b = 0; b < batch.batch; ++b) {
      const S scale = weights > S(0) ? sentence_weight * weight_of(b) / weights : S(0);
      std::int64_t used = 0;
      loss.sentence.sum += kernels::cross_entropy(
          Index(1), config_.classes, w.pair_logits.data() + b * config_.classes, config_.classes,
          batch.labels + b, w.pair_losses.data() + b, true, scale, &used);
      loss.sentence.count += used;
    }
    classifier_.backward(parameters, batch.batch, w.pooled.data(), w.pair_logits.data(),
                         w.d_pair.data(), gradients);
    kernels::tanh_backward(batch.batch * dim, w.pooled.data(), w.d_pair.data(), w.d_pair.data());
    // `pooled` is not needed any more; it takes the gradient of `first`.
    pooler_.backward(parameters, batch.batch, w.first.data(), w.d_pair.data(), w.pooled.data(),
                     gradients);
    for (Index b = 0; b < batch.batch; ++b) {
      kernels::add(dim, w.pooled.data() + b * dim, w.d.data() + b * batch.time * dim);
    }
  }

  const auto shape = shape_of(config_, batch);
  for (std::size_t l = blocks_.size(); l-- > 0;) {
    if (tap) tap->residual_backward(static_cast<Index>(l), w.d.data(), rows, dim);
    blocks_[l].backward(parameters, shape, static_cast<Index>(l), w.residual[l].data(), w.blocks[l],
                        w.scratch, w.d.data(), gradients, tap);
  }
  embedding_norm_.backward(parameters, rows, w.embedded.data(), w.embedded_stats.data(), w.d.data(),
                           w.d_embedded.data(), false, gradients);
  tokens_.backward(rows, batch.inputs, w.d_embedded.data(), gradients);
  segments_.backward(rows, batch.segments, w.d_embedded.data(), gradients);
  positions_.backward_positions(batch.batch, batch.time, w.d_embedded.data(), gradients);
  return loss;
}

double Encoder::flops_per_token(Index time) const {
  // The blocks run at every token; the heads are counted where they run: at the
  // masked share (15 %) and at the first token.
  const double dim = static_cast<double>(config_.dim);
  const double layers = static_cast<double>(config_.layers);
  const double vocab = static_cast<double>(config_.vocab);
  const double tokens = static_cast<double>(time);
  const double heads = 0.15 * (dim * dim + vocab * dim) + dim * dim / tokens;
  return 6 * (12 * layers * dim * dim + heads) + 12 * layers * tokens * dim;
}

#define XFQ_INSTANTIATE(S)                                                                         \
  template EncoderWorkspace<S> Encoder::make_workspace<S>(Index, Index, Index) const;              \
  template void Encoder::forward<S>(const S*, const PairBatch&, EncoderWorkspace<S>&, nn::Tap<S>*) \
      const;                                                                                       \
  template void Encoder::forward_from<S>(Index, const S*, const PairBatch&, EncoderWorkspace<S>&,  \
                                         nn::Tap<S>*) const;                                       \
  template PairLoss Encoder::loss<S>(const PairBatch&, EncoderWorkspace<S>&) const;                \
  template PairLoss Encoder::forward_backward<S>(const S*, const PairBatch&, EncoderWorkspace<S>&, \
                                                 S*, S, S, const S*, nn::Tap<S>*) const;
XFQ_INSTANTIATE(float)
XFQ_INSTANTIATE(double)
#undef XFQ_INSTANTIATE

}  // namespace xfq::models
