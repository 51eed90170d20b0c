#include "subject.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

#include "xfq/core/error.h"
#include "xfq/core/random.h"
#include "xfq/corpus/pair_batches.h"
#include "xfq/train/language.h"
#include "xfq/train/pairs.h"

namespace xfq::experiments::neuron_importance {

namespace {

using importance::Batch;

// Enough rows for full speed of the products, few enough to stay in the cache.
constexpr std::size_t kBatch = 16;

/// One sequence on its way into a batch; `targets` < 0 are not predicted.
struct Row {
  std::vector<std::int32_t> inputs, targets, segments;
};

/// Rows of like length side by side; the tail of a batch is padding with token 0.
std::vector<Batch> pack(std::vector<Row> rows) {
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& a, const Row& b) { return a.inputs.size() < b.inputs.size(); });
  std::vector<Batch> batches;
  for (std::size_t first = 0; first < rows.size(); first += kBatch) {
    const std::size_t last = std::min(rows.size(), first + kBatch);
    Batch batch;
    batch.batch = static_cast<Index>(last - first);
    batch.time = static_cast<Index>(rows[last - 1].inputs.size());
    const auto time = static_cast<std::size_t>(batch.time);
    for (std::size_t r = first; r < last; ++r) {
      const Row& row = rows[r];
      const auto append = [&](std::vector<std::int32_t>& to, const std::vector<std::int32_t>& from,
                              std::int32_t padding) {
        to.insert(to.end(), from.begin(), from.end());
        to.resize((r - first + 1) * time, padding);
      };
      append(batch.inputs, row.inputs, 0);
      append(batch.targets, row.targets, -1);
      if (!row.segments.empty()) append(batch.segments, row.segments, 0);
      batch.lengths.push_back(static_cast<std::int32_t>(row.inputs.size()));
    }
    batches.push_back(std::move(batch));
  }
  return batches;
}

/// Draws among `available` rows until `tokens` tokens are there. row(i) may be empty: skipped.
std::vector<Batch> draw(std::size_t available, std::int64_t tokens, Stream stream,
                        const std::function<Row(std::size_t)>& row) {
  std::vector<std::size_t> order(available);
  std::iota(order.begin(), order.end(), std::size_t{0});
  stream.shuffle(order);
  std::vector<Row> rows;
  std::int64_t drawn = 0;
  for (const std::size_t i : order) {
    if (drawn >= tokens && rows.size() >= 2) break;
    Row next = row(i);
    if (next.inputs.empty()) continue;
    drawn += static_cast<std::int64_t>(next.inputs.size());
    rows.push_back(std::move(next));
  }
  if (rows.size() < 2) {
    throw_input(
        "--corpus: scores are compared over two halves of the text, which has fewer than "
        "two rows",
        "use a longer text or a smaller --context");
  }
  return pack(std::move(rows));
}

class DecoderSubject final : public Subject {
 public:
  explicit DecoderSubject(const Options& options)
      : data_(corpus::load_language_data(options.language_options())),
        decoder_(options.decoder_config(data_)),
        network_(importance::make_network(decoder_)),
        batch_size_(options.batch_size) {}

  const importance::Network& network() const override { return *network_; }
  const corpus::Tokenizer& tokenizer() const override { return data_.tokenizer(); }
  const DataSource& source() const override { return data_.source(); }
  std::optional<double> entropy_floor() const override {
    if (!data_.floor()) return std::nullopt;
    return data_.floor()->nats_per_token;
  }

  TrainedModel train(const Options& options, std::int64_t index, train::ModelCache* cache,
                     Monitor& monitor, const std::string& label) const override {
    train::TrainedDecoder model = train::train_decoder(options.training(decoder_.config(), index),
                                                       decoder_, data_, cache, monitor, label);
    return {std::move(model.parameters), model.from_cache};
  }
  std::int64_t training_tokens(const Options& options) const override {
    return options.steps * options.batch_size * data_.row_length();
  }
  double flops_per_token() const override { return decoder_.flops_per_token(data_.row_length()); }

  BatchSource training_batches(std::uint64_t seed) const override {
    return [this, seed](std::int64_t step) {
      Batch batch;
      batch.batch = batch_size_;
      batch.time = data_.row_length();
      batch.inputs.resize(static_cast<std::size_t>(batch.rows()));
      batch.targets.resize(static_cast<std::size_t>(batch.rows()));
      data_.sample_batch(seed, static_cast<std::uint64_t>(step), batch_size_, batch.inputs.data(),
                         batch.targets.data());
      batch.lengths.assign(static_cast<std::size_t>(batch.batch),
                           static_cast<std::int32_t>(batch.time));
      return batch;
    };
  }
  std::vector<Batch> text(TextPart text, std::int64_t tokens, std::uint64_t seed,
                          const std::string& purpose) const override {
    const corpus::LanguageSplit& split = data_.split(
        text == TextPart::training ? corpus::SplitName::train : corpus::SplitName::validation);
    return draw(split.rows.size(), tokens, Stream(seed, "importance/" + purpose),
                [&](std::size_t i) {
                  const auto first =
                      split.tokens.begin() + static_cast<std::ptrdiff_t>(split.rows[i].begin);
                  const std::ptrdiff_t length = split.rows[i].length;
                  Row row;
                  row.inputs.assign(first, first + length);
                  row.targets.assign(first + 1, first + 1 + length);
                  return row;
                });
  }

 private:
  corpus::LanguageData data_;
  models::Decoder decoder_;
  std::unique_ptr<importance::Network> network_;
  std::int64_t batch_size_;
};

class EncoderSubject final : public Subject {
 public:
  explicit EncoderSubject(const Options& options)
      : data_(corpus::load_pair_data(options.pair_options())),
        encoder_(config(options, data_)),
        network_(importance::make_network(encoder_)),
        batch_size_(options.batch_size),
        mask_rate_(options.mask_rate) {}

  const importance::Network& network() const override { return *network_; }
  const corpus::Tokenizer& tokenizer() const override { return data_.tokenizer(); }
  const DataSource& source() const override { return data_.source(); }
  std::optional<double> entropy_floor() const override { return std::nullopt; }

  TrainedModel train(const Options& options, std::int64_t index, train::ModelCache* cache,
                     Monitor& monitor, const std::string& label) const override {
    const train::LanguageTraining common = options.training({}, index);
    train::PairTraining training;
    training.model = encoder_.config();
    training.optimizer = common.optimizer;
    training.batch_size = common.batch_size;
    training.seed = common.seed;
    training.masking = masking();
    training.sentence_weight = 0;  // the sentence pairs are all neighbours
    train::TrainedEncoder model =
        train::train_encoder(training, encoder_, data_, cache, monitor, label);
    return {std::move(model.parameters), model.from_cache};
  }
  std::int64_t training_tokens(const Options& options) const override {
    return options.steps * options.batch_size * data_.row_length();
  }
  double flops_per_token() const override { return encoder_.flops_per_token(data_.row_length()); }

  BatchSource training_batches(std::uint64_t seed) const override {
    const auto sampler =
        std::make_shared<corpus::PairSampler>(data_, corpus::PairTask(), seed, masking());
    return [this, sampler](std::int64_t step) {
      corpus::PairRows rows(batch_size_, data_.row_length());
      sampler->fill(static_cast<std::uint64_t>(step), rows);
      Batch batch;
      batch.batch = rows.batch;
      batch.time = rows.time;
      batch.targets = targets(rows);
      batch.inputs = std::move(rows.inputs);
      batch.segments = std::move(rows.segments);
      batch.lengths = std::move(rows.lengths);
      return batch;
    };
  }
  std::vector<Batch> text(TextPart text, std::int64_t tokens, std::uint64_t seed,
                          const std::string& purpose) const override {
    const corpus::PairSplit& split =
        text == TextPart::training ? data_.train() : data_.validation();
    Stream order(seed, "importance/" + purpose);
    return draw(split.places.size(), tokens, order, [&](std::size_t i) {
      Stream stream(seed, "importance/" + purpose + "/pair", i);
      corpus::SentencePair pair;
      data_.make_pair(split, split.places[i], corpus::Relation::next, corpus::Match::position,
                      stream, pair);
      corpus::PairRows rows(1, data_.row_length());
      const std::int32_t length =
          data_.encode(split, pair, rows.inputs.data(), rows.segments.data());
      rows.lengths[0] = length;
      corpus::mask_rows(data_, seed, i, mask_rate_, rows);
      Row row;
      row.targets = targets(rows);
      row.inputs = std::move(rows.inputs);
      row.segments = std::move(rows.segments);
      for (auto* part : {&row.inputs, &row.targets, &row.segments}) {
        part->resize(static_cast<std::size_t>(length));
      }
      return row;
    });
  }

 private:
  static models::EncoderConfig config(const Options& options, const corpus::PairData& data) {
    models::EncoderConfig config;
    config.layers = options.layers;
    config.dim = options.dim;
    config.heads = options.heads;
    config.context = data.row_length();
    config.vocab = data.vocabulary_size();
    config.init = options.init;
    config.embedding_init = options.embedding_init;
    return config;
  }
  corpus::Masking masking() const {
    corpus::Masking masking;
    masking.rate = mask_rate_;
    return masking;
  }
  /// The hidden words at their rows, -1 elsewhere.
  static std::vector<std::int32_t> targets(const corpus::PairRows& rows) {
    std::vector<std::int32_t> targets(rows.inputs.size(), -1);
    for (std::size_t i = 0; i < static_cast<std::size_t>(rows.masked); ++i) {
      targets[static_cast<std::size_t>(rows.masked_rows[i])] = rows.masked_targets[i];
    }
    return targets;
  }

  corpus::PairData data_;
  models::Encoder encoder_;
  std::unique_ptr<importance::Network> network_;
  std::int64_t batch_size_;
  double mask_rate_;
};

}  // namespace

std::unique_ptr<Subject> make_subject(const Options& options) {
  if (options.encoder()) return std::make_unique<EncoderSubject>(options);
  return std::make_unique<DecoderSubject>(options);
}

}  // namespace xfq::experiments::neuron_importance
