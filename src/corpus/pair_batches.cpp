// Batches of sentence pairs for training, and the words that they hide.
#include "xfq/corpus/pair_batches.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "xfq/core/error.h"
#include "xfq/core/random.h"

namespace xfq::corpus {

namespace {

/// Chooses max(1, round(rate * n)) of the row's words and calls hide(t) for each.
template <class Hide>
void choose_words(const SpecialIds& special, const std::int32_t* inputs, std::int32_t length,
                  double rate, Stream& stream, std::vector<std::int32_t>& words, const Hide& hide) {
  words.clear();
  for (std::int32_t t = 0; t < length; ++t) {
    if (inputs[t] != special.cls && inputs[t] != special.sep) words.push_back(t);
  }
  const auto n = words.size();
  const auto wanted =
      std::min(n, std::max<std::size_t>(
                      1, static_cast<std::size_t>(std::lround(rate * static_cast<double>(n)))));
  for (std::size_t i = 0; i < wanted; ++i) {
    std::swap(words[i], words[i + stream.below(n - i)]);
  }
  std::sort(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(wanted));
  for (std::size_t i = 0; i < wanted; ++i) hide(words[i]);
}

}  // namespace

PairRows::PairRows(std::int64_t batch_size, std::int64_t row_length)
    : batch(batch_size), time(row_length) {
  const auto cells = static_cast<std::size_t>(batch_size * row_length);
  for (auto* part : {&inputs, &segments, &masked_rows, &masked_targets}) part->resize(cells);
  words.reserve(static_cast<std::size_t>(row_length));
  for (auto* part : {&lengths, &labels}) part->resize(static_cast<std::size_t>(batch_size));
}

PairSampler::PairSampler(const PairData& data, PairTask task, std::uint64_t seed,
                         const Masking& masking)
    : data_(data), task_(std::move(task)), seed_(seed), masking_(masking) {
  XFQ_ASSERT(!task_.classes.empty() && task_.classes.size() == task_.shares.size());
  const PairSplit& split = data.train();
  places_.resize(task_.classes.size());
  SentencePair pair;
  for (std::size_t i = 0; i < split.places.size(); ++i) {
    Stream stream(seed, "pair label", i);
    const double u = stream.uniform();
    std::size_t c = 0;
    for (double sum = task_.shares[0]; u >= sum && c + 1 < task_.shares.size();) {
      sum += task_.shares[++c];
    }
    if (data.make_pair(split, split.places[i], task_.classes[c], task_.match, stream, pair)) {
      places_[c].push_back(split.places[i]);
    }
  }
  double sum = 0;
  for (std::size_t c = 0; c < places_.size(); ++c) {
    if (places_[c].empty()) {
      throw_input(
          fmt::format("--corpus: {} has {} places for pairs, none was drawn for the label {}",
                      data.corpus_name(), split.places.size(), to_string(task_.classes[c])),
          "use a longer corpus or a less extreme --negative-share");
    }
    sum += task_.resample ? 1.0 / static_cast<double>(places_.size()) : task_.shares[c];
    draw_share_.push_back(sum);
  }
}

void PairSampler::fill(std::uint64_t step, PairRows& rows) const {
  Stream stream(seed_, "pair batch", step);
  const SpecialIds& special = data_.tokenizer().special();
  const auto vocabulary = static_cast<std::uint64_t>(data_.vocabulary_size());
  rows.masked = 0;
  for (std::int64_t b = 0; b < rows.batch; ++b) {
    const double u = stream.uniform();
    std::size_t c = 0;
    while (u >= draw_share_[c] && c + 1 < draw_share_.size()) ++c;
    const std::vector<Segment>& places = places_[c];
    SentencePair pair;
    data_.make_pair(data_.train(), places[stream.below(places.size())], task_.classes[c],
                    task_.match, stream, pair);
    std::int32_t* const inputs = rows.inputs.data() + b * rows.time;
    const auto row = static_cast<std::size_t>(b);
    rows.lengths[row] =
        data_.encode(data_.train(), pair, inputs, rows.segments.data() + b * rows.time);
    rows.labels[row] = static_cast<std::int32_t>(c);
    choose_words(special, inputs, rows.lengths[row], masking_.rate, stream, rows.words,
                 [&](std::int32_t t) {
                   const auto m = static_cast<std::size_t>(rows.masked++);
                   rows.masked_rows[m] = static_cast<std::int32_t>(b * rows.time + t);
                   rows.masked_targets[m] = inputs[t];
                   const double kind = stream.uniform();
                   if (kind < masking_.masked) {
                     inputs[t] = special.mask;
                   } else if (kind < masking_.masked + masking_.random) {
                     inputs[t] = static_cast<std::int32_t>(stream.below(vocabulary));
                   }
                 });
  }
}

void mask_rows(const PairData& data, std::uint64_t seed, std::uint64_t first, double mask_rate,
               PairRows& rows) {
  const SpecialIds& special = data.tokenizer().special();
  rows.masked = 0;
  for (std::int64_t b = 0; b < rows.batch; ++b) {
    Stream stream(seed, "evaluation mask", first + static_cast<std::uint64_t>(b));
    std::int32_t* const inputs = rows.inputs.data() + b * rows.time;
    choose_words(special, inputs, rows.lengths[static_cast<std::size_t>(b)], mask_rate, stream,
                 rows.words, [&](std::int32_t t) {
                   const auto m = static_cast<std::size_t>(rows.masked++);
                   rows.masked_rows[m] = static_cast<std::int32_t>(b * rows.time + t);
                   rows.masked_targets[m] = inputs[t];
                   inputs[t] = special.mask;
                 });
  }
}

}  // namespace xfq::corpus
