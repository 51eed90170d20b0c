// Language data: what a decoder trains on. Corpus, tokenizer and splits become
// arrays of ids from which batches are drawn by (seed, step) alone.
//
// Two forms:
//   document  a row is <bos> w1 ... wn <eos>: inputs <bos> w1 ... wn, targets
//             w1 ... wn <eos>; the rest of the row is padding with target -1. A
//             document longer than the context becomes several rows, one after the
//             other, each predicting the tokens that follow on the last row's.
//   stream    windows of the running text: inputs x[i .. i+T), targets x[i+1 .. i+T].
//             char and byte take the raw text with its line breaks; word and bpe take
//             the documents one after the other, each closed by <eos>.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "xfq/core/record.h"
#include "xfq/corpus/stories.h"
#include "xfq/corpus/text.h"
#include "xfq/corpus/tokenizer.h"

namespace xfq::corpus {

struct LanguageOptions {
  std::string corpus = "stories";  ///< stories, or the path of a file
  std::string tokenizer = "auto";  ///< auto: word for stories, char for files
  std::string sequence = "auto";   ///< document | stream; auto: document for stories with words,
                                   ///< stream for everything else
  std::int64_t context = 64;       ///< the most tokens in a row, T
  std::int64_t vocab = 4000;       ///< word: at most so many types, special tokens included

  // Stories only.
  StoriesOptions stories;
  std::uint64_t seed = 1;         ///< names the collection of stories
  std::int64_t documents = 4000;  ///< training stories
  std::int64_t validation_documents = 1000;
  std::int64_t test_documents = 0;

  // Files only: by documents in document mode, by running text in stream mode.
  Shares shares;
};

enum class SplitName { train, validation, test };

struct LanguageSplit {
  /// A row of n predicted tokens reads tokens[begin .. begin+n) as inputs and
  /// tokens[begin+1 .. begin+n] as targets.
  struct Row {
    std::size_t begin = 0;
    std::int32_t length = 0;  ///< predicted tokens, 1 .. row_length
  };
  std::vector<std::int32_t> tokens;
  /// Together the rows predict every token once. In stream mode: windows side by
  /// side, the last one short.
  std::vector<Row> rows;
  std::int64_t documents = 0;
  std::int64_t predicted_tokens = 0;
  std::int64_t bytes = 0;    ///< of the text that the predicted tokens spell
  std::int64_t unknown = 0;  ///< predicted tokens that are <unk>
};

/// Lower bound of the mean loss of any model, over the very documents of a split.
struct EntropyFloor {
  double nats_per_token = 0;  ///< sum of -log p over the documents / predicted tokens
  double standard_error = 0;  ///< of the ratio, over documents: how far the split may lie from
                              ///< the language
  /// The language's own value, exact (StoriesEntropy); word tokenizer only, else 0.
  double expected = 0;
  /// Every document stands whole in its row, so a perfect model reaches the floor;
  /// where a window cuts documents the floor is a bound that cannot be reached.
  bool attainable = false;
};

class LanguageData {
 public:
  const std::string& sequence() const { return sequence_; }  ///< document | stream
  const std::string& corpus_name() const { return source_.name; }
  const Tokenizer& tokenizer() const { return *tokenizer_; }
  std::int32_t vocabulary_size() const { return tokenizer_->vocabulary_size(); }
  /// T of every batch: the context, or less where no document needs as much.
  std::int64_t row_length() const { return row_length_; }
  const LanguageSplit& split(SplitName name) const;
  /// Mean bytes of text per predicted token of a split: bits per byte =
  /// (nats per token / ln 2) / bytes per token. The split must not be empty.
  double bytes_per_token(SplitName name) const;
  /// Of the validation documents; only for stories without unknown words.
  const std::optional<EntropyFloor>& floor() const { return floor_; }
  const DataSource& source() const { return source_; }

  /// Training batch `step` of run `seed`: rows drawn independently and uniformly
  /// with replacement (stream (seed, "batch", step)): documents, or window starts.
  /// inputs and targets: [batch_size, row_length()], row-major, padding has target -1
  /// and a valid input id.
  void sample_batch(std::uint64_t seed, std::uint64_t step, std::int64_t batch_size,
                    std::int32_t* inputs, std::int32_t* targets) const;

  /// Rows first .. first+count-1 of a split in the same layout; rows beyond the last
  /// are all padding. Returns the number of predicted tokens.
  std::int64_t evaluation_batch(SplitName name, std::int64_t first, std::int64_t count,
                                std::int32_t* inputs, std::int32_t* targets) const;
  std::int64_t evaluation_rows(SplitName name) const;

 private:
  friend LanguageData load_language_data(const LanguageOptions& options);
  void fill_row(const LanguageSplit& part, const LanguageSplit::Row& row, std::int32_t* inputs,
                std::int32_t* targets) const;

  std::string sequence_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::int64_t row_length_ = 0;
  LanguageSplit train_;
  LanguageSplit validation_;
  LanguageSplit test_;
  std::optional<EntropyFloor> floor_;
  DataSource source_;
};

/// Throws ErrorKind::input (file; corpus too short: how many tokens it has and how
/// many are needed) or ErrorKind::usage (options).
LanguageData load_language_data(const LanguageOptions& options);

}  // namespace xfq::corpus
