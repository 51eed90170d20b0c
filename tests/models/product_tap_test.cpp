// A tap that computes every product by itself: it is asked for all of them, with the right
// operands.
#include <cstdint>
#include <utility>
#include <vector>

#include "catch.h"
#include "xfq/core/random.h"
#include "xfq/models/decoder.h"
#include "xfq/models/encoder.h"

namespace xfq::models {
namespace {

// The layers' own products, term by term, from the sites that a model lists.
class PlainProducts final : public nn::Tap<double> {
 public:
  PlainProducts(std::vector<LinearSite> sites, const double* parameters)
      : sites_(std::move(sites)), parameters_(parameters) {}

  bool product(const nn::TapPoint& point, const nn::Product<double>& p) override {
    for (const LinearSite& site : sites_) {
      if (site.input.site != point.site || site.input.layer != point.layer) continue;
      CHECK(p.in == site.in);
      CHECK(p.out == site.out);
      CHECK(p.bias == (site.bias < 0 ? nullptr : parameters_ + site.bias));
      for (Index r = 0; r < p.rows; ++r) {
        for (Index o = 0; o < p.out; ++o) {
          double sum = 0;
          for (Index i = 0; i < p.in; ++i) {
            const Index at = site.tied_embedding ? o * p.in + i : i * p.out + o;
            sum += p.x[r * p.in + i] * parameters_[site.weight + at];
          }
          p.y[r * p.out + o] = p.bias == nullptr ? sum : sum + p.bias[o];
        }
      }
      ++calls;
      return true;
    }
    return false;
  }

  std::size_t calls = 0;

 private:
  std::vector<LinearSite> sites_;
  const double* parameters_;
};

// Biases start at 0 and would not show.
Vector<double> parameters_of(const nn::ParameterLayout& layout) {
  Vector<double> parameters;
  nn::initialise(layout, 5, parameters);
  Stream stream(5, "test.biases");
  for (const auto& tensor : layout.tensors()) {
    if (!tensor.vector) continue;
    for (Index i = 0; i < tensor.size(); ++i)
      parameters[tensor.offset + i] += 0.3 * stream.normal();
  }
  return parameters;
}

std::vector<std::int32_t> tokens(Index size, std::uint64_t vocab) {
  Stream stream(5, "test.tokens");
  std::vector<std::int32_t> ids;
  for (Index i = 0; i < size; ++i) ids.push_back(static_cast<std::int32_t>(stream.below(vocab)));
  return ids;
}

}  // namespace

TEST_CASE("a decoder whose products are computed by a tap") {
  DecoderConfig config;
  config.dim = 8;
  config.heads = 2;
  config.context = 5;
  config.vocab = 11;
  config.init = 0.3;
  config.embedding_init = 0.5;
  const Decoder decoder(config);
  const Vector<double> parameters = parameters_of(decoder.layout());
  const auto ids = tokens(15, 11);
  TokenBatch batch;
  batch.batch = 3;
  batch.time = 5;
  batch.inputs = batch.targets = ids.data();
  auto workspace = decoder.make_workspace<double>(3, 5);
  decoder.forward(parameters.data(), batch, workspace);
  const Vector<double> expected = workspace.logits;
  workspace.logits.setZero();
  PlainProducts tap(decoder.linears(), parameters.data());
  decoder.forward(parameters.data(), batch, workspace, static_cast<nn::Tap<double>*>(&tap));
  CHECK(tap.calls == 9);
  CHECK((workspace.logits - expected).cwiseAbs().maxCoeff() < 1e-12);
}

TEST_CASE("an encoder whose products are computed by a tap") {
  EncoderConfig config;
  config.layers = 2;
  config.dim = 8;
  config.heads = 2;
  config.context = 5;
  config.vocab = 11;
  config.init = 0.3;
  config.embedding_init = 0.5;
  const Encoder encoder(config);
  const Vector<double> parameters = parameters_of(encoder.layout());
  const auto ids = tokens(15, 11);
  const std::vector<std::int32_t> segments(15, 0), rows = {1, 6, 12};
  PairBatch batch;
  batch.batch = 3;
  batch.time = 5;
  batch.inputs = ids.data();
  batch.segments = segments.data();
  batch.masked = 3;
  batch.masked_rows = rows.data();
  batch.masked_targets = ids.data();
  auto workspace = encoder.make_workspace<double>(3, 5, 3);
  encoder.forward(parameters.data(), batch, workspace);
  const Vector<double> expected = workspace.logits;
  workspace.logits.setZero();
  PlainProducts tap(encoder.linears(), parameters.data());
  encoder.forward(parameters.data(), batch, workspace, static_cast<nn::Tap<double>*>(&tap));
  CHECK(tap.calls == 9);
  CHECK((workspace.logits - expected).cwiseAbs().maxCoeff() < 1e-12);
}

}  // namespace xfq::models
