#include "xfq/importance/network.h"

#include <cmath>

#include "xfq/core/error.h"

namespace xfq::importance {

namespace {

/// Sum of |w| over row `row` of a [in, out] matrix.
double row_weight(const float* weights, Index row, Index out) {
  double sum = 0;
  for (Index i = 0; i < out; ++i) sum += std::abs(static_cast<double>(weights[row * out + i]));
  return sum;
}

double row_weight(const float* parameters, const nn::Linear& linear, Index row) {
  return row_weight(parameters + linear.weight, row, linear.out);
}

double gain(const float* parameters, const nn::LayerNorm& norm, Index channel) {
  return std::abs(static_cast<double>(parameters[norm.weight + channel]));
}

// --- decoder ----------------------------------------------------------------------

models::TokenBatch token_batch(const Batch& batch) {
  models::TokenBatch tokens;
  tokens.batch = batch.batch;
  tokens.time = batch.time;
  tokens.inputs = batch.inputs.data();
  tokens.targets = batch.targets.data();
  return tokens;  // padding at the end is in nobody's past: no lengths
}

class DecoderPass final : public Pass {
 public:
  DecoderPass(const models::Decoder& decoder, Index batch, Index time)
      : decoder_(decoder), workspace_(decoder.make_workspace<float>(batch, time)) {}

  void forward(const float* parameters, const Batch& batch, nn::Tap<float>* tap) override {
    decoder_.forward(parameters, token_batch(batch), workspace_, tap);
  }
  void forward_from(Index layer, const float* parameters, const Batch& batch,
                    nn::Tap<float>* tap) override {
    decoder_.forward_from(layer, parameters, token_batch(batch), workspace_, tap);
  }
  nn::Loss forward_backward(const float* parameters, const Batch& batch, float* gradients,
                            nn::Tap<float>* tap) override {
    return decoder_.forward_backward(parameters, token_batch(batch), workspace_, gradients, 1.0f,
                                     tap);
  }
  nn::Loss loss(const Batch& batch) override {
    return decoder_.loss(token_batch(batch), workspace_);
  }
  float* residual(Index layer) override {
    return workspace_.residual[static_cast<std::size_t>(layer)].data();
  }
  const nn::BlockCache<float>& cache(Index layer) const override {
    return workspace_.blocks[static_cast<std::size_t>(layer)];
  }
  const float* logits() const override { return workspace_.logits.data(); }

 private:
  const models::Decoder& decoder_;
  models::DecoderWorkspace<float> workspace_;
};

class DecoderNetwork final : public Network {
 public:
  explicit DecoderNetwork(const models::Decoder& decoder) : decoder_(decoder) {}

  const std::vector<nn::Block>& blocks() const override { return decoder_.blocks(); }
  const nn::ParameterLayout& layout() const override { return decoder_.layout(); }
  Index vocab() const override { return decoder_.config().vocab; }
  std::unique_ptr<Pass> make_pass(Index batch, Index time) const override {
    return std::make_unique<DecoderPass>(decoder_, batch, time);
  }
  std::vector<Index> logit_rows(const Batch& batch) const override {
    std::vector<Index> rows(static_cast<std::size_t>(batch.rows()));
    for (Index r = 0; r < batch.rows(); ++r) rows[static_cast<std::size_t>(r)] = r;
    return rows;
  }
  double reading_weight(const float* parameters, Index layer, Index channel) const override {
    if (layer + 1 < layers()) {
      const nn::Block& next = blocks()[static_cast<std::size_t>(layer + 1)];
      return gain(parameters, next.norm_1(), channel) *
                 row_weight(parameters, next.qkv(), channel) +
             gain(parameters, next.norm_2(), channel) * row_weight(parameters, next.up(), channel);
    }
    const models::LinearSite head = decoder_.linears().back();
    double sum = 0;
    for (Index v = 0; v < head.out; ++v) {
      sum += std::abs(static_cast<double>(parameters[head.weight + v * head.in + channel]));
    }
    return gain(parameters, decoder_.final_norm(), channel) * sum;
  }

 private:
  const models::Decoder& decoder_;
};

// --- encoder ----------------------------------------------------------------------

class EncoderPass final : public Pass {
 public:
  EncoderPass(const models::Encoder& encoder, Index batch, Index time)
      : encoder_(encoder), workspace_(encoder.make_workspace<float>(batch, time, batch * time)) {}

  void forward(const float* parameters, const Batch& batch, nn::Tap<float>* tap) override {
    encoder_.forward(parameters, pairs(batch), workspace_, tap);
  }
  void forward_from(Index layer, const float* parameters, const Batch& batch,
                    nn::Tap<float>* tap) override {
    encoder_.forward_from(layer, parameters, pairs(batch), workspace_, tap);
  }
  nn::Loss forward_backward(const float* parameters, const Batch& batch, float* gradients,
                            nn::Tap<float>* tap) override {
    const models::PairBatch input = pairs(batch);
    // The encoder takes the mean over the masked tokens; their number makes it a sum.
    return encoder_
        .forward_backward(parameters, input, workspace_, gradients,
                          static_cast<float>(input.masked), 0.0f, static_cast<float*>(nullptr), tap)
        .masked;
  }
  nn::Loss loss(const Batch& batch) override {
    return encoder_.loss(pairs(batch), workspace_).masked;
  }
  float* residual(Index layer) override {
    return workspace_.residual[static_cast<std::size_t>(layer)].data();
  }
  const nn::BlockCache<float>& cache(Index layer) const override {
    return workspace_.blocks[static_cast<std::size_t>(layer)];
  }
  const float* logits() const override { return workspace_.logits.data(); }

 private:
  models::PairBatch pairs(const Batch& batch) {
    masked_rows_.clear();
    masked_targets_.clear();
    for (Index r = 0; r < batch.rows(); ++r) {
      const std::int32_t target = batch.targets[static_cast<std::size_t>(r)];
      if (target < 0) continue;
      masked_rows_.push_back(static_cast<std::int32_t>(r));
      masked_targets_.push_back(target);
    }
    models::PairBatch input;
    input.batch = batch.batch;
    input.time = batch.time;
    input.inputs = batch.inputs.data();
    input.segments = batch.segments.data();
    input.lengths = batch.lengths.data();
    input.masked = static_cast<Index>(masked_rows_.size());
    input.masked_rows = masked_rows_.data();
    input.masked_targets = masked_targets_.data();
    return input;
  }

  const models::Encoder& encoder_;
  models::EncoderWorkspace<float> workspace_;
  std::vector<std::int32_t> masked_rows_, masked_targets_;
};

class EncoderNetwork final : public Network {
 public:
  explicit EncoderNetwork(const models::Encoder& encoder) : encoder_(encoder) {}

  const std::vector<nn::Block>& blocks() const override { return encoder_.blocks(); }
  const nn::ParameterLayout& layout() const override { return encoder_.layout(); }
  Index vocab() const override { return encoder_.config().vocab; }
  std::unique_ptr<Pass> make_pass(Index batch, Index time) const override {
    return std::make_unique<EncoderPass>(encoder_, batch, time);
  }
  std::vector<Index> logit_rows(const Batch& batch) const override {
    std::vector<Index> rows;
    for (Index r = 0; r < batch.rows(); ++r) {
      if (batch.targets[static_cast<std::size_t>(r)] >= 0) rows.push_back(r);
    }
    return rows;
  }
  double reading_weight(const float* parameters, Index layer, Index channel) const override {
    // Post-LayerNorm: a block reads its input as it is; the feed-forward part reads it behind a
    // LayerNorm that also adds the attention.
    if (layer + 1 < layers()) {
      const nn::Block& next = blocks()[static_cast<std::size_t>(layer + 1)];
      return row_weight(parameters, next.qkv(), channel) +
             gain(parameters, next.norm_1(), channel) * row_weight(parameters, next.up(), channel);
    }
    return row_weight(parameters, encoder_.transform(), channel);
  }

 private:
  const models::Encoder& encoder_;
};

}  // namespace

std::unique_ptr<Network> make_network(const models::Decoder& decoder) {
  return std::make_unique<DecoderNetwork>(decoder);
}

std::unique_ptr<Network> make_network(const models::Encoder& encoder) {
  return std::make_unique<EncoderNetwork>(encoder);
}

}  // namespace xfq::importance
