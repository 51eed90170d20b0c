// Uses the installed libraries: a model, a statistic, and the reader of results.
#include <cmath>
#include <cstdio>
#include <vector>

#include "xfq/models/decoder.h"
#include "xfq/report/json.h"
#include "xfq/stats/intervals.h"

int main() {
  xfq::models::DecoderConfig config;
  config.layers = 1;
  config.dim = 8;
  config.heads = 2;
  config.context = 4;
  config.vocab = 5;
  const xfq::models::Decoder decoder(config);
  xfq::Vector<float> parameters;
  xfq::nn::initialise(decoder.layout(), 1, parameters);
  const std::vector<std::int32_t> inputs = {0, 1, 2, 3};
  const std::vector<std::int32_t> targets = {1, 2, 3, 4};
  auto workspace = decoder.make_workspace<float>(1, 4);
  const xfq::models::TokenBatch batch = {1, 4, inputs.data(), targets.data(), nullptr};
  decoder.forward(parameters.data(), batch, workspace);
  const double loss = decoder.loss(batch, workspace).mean();
  const xfq::stats::Estimate mean = xfq::stats::mean_t({1, 2, 3});
  const std::string signature = xfq::report::signature(xfq::Record());
  std::printf("loss %.3f, mean %.1f, signature %s\n", loss, *mean.value, signature.c_str());
  // An untrained model is near the uniform distribution over five tokens, ln 5 = 1.609.
  return std::abs(loss - std::log(5.0)) < 0.5 && *mean.value == 2 && signature.size() == 32 ? 0 : 1;
}
