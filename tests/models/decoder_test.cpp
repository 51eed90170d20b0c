// The whole decoder against central differences in double, and its invariants.
#include "xfq/models/decoder.h"

#include <cmath>

#include "catch.h"
#include "gradient_check.h"
#include "xfq/core/error.h"

namespace xfq::models {

using test::worst_gradient_error;

namespace {

DecoderConfig small_config() {
  DecoderConfig config;
  config.layers = 2;
  config.dim = 8;
  config.heads = 2;
  config.context = 6;
  config.vocab = 11;
  config.init = 0.3;
  config.embedding_init = 0.5;
  return config;
}

struct Batch {
  std::vector<std::int32_t> inputs, targets;
  TokenBatch tokens;

  Batch(Index batch, Index time, Index vocab, std::uint64_t seed) {
    Stream stream(seed, "batch");
    for (Index i = 0; i < batch * time; ++i) {
      inputs.push_back(static_cast<std::int32_t>(stream.below(static_cast<std::uint64_t>(vocab))));
      targets.push_back(static_cast<std::int32_t>(stream.below(static_cast<std::uint64_t>(vocab))));
    }
    targets[2] = -1;
    tokens = {batch, time, inputs.data(), targets.data(), nullptr};
  }
};

}  // namespace

TEST_CASE("decoder gradients match central differences") {
  DecoderConfig config = small_config();
  config.bias = GENERATE(true, false);
  const Decoder decoder(config);
  Vector<double> parameters;
  nn::initialise(decoder.layout(), 5, parameters);
  const Batch batch(3, 5, config.vocab, 1);  // shorter than the context
  auto workspace = decoder.make_workspace<double>(3, 5);
  Vector<double> gradients = nn::make_parameters<double>(decoder.layout());
  const nn::Loss first =
      decoder.forward_backward(parameters.data(), batch.tokens, workspace, gradients.data());
  CHECK(first.count == 14);
  const auto loss = [&] {
    decoder.forward(parameters.data(), batch.tokens, workspace);
    return decoder.loss(batch.tokens, workspace).mean();
  };
  CHECK(loss() == Approx(first.mean()).epsilon(1e-14));
  for (const nn::ParameterInfo& tensor : decoder.layout().tensors()) {
    INFO(tensor.name);
    CHECK(worst_gradient_error(loss, parameters, gradients, tensor.offset, tensor.size()) <= 1e-6);
  }
}

TEST_CASE("the mean gradient does not depend on the order of the batch or on micro-batches") {
  const DecoderConfig config = small_config();
  const Decoder decoder(config);
  Vector<double> parameters;
  nn::initialise(decoder.layout(), 5, parameters);
  const Index time = 5;
  Batch batch(4, time, config.vocab, 1);
  auto workspace = decoder.make_workspace<double>(4, time);
  Vector<double> whole = nn::make_parameters<double>(decoder.layout());
  decoder.forward_backward(parameters.data(), batch.tokens, workspace, whole.data());

  std::vector<std::int32_t> inputs, targets;  // sequences in reverse order
  for (Index b = 3; b >= 0; --b) {
    inputs.insert(inputs.end(), batch.inputs.begin() + b * time,
                  batch.inputs.begin() + (b + 1) * time);
    targets.insert(targets.end(), batch.targets.begin() + b * time,
                   batch.targets.begin() + (b + 1) * time);
  }
  Vector<double> reversed = nn::make_parameters<double>(decoder.layout());
  decoder.forward_backward(parameters.data(), {4, time, inputs.data(), targets.data(), nullptr},
                           workspace, reversed.data());
  CHECK((whole - reversed).norm() <= 1e-13 * whole.norm());

  // Two micro-batches of two sequences with the scale of the whole batch.
  Vector<double> accumulated = nn::make_parameters<double>(decoder.layout());
  for (const Index b : {0, 2}) {
    decoder.forward_backward(
        parameters.data(),
        {2, time, batch.inputs.data() + b * time, batch.targets.data() + b * time, nullptr},
        workspace, accumulated.data(), 1.0 / 19);
  }
  CHECK((whole - accumulated).norm() <= 1e-13 * whole.norm());
}

TEST_CASE("an untrained decoder with tiny weights predicts the uniform distribution") {
  DecoderConfig config = small_config();
  config.init = 1e-6;
  config.embedding_init = 1e-6;
  const Decoder decoder(config);
  Vector<float> parameters;
  nn::initialise(decoder.layout(), 5, parameters);
  const Batch batch(3, 6, config.vocab, 1);
  auto workspace = decoder.make_workspace<float>(3, 6);
  decoder.forward(parameters.data(), batch.tokens, workspace);
  CHECK(decoder.loss(batch.tokens, workspace).mean() == Approx(std::log(11.0)).epsilon(1e-4));
}

TEST_CASE("the decoder lists every matrix product once") {
  const Decoder decoder(small_config());
  const auto sites = decoder.linears();
  REQUIRE(sites.size() == 4 * 2 + 1);
  for (const LinearSite& site : sites) {
    const nn::ParameterInfo* tensor = decoder.layout().find(site.name + ".weight");
    REQUIRE(tensor != nullptr);
    CHECK(tensor->offset == site.weight);
    CHECK(tensor->size() == site.in * site.out);
    CHECK(tensor->rows == (site.tied_embedding ? site.out : site.in));
  }
}

TEST_CASE("sizes that do not fit are refused with the size and the rule") {
  DecoderConfig config = small_config();
  config.heads = 3;
  try {
    const Decoder decoder(config);
    FAIL("a width of 8 has no 3 equal heads");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    CHECK(std::string(error.what()) == "dim: got 8, expected a multiple of heads = 3");
  }
  config.heads = 0;
  CHECK_THROWS_AS(Decoder(config), Error);
}

}  // namespace xfq::models
