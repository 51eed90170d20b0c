// Batches of sentence pairs for training, and the words that they hide.
#pragma once

#include <cstdint>
#include <vector>

#include "xfq/corpus/sentence_pairs.h"

namespace xfq::corpus {

/// A classification of pairs: one class per relation, with the share of each.
struct PairTask {
  std::vector<Relation> classes = {Relation::next};
  std::vector<double> shares = {1};
  Match match = Match::opening;
  bool resample = false;  ///< classes are drawn in equal shares, whatever their share of places
};

/// Rows of a batch; labels are indices into PairTask::classes.
struct PairRows {
  std::int64_t batch = 0;
  std::int64_t time = 0;
  std::vector<std::int32_t> inputs, segments;  ///< [B*T]
  std::vector<std::int32_t> lengths, labels;   ///< [B]
  std::int64_t masked = 0;
  std::vector<std::int32_t> masked_rows,
      masked_targets;               ///< room for B*T; the first `masked` count
  std::vector<std::int32_t> words;  ///< scratch: where words stand in a row

  PairRows() = default;
  PairRows(std::int64_t batch_size, std::int64_t row_length);
};

/// What the masked-language task does to a row: of its n words it asks for
/// max(1, round(rate * n)); of these a share reads <mask>, a share a random word, the rest
/// stay as they are. The defaults are BERT's (Devlin et al. 2019, 3.1).
struct Masking {
  double rate = 0.15;
  double masked = 0.8;
  double random = 0.1;
};

/// Draws training batches. Every place of the training text carries one label, drawn
/// once by (seed, place) with the task's shares: rare classes have few places, and
/// `resample` shows these few more often.
class PairSampler {
 public:
  /// Throws ErrorKind::input where a class has no place.
  PairSampler(const PairData& data, PairTask task, std::uint64_t seed, const Masking& masking);

  /// Batch `step`, masked.
  void fill(std::uint64_t step, PairRows& rows) const;

 private:
  const PairData& data_;
  PairTask task_;
  std::uint64_t seed_;
  Masking masking_;
  std::vector<std::vector<Segment>> places_;  ///< by class
  std::vector<double> draw_share_;            ///< of each class in a batch, cumulated
};

/// Hides words of the rows for evaluation: every word asked for reads <mask>. Row b draws
/// from the stream (seed, "evaluation mask", first + b).
void mask_rows(const PairData& data, std::uint64_t seed, std::uint64_t first, double mask_rate,
               PairRows& rows);

}  // namespace xfq::corpus
