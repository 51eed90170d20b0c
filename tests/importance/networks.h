// Small networks for the tests: random ones, and one whose neurons' importances are known.
#pragma once

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "xfq/core/random.h"
#include "xfq/importance/network.h"

namespace xfq::test {

inline importance::Batch random_batch(Index batch, Index time, Index vocab, double predicted,
                                      std::uint64_t seed) {
  importance::Batch b;
  b.batch = batch;
  b.time = time;
  Stream stream(seed, "test.importance.tokens");
  for (Index i = 0; i < batch; ++i) {
    // Lengths differ, so that padding is met.
    const auto length = static_cast<std::int32_t>(
        time - static_cast<Index>(stream.below(static_cast<std::uint64_t>(time / 2))));
    b.lengths.push_back(length);
    for (Index t = 0; t < time; ++t) {
      const auto draw = [&] {
        return static_cast<std::int32_t>(stream.below(static_cast<std::uint64_t>(vocab)));
      };
      b.inputs.push_back(draw());
      const std::int32_t target = draw();
      b.targets.push_back(t < length && stream.bernoulli(predicted) ? target : -1);
      b.segments.push_back(t < length / 2 ? 0 : 1);
    }
    b.targets[static_cast<std::size_t>(i * time)] = 1;  // every sequence predicts a token
  }
  return b;
}

struct RandomDecoder {
  models::Decoder decoder;
  Vector<float> parameters;
  std::unique_ptr<importance::Network> network;
  std::vector<importance::Batch> batches;

  explicit RandomDecoder(Index layers = 2) : decoder(config(layers)) {
    parameters = nn::make_parameters<float>(decoder.layout());
    nn::initialise(decoder.layout(), 5, parameters);
    network = importance::make_network(decoder);
    batches = {random_batch(5, 9, 13, 1, 1), random_batch(4, 12, 13, 1, 2)};
  }

  static models::DecoderConfig config(Index layers) {
    models::DecoderConfig c;
    c.layers = layers;
    c.dim = 8;
    c.heads = 2;
    c.context = 12;
    c.vocab = 13;
    c.init = 0.4;
    c.embedding_init = 0.5;
    return c;
  }
};

struct RandomEncoder {
  models::Encoder encoder;
  Vector<float> parameters;
  std::unique_ptr<importance::Network> network;
  std::vector<importance::Batch> batches;

  RandomEncoder() : encoder(config()) {
    parameters = nn::make_parameters<float>(encoder.layout());
    nn::initialise(encoder.layout(), 5, parameters);
    network = importance::make_network(encoder);
    batches = {random_batch(5, 9, 13, 0.3, 1), random_batch(4, 12, 13, 0.3, 2)};
  }

  static models::EncoderConfig config() {
    models::EncoderConfig c;
    c.layers = 2;
    c.dim = 8;
    c.heads = 2;
    c.context = 12;
    c.vocab = 13;
    c.init = 0.4;
    c.embedding_init = 0.5;
    return c;
  }
};

/// One layer whose neurons all see the same direction u of the stream and write along the same
/// direction w: neuron j has a = input_j * (u x + 3), far on the linear side of the GELU, and adds
/// output_j * a * w. What a neuron does is proportional to input_j * output_j.
struct KnownDecoder : RandomDecoder {
  std::vector<double> input, output;

  KnownDecoder(const std::vector<double>& inputs, const std::vector<double>& outputs)
      : RandomDecoder(1), input(inputs), output(outputs) {
    const nn::Block& block = decoder.blocks()[0];
    const Index dim = block.config().dim, hidden = block.config().hidden;
    Stream stream(3, "test.importance.known");
    std::vector<double> u, w;
    for (Index c = 0; c < dim; ++c) {
      u.push_back(0.1 * stream.normal());
      w.push_back(0.1 * stream.normal());
    }
    for (Index j = 0; j < hidden; ++j) {
      const auto n = static_cast<std::size_t>(j);
      for (Index c = 0; c < dim; ++c) {
        const auto i = static_cast<std::size_t>(c);
        parameters[block.up().weight + c * hidden + j] = static_cast<float>(20 * input[n] * u[i]);
        parameters[block.down().weight + j * dim + c] = static_cast<float>(output[n] * w[i] / 20);
      }
      parameters[block.up().bias + j] = static_cast<float>(20 * input[n] * 3);
    }
  }
  Index hidden() const { return decoder.blocks()[0].config().hidden; }
};

/// `count` equal steps from `first` to `last`.
inline std::vector<double> steps(std::size_t count, double first, double last) {
  std::vector<double> values;
  for (std::size_t i = 0; i < count; ++i) {
    values.push_back(first +
                     (last - first) * static_cast<double>(i) / static_cast<double>(count - 1));
  }
  return values;
}

}  // namespace xfq::test
