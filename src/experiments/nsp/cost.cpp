#include "cost.h"

#include <chrono>

#include "../numbers.h"
#include "xfq/core/random.h"
#include "xfq/stats/claims.h"

namespace xfq::experiments::nsp {

namespace {

constexpr std::int64_t kCollisionDraws = 10'000;
constexpr double kShortRows = 0.1;  // BERT's generator: share of documents with shorter rows
constexpr int kBlocks = 12;         // pairs of timings behind the interval
constexpr int kStepsPerBlock = 4;

}  // namespace

Counts count(const Options& options, const corpus::PairData& data) {
  Counts counts;
  const corpus::PairSplit& train = data.train();
  const auto seed = static_cast<std::uint64_t>(options.seed);
  if (data.offers(corpus::Relation::random)) {
    Stream stream(seed, "collisions");
    corpus::SentencePair pair;
    for (std::int64_t i = 0; i < kCollisionDraws; ++i) {
      data.make_pair(train, train.places[stream.below(train.places.size())],
                     corpus::Relation::random, corpus::match_of(options.match[0]), stream, pair,
                     &counts.collisions);
    }
  }
  counts.generator = corpus::count_bert_labels(train, options.context, kShortRows, seed);
  std::int64_t neighbours = 0;
  for (const auto& document : train.documents) {
    neighbours += static_cast<std::int64_t>(document.size()) - 1;
  }
  const auto sentences = static_cast<double>(train.sentences);
  counts.natural_share = 1 - static_cast<double>(neighbours) / (sentences * (sentences - 1));

  const double segment =
      static_cast<double>(train.tokens) / sentences * static_cast<double>(data.segment_sentences());
  counts.contiguous_run = 2 * segment;
  const double share = options.negative_share[0];
  counts.pair_run = (1 - share) * 2 * segment + share * segment;

  const models::Encoder encoder(options.encoder_config(data, 2));
  for (const nn::ParameterInfo& tensor : encoder.layout().tensors()) {
    if (tensor.name.find("bert.pooler") == 0 || tensor.name.find("cls.seq_relationship") == 0) {
      counts.head_parameters += static_cast<double>(tensor.size());
    }
  }
  counts.head_parameter_share =
      counts.head_parameters / static_cast<double>(encoder.layout().count());
  // Two products run once a row, forward and twice backward, 2 operations a weight.
  const auto dim = static_cast<double>(options.dim);
  const double head = 6 * (dim * dim + 2 * dim);
  const double row =
      encoder.flops_per_token(data.row_length()) * static_cast<double>(data.row_length());
  counts.head_flop_share = head / row;
  return counts;
}

void time_head(const Options& options, const corpus::PairData& data, Record& record) {
  const models::Encoder encoder(options.encoder_config(data, 2));
  Vector<float> parameters, gradients = nn::make_parameters<float>(encoder.layout());
  nn::initialise(encoder.layout(), static_cast<std::uint64_t>(options.seed), parameters);
  corpus::PairTask task;
  task.classes = {corpus::Relation::next, corpus::Relation::swapped};
  task.shares = {0.5, 0.5};
  const corpus::PairSampler sampler(
      data, task, static_cast<std::uint64_t>(options.seed),
      {options.mask_rate, options.mask_split[0], options.mask_split[1]});
  corpus::PairRows rows(options.batch_size, data.row_length());
  sampler.fill(0, rows);
  auto workspace = encoder.make_workspace<float>(rows.batch, rows.time, rows.masked);
  const auto milliseconds = [&](bool head) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kStepsPerBlock; ++i) {
      encoder.forward_backward(parameters.data(), train::pair_batch(rows, head), workspace,
                               gradients.data());
    }
    const std::chrono::duration<double, std::milli> passed =
        std::chrono::steady_clock::now() - begin;
    return passed.count() / kStepsPerBlock;
  };
  milliseconds(true);
  std::vector<double> with, without;
  for (int block = 0; block < kBlocks; ++block) {
    // Taking turns at going first, so that a drift of the clock does not favour one.
    if (block % 2 == 0) with.push_back(milliseconds(true));
    without.push_back(milliseconds(false));
    if (block % 2 != 0) with.push_back(milliseconds(true));
  }
  Cost& cost = record.cost;
  cost.measurements.push_back(
      make_metric("step.with_head", "ms", Better::lower, stats::mean_t(with)));
  cost.measurements.push_back(
      make_metric("step.without_head", "ms", Better::lower, stats::mean_t(without)));
  const stats::Estimate ratio = stats::ratio_of_means(with, without);
  cost.measurements.push_back(make_metric("step.head_ratio", "ratio", Better::lower, ratio));
  cost.tests.push_back(
      {"nsp.extra-cost", stats::make_test("time of a training step with the head over one without",
                                          stats::within(0.98, 1.02), ratio)
                             .test});
}

}  // namespace xfq::experiments::nsp
