// The labels of BERT's own generator of sentence pairs (create_pretraining_data.py of its
// release), counted.
#pragma once

#include <cstdint>

#include "xfq/corpus/sentence_pairs.h"

namespace xfq::corpus {

/// What BERT's generator of training pairs does to the labels. It fills a row of
/// `target_tokens` with whole sentences of a document; a fill of one sentence has
/// no next and always becomes a random pair, the others do by a fair coin. Hence
/// P(random) = 0.5 + 0.5 P(single sentence).
struct GeneratorCount {
  std::int64_t rows = 0;
  std::int64_t single = 0;  ///< rows filled by one sentence
  std::int64_t random = 0;  ///< rows labelled random

  double counted() const;    ///< share of random rows
  double predicted() const;  ///< 0.5 + 0.5 single / rows
  /// Of the counted share around the predicted one, in binomial standard deviations of
  /// the coin; 0 when there was no coin.
  double deviations() const;
};
/// short_rows: share of documents whose rows aim at a random shorter length.
GeneratorCount count_bert_labels(const PairSplit& split, std::int64_t target_tokens,
                                 double short_rows, std::uint64_t seed);

}  // namespace xfq::corpus
