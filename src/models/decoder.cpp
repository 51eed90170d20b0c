#include "xfq/models/decoder.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "head.h"
#include "sizes.h"
#include "xfq/core/dual.h"
#include "xfq/core/error.h"

namespace xfq::models {

using nn::Site;

Decoder::Decoder(const DecoderConfig& config) : config_(config) {
  check_sizes(config.layers, config.dim, config.heads, config.context, config.vocab);
  tokens_ = nn::Embedding::add(layout_, "wte", config.vocab, config.dim,
                               nn::Init::normal(config.embedding_init));
  positions_ =
      nn::Embedding::add(layout_, "wpe", config.context, config.dim, nn::Init::normal(config.init));
  nn::BlockConfig block;
  block.dim = config.dim;
  block.heads = config.heads;
  block.hidden = 4 * config.dim;
  block.bias = config.bias;
  block.init = config.init;
  block.residual_init = config.init / std::sqrt(2.0 * static_cast<double>(config.layers));
  for (Index l = 0; l < config.layers; ++l) {
    const std::string prefix = fmt::format("h.{}.", l);
    blocks_.emplace_back(
        layout_, block,
        nn::BlockNames{prefix + "ln_1", prefix + "attn.c_attn", prefix + "attn.c_proj",
                       prefix + "ln_2", prefix + "mlp.c_fc", prefix + "mlp.c_proj"});
  }
  norm_ = nn::LayerNorm::add(layout_, "ln_f", config.dim, config.bias, 1e-5);
}

std::vector<LinearSite> Decoder::linears() const {
  std::vector<LinearSite> sites;
  for (Index l = 0; l < config_.layers; ++l) {
    append_block_linears(blocks_[static_cast<std::size_t>(l)], l,
                         {fmt::format("h.{}.attn.c_attn", l), fmt::format("h.{}.attn.c_proj", l),
                          fmt::format("h.{}.mlp.c_fc", l), fmt::format("h.{}.mlp.c_proj", l)},
                         sites);
  }
  sites.push_back({"wte",
                   {Site::head_input, config_.layers},
                   tokens_.weight,
                   config_.dim,
                   config_.vocab,
                   true});
  return sites;
}

template <class S>
DecoderWorkspace<S> Decoder::make_workspace(Index batch, Index time) const {
  XFQ_ASSERT(time <= config_.context);
  DecoderWorkspace<S> w;
  w.batch = batch;
  w.time = time;
  const Index rows = batch * time;
  w.residual.assign(static_cast<std::size_t>(config_.layers) + 1,
                    Vector<S>::Zero(rows * config_.dim));
  w.blocks.resize(static_cast<std::size_t>(config_.layers));
  for (std::size_t l = 0; l < w.blocks.size(); ++l) {
    w.blocks[l].allocate(blocks_[l].config(), batch, time);
  }
  w.scratch.allocate(blocks_[0].config(), batch, time);
  w.normed.setZero(rows * config_.dim);
  w.norm_stats.setZero(2 * rows);
  w.logits.setZero(rows * config_.vocab);
  w.d.setZero(rows * config_.dim);
  w.losses.setZero(rows);
  return w;
}

namespace {

// Logits of one slice of the head: 768 KiB of floats, which a second-level cache
// holds (the fastest of 512, 768 and all rows at 1000 and at 2000 tokens); but never
// so few rows that preparing the token table weighs more.
constexpr Index kHeadElements = 192 * 1024;
constexpr Index kLeastHeadRows = 64;

kernels::AttentionShape shape_of(const DecoderConfig& config, const TokenBatch& batch) {
  return {batch.batch, batch.time, config.heads, config.dim / config.heads, true, batch.lengths};
}

}  // namespace

template <class S>
void Decoder::embed(const S* parameters, const TokenBatch& batch, DecoderWorkspace<S>& w) const {
  XFQ_ASSERT(batch.batch * batch.time <= w.batch * w.time && batch.time <= w.time);
  tokens_.forward(parameters, batch.batch * batch.time, batch.inputs, w.residual[0].data(), false);
  positions_.add_positions(parameters, batch.batch, batch.time, w.residual[0].data());
}

template <class S>
void Decoder::forward_blocks(Index first, const S* parameters, const TokenBatch& batch,
                             DecoderWorkspace<S>& w, nn::Tap<S>* tap) const {
  const Index rows = batch.batch * batch.time;
  const auto shape = shape_of(config_, batch);
  for (auto l = static_cast<std::size_t>(first); l < blocks_.size(); ++l) {
    blocks_[l].forward(parameters, shape, static_cast<Index>(l), w.residual[l].data(),
                       w.residual[l + 1].data(), w.blocks[l], tap);
    if (tap) {
      tap->residual_forward(static_cast<Index>(l), w.residual[l + 1].data(), rows, config_.dim);
    }
  }
  norm_.forward(parameters, rows, w.residual.back().data(), w.normed.data(), w.norm_stats.data());
  if (tap) {
    tap->forward({Site::head_input, config_.layers}, w.normed.data(), rows, config_.dim);
  }
}

template <class S>
void Decoder::forward(const S* parameters, const TokenBatch& batch, DecoderWorkspace<S>& w,
                      nn::Tap<S>* tap) const {
  embed(parameters, batch, w);
  forward_from(0, parameters, batch, w, tap);
}

template <class S>
void Decoder::forward_from(Index first, const S* parameters, const TokenBatch& batch,
                           DecoderWorkspace<S>& w, nn::Tap<S>* tap) const {
  forward_blocks(first, parameters, batch, w, tap);
  project_head(tap, {Site::head_input, config_.layers}, tokens_, parameters,
               batch.batch * batch.time, w.normed.data(), -1, w.logits.data());
}

template <class S>
nn::Loss Decoder::loss(const TokenBatch& batch, DecoderWorkspace<S>& w) const {
  nn::Loss loss;
  loss.sum = kernels::cross_entropy(batch.batch * batch.time, config_.vocab, w.logits.data(),
                                    config_.vocab, batch.targets, w.losses.data(), false, S(0),
                                    &loss.count);
  return loss;
}

template <class S>
nn::Loss Decoder::forward_backward(const S* parameters, const TokenBatch& batch,
                                   DecoderWorkspace<S>& w, S* gradients, S gradient_scale,
                                   nn::Tap<S>* tap) const {
  embed(parameters, batch, w);
  forward_blocks(0, parameters, batch, w, tap);
  const Index rows = batch.batch * batch.time;
  if (gradient_scale == S(0)) {
    std::int64_t predictions = 0;
    for (Index r = 0; r < rows; ++r) predictions += batch.targets[r] >= 0 ? 1 : 0;
    XFQ_ASSERT(predictions > 0);
    gradient_scale = static_cast<S>(1.0 / static_cast<double>(predictions));
  }
  // The head runs over slices of rows, so that logits and their gradient stay in
  // the cache. Sums run on over the slices in the same order: the same bits.
  S* d_normed = w.scratch.d_a.data();
  nn::Loss loss;
  const Index slice = std::max<Index>(kLeastHeadRows, kHeadElements / config_.vocab);
  for (Index first = 0; first < rows; first += slice) {
    const Index count = std::min(slice, rows - first);
    S* logits = w.logits.data() + first * config_.vocab;
    const S* normed = w.normed.data() + first * config_.dim;
    tokens_.project(parameters, count, normed, -1, logits);
    nn::Loss part;
    part.sum =
        kernels::cross_entropy(count, config_.vocab, logits, config_.vocab, batch.targets + first,
                               w.losses.data() + first, true, gradient_scale, &part.count);
    loss += part;
    tokens_.backward_project(parameters, count, normed, logits, -1, d_normed + first * config_.dim,
                             gradients);
  }
  if (tap) tap->backward({Site::head_input, config_.layers}, d_normed, rows, config_.dim);
  norm_.backward(parameters, rows, w.residual.back().data(), w.norm_stats.data(), d_normed,
                 w.d.data(), false, gradients);
  const auto shape = shape_of(config_, batch);
  for (std::size_t l = blocks_.size(); l-- > 0;) {
    if (tap) tap->residual_backward(static_cast<Index>(l), w.d.data(), rows, config_.dim);
    blocks_[l].backward(parameters, shape, static_cast<Index>(l), w.residual[l].data(), w.blocks[l],
                        w.scratch, w.d.data(), gradients, tap);
  }
  tokens_.backward(rows, batch.inputs, w.d.data(), gradients);
  positions_.backward_positions(batch.batch, batch.time, w.d.data(), gradients);
  return loss;
}

double Decoder::flops_per_token(Index time) const {
  const double parameters = static_cast<double>(layout_.count() - positions_.entries * config_.dim);
  return 6 * parameters + 12 * static_cast<double>(config_.layers * time * config_.dim);
}

#define XFQ_INSTANTIATE(S)                                                                         \
  template DecoderWorkspace<S> Decoder::make_workspace<S>(Index, Index) const;                     \
  template void Decoder::forward<S>(const S*, const TokenBatch&, DecoderWorkspace<S>&,             \
                                    nn::Tap<S>*) const;                                            \
  template void Decoder::forward_from<S>(Index, const S*, const TokenBatch&, DecoderWorkspace<S>&, \
                                         nn::Tap<S>*) const;                                       \
  template nn::Loss Decoder::loss<S>(const TokenBatch&, DecoderWorkspace<S>&) const;               \
  template nn::Loss Decoder::forward_backward<S>(const S*, const TokenBatch&,                      \
                                                 DecoderWorkspace<S>&, S*, S, nn::Tap<S>*) const;
XFQ_INSTANTIATE(float)
XFQ_INSTANTIATE(double)
XFQ_INSTANTIATE(Dual<float>)
XFQ_INSTANTIATE(Dual<double>)
#undef XFQ_INSTANTIATE

}  // namespace xfq::models
