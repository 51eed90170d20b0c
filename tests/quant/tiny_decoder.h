// A tiny decoder with random weights and a batch for it.
#pragma once

#include <cstdint>
#include <vector>

#include "xfq/core/random.h"
#include "xfq/models/decoder.h"

namespace xfq::test {

struct TinyDecoder {
  models::Decoder decoder;
  Vector<float> parameters;
  std::vector<std::int32_t> inputs, targets;
  models::TokenBatch batch;
  models::DecoderWorkspace<float> workspace;

  TinyDecoder() : decoder(config()) {
    parameters = nn::make_parameters<float>(decoder.layout());
    nn::initialise(decoder.layout(), 5, parameters);
    batch.batch = 6;
    batch.time = 16;
    Stream stream(5, "test.quant.tokens");
    const auto vocab = static_cast<std::uint64_t>(decoder.config().vocab);
    for (Index i = 0; i < batch.batch * batch.time; ++i) {
      inputs.push_back(static_cast<std::int32_t>(stream.below(vocab)));
      targets.push_back(static_cast<std::int32_t>(stream.below(vocab)));
    }
    batch.inputs = inputs.data();
    batch.targets = targets.data();
    workspace = decoder.make_workspace<float>(batch.batch, batch.time);
  }
  TinyDecoder(const TinyDecoder&) = delete;
  TinyDecoder& operator=(const TinyDecoder&) = delete;

  Index rows() const { return batch.batch * batch.time; }

  std::vector<float> logits(const Vector<float>& weights, nn::Tap<float>* tap = nullptr) {
    decoder.forward(weights.data(), batch, workspace, tap);
    return {workspace.logits.data(), workspace.logits.data() + rows() * decoder.config().vocab};
  }

 private:
  static models::DecoderConfig config() {
    models::DecoderConfig c;
    c.layers = 2;
    c.dim = 32;
    c.heads = 2;
    c.context = 16;
    c.vocab = 37;
    // Large enough for attention and logits to be far from uniform.
    c.init = 0.2;
    c.embedding_init = 0.3;
    return c;
  }
};

}  // namespace xfq::test
