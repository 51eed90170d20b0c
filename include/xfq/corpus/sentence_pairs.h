// Sentence pairs: what a BERT-like encoder trains on.
//
// A segment is a run of `segment_sentences` sentences of one document. A place is two
// segments that follow each other; from a place, pairs of several relations are made:
//
//   next     A, then the segment that follows it
//   random   A, then a segment of another document
//   distant  A, then a segment of the same document that neither follows nor precedes it
//   swapped  the two segments of the place in the wrong order
//   later    A, then a segment further on in the same document, not its neighbour
//   earlier  the same two in the wrong order
//
// A row is <cls> A <sep> B <sep> <pad>..., segment ids 0 up to the first <sep>, then 1.
// Where a pair is longer than the row, the longer segment loses its end.
//
// What the second segment of a random pair has in common with the true one decides what
// "next or random" is a question of:
//
//   any       it stands anywhere in its document
//   position  it stands at the same sentence of its document: position tells nothing
//   opening   stories in chains: where it is about the same topic, it also opens as the true
//             one does (the same person sets out from the same place), so that nothing but
//             the topic tells it. Elsewhere the same as position.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "xfq/core/random.h"
#include "xfq/core/record.h"
#include "xfq/corpus/language.h"
#include "xfq/corpus/stories.h"
#include "xfq/corpus/text.h"
#include "xfq/corpus/tokenizer.h"

namespace xfq::corpus {

/// <cls>, <sep>, <sep>: what a row has beside words.
inline constexpr std::int64_t kPairSpecialTokens = 3;

enum class Relation { next, random, distant, swapped, later, earlier };

/// "next", "random", ...
std::string to_string(Relation relation);

/// What a random segment has in common with the true one.
enum class Match { any, position, opening };

/// By its name. Throws ErrorKind::usage on another.
Match match_of(const std::string& name);

struct PairOptions {
  std::string corpus = "stories";  ///< stories, or the path of a file
  std::string tokenizer = "auto";  ///< auto: word
  std::int64_t context = 64;       ///< the most tokens in a row
  std::int64_t vocab = 4000;       ///< word: at most so many types, special tokens included
  std::int64_t segment_sentences = 1;

  // Stories only.
  StoriesOptions stories;
  std::uint64_t seed = 1;  ///< names the collection of stories
  std::int64_t documents = 4000;
  std::int64_t validation_documents = 1000;

  // Files only.
  Shares shares;
};

struct Segment {
  std::int32_t document = 0;
  std::int32_t first = 0;  ///< sentence
};

struct SentencePair {
  Segment a, b;
  Relation relation = Relation::next;
};

/// How often a random pair was not what it should be, over `draws` draws.
struct CollisionCount {
  std::int64_t draws = 0;
  std::int64_t same_document = 0;  ///< first choices that fell into A's document; drawn again
  std::int64_t same_text = 0;      ///< the second segment reads like the true next one
  std::int64_t same_topic = 0;     ///< of another document on A's topic; where topics are known
};

/// The documents of one split as ids, and the places in them.
struct PairSplit {
  TokenizedDocuments documents;
  std::vector<std::int32_t> topics;  ///< of each document; -1: unknown
  std::vector<Segment> places;       ///< the first segment of each
  /// Of every sentence of every document: which opening it has; empty where none are known.
  std::vector<std::vector<std::int32_t>> openings;
  std::vector<std::vector<Segment>> by_opening;  ///< the segments that begin with each
  std::int64_t sentences = 0;
  std::int64_t tokens = 0;
};

class PairData {
 public:
  const std::string& corpus_name() const { return source_.name; }
  const Tokenizer& tokenizer() const { return *tokenizer_; }
  std::shared_ptr<const Tokenizer> shared_tokenizer() const { return tokenizer_; }
  std::int32_t vocabulary_size() const { return tokenizer_->vocabulary_size(); }
  std::int64_t segment_sentences() const { return segment_sentences_; }
  /// T of every row: the context, or less where no pair needs as much.
  std::int64_t row_length() const { return row_length_; }
  /// Names of the topics, in order; empty where unknown.
  const std::vector<std::string>& topics() const { return topics_; }
  const PairSplit& train() const { return train_; }
  const PairSplit& validation() const { return validation_; }
  const DataSource& source() const { return source_; }

  /// A hash of the training text, the tokens and the shape of a row.
  const std::string& fingerprint() const { return fingerprint_; }

  /// True when both splits can make pairs of this relation.
  bool offers(Relation relation) const;
  /// Throws ErrorKind::input unless they can, saying what is missing.
  void require(Relation relation) const;

  /// Makes a pair of the relation from a place. False where the document has no such
  /// segment: `distant`, `later` and `earlier` only.
  bool make_pair(const PairSplit& split, const Segment& place, Relation relation, Match match,
                 Stream& stream, SentencePair& pair, CollisionCount* collisions = nullptr) const;

  /// Writes a row [row_length()] and returns its length without padding.
  std::int32_t encode(const PairSplit& split, const SentencePair& pair, std::int32_t* inputs,
                      std::int32_t* segments) const;

  /// The tokens of a segment, one after the other.
  std::vector<std::int32_t> segment_tokens(const PairSplit& split, const Segment& segment) const;

 private:
  /// A segment of another document for `random`.
  Segment random_segment(const PairSplit& split, const Segment& follower, Match match,
                         Stream& stream, CollisionCount* collisions) const;

  friend PairData load_pair_data(const PairOptions& options,
                                 std::shared_ptr<const Tokenizer> tokenizer);

  std::shared_ptr<const Tokenizer> tokenizer_;
  std::int64_t segment_sentences_ = 1;
  std::int64_t row_length_ = 0;
  std::vector<std::string> topics_;
  PairSplit train_, validation_;
  DataSource source_;
  std::string fingerprint_;
};

/// With the given tokenizer (of other data, for a test on shifted text), or one that
/// learns from the training part. Throws ErrorKind::input or ErrorKind::usage.
PairData load_pair_data(const PairOptions& options,
                        std::shared_ptr<const Tokenizer> tokenizer = nullptr);

/// A question about pairs: is it `positive` or `negative`?
struct PairQuestion {
  Relation positive = Relation::next;
  Relation negative = Relation::random;
};

/// Labelled pairs of a split, two of every place drawn, the positive one first; `count`
/// is even, the classes are exactly balanced. The same for equal arguments, whatever was
/// trained.
std::vector<SentencePair> question_pairs(const PairData& data, const PairSplit& split,
                                         const PairQuestion& question, Match match,
                                         std::int64_t count, std::uint64_t seed);

}  // namespace xfq::corpus
