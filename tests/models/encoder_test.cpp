// The whole encoder, both heads, against central differences in double.
#include "xfq/models/encoder.h"

#include "catch.h"
#include "gradient_check.h"

namespace xfq::models {

using test::worst_gradient_error;

namespace {

struct Fixture {
  EncoderConfig config;
  std::vector<std::int32_t> inputs, segments;
  std::vector<std::int32_t> lengths{6, 4, 5};
  std::vector<std::int32_t> rows{1, 4, 8, 13, 16}, targets{2, 7, 0, 9, 9};
  std::vector<std::int32_t> labels{1, 0, -1};
  PairBatch batch;

  Fixture() {
    config.layers = 2;
    config.dim = 8;
    config.heads = 2;
    config.context = 7;
    config.vocab = 11;
    config.init = 0.3;
    config.embedding_init = 0.5;
    Stream stream(3, "pairs");
    for (Index i = 0; i < 3 * 6; ++i) {
      inputs.push_back(static_cast<std::int32_t>(stream.below(11)));
      segments.push_back(i % 6 < 3 ? 0 : 1);
    }
    batch.batch = 3;
    batch.time = 6;
    batch.inputs = inputs.data();
    batch.segments = segments.data();
    batch.lengths = lengths.data();
    batch.masked = 5;
    batch.masked_rows = rows.data();
    batch.masked_targets = targets.data();
    batch.labels = labels.data();
  }
};

}  // namespace

TEST_CASE("encoder gradients match central differences") {
  Fixture f;
  const bool weighted = GENERATE(false, true);
  const double class_weights[] = {0.5, 3.0};
  const Encoder encoder(f.config);
  Vector<double> parameters;
  nn::initialise(encoder.layout(), 5, parameters);
  auto workspace = encoder.make_workspace<double>(3, 6, 5);
  Vector<double> gradients = nn::make_parameters<double>(encoder.layout());
  const double masked_weight = 0.7, sentence_weight = 1.3;
  const PairLoss first =
      encoder.forward_backward(parameters.data(), f.batch, workspace, gradients.data(),
                               masked_weight, sentence_weight, weighted ? class_weights : nullptr);
  CHECK(first.masked.count == 5);
  CHECK(first.sentence.count == 2);
  const auto loss = [&] {
    encoder.forward(parameters.data(), f.batch, workspace);
    const PairLoss now = encoder.loss(f.batch, workspace);
    double sentence = now.sentence.mean();
    if (weighted) {
      // Labels 1 and 0 have weights 3 and 0.5.
      sentence = (3.0 * workspace.pair_losses[0] + 0.5 * workspace.pair_losses[1]) / 3.5;
    }
    return masked_weight * now.masked.mean() + sentence_weight * sentence;
  };
  for (const nn::ParameterInfo& tensor : encoder.layout().tensors()) {
    INFO(tensor.name);
    CHECK(worst_gradient_error(loss, parameters, gradients, tensor.offset, tensor.size()) <= 1e-6);
  }
}

TEST_CASE("either head alone trains what it touches and nothing else") {
  Fixture f;
  const Encoder encoder(f.config);
  Vector<double> parameters;
  nn::initialise(encoder.layout(), 5, parameters);
  auto workspace = encoder.make_workspace<double>(3, 6, 5);
  const auto gradient_of = [&](const PairBatch& batch, const std::string& tensor) {
    Vector<double> gradients = nn::make_parameters<double>(encoder.layout());
    encoder.forward_backward(parameters.data(), batch, workspace, gradients.data());
    const nn::ParameterInfo* info = encoder.layout().find(tensor);
    REQUIRE(info != nullptr);
    return gradients.segment(info->offset, info->size()).norm();
  };
  PairBatch masked_only = f.batch;
  masked_only.labels = nullptr;
  PairBatch sentence_only = f.batch;
  sentence_only.masked = 0;
  CHECK(gradient_of(masked_only, "bert.pooler.dense.weight") == 0);
  CHECK(gradient_of(masked_only, "cls.predictions.bias") > 0);
  CHECK(gradient_of(sentence_only, "bert.pooler.dense.weight") > 0);
  CHECK(gradient_of(sentence_only, "cls.predictions.bias") == 0);
  CHECK(gradient_of(sentence_only, "bert.encoder.layer.0.attention.self.qkv.weight") > 0);
}

TEST_CASE("padding does not change what stands before it") {
  Fixture f;
  const Encoder encoder(f.config);
  Vector<double> parameters;
  nn::initialise(encoder.layout(), 5, parameters);
  auto workspace = encoder.make_workspace<double>(3, 6, 5);
  encoder.forward(parameters.data(), f.batch, workspace);
  const Vector<double> before = workspace.residual.back().segment(6 * 8, 4 * 8);
  f.inputs[6 + 4] = (f.inputs[6 + 4] + 1) % 11;  // sequence 1 is 4 long
  f.inputs[6 + 5] = (f.inputs[6 + 5] + 1) % 11;
  encoder.forward(parameters.data(), f.batch, workspace);
  CHECK(before == workspace.residual.back().segment(6 * 8, 4 * 8));
}

}  // namespace xfq::models
