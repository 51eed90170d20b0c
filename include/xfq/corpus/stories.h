// Stories: a generated language whose exact probabilities are known.
//
// A document is a little story of 5 to 8 sentences: a setting with a cast of two,
// then events of the topic's script (always in the same order, but for swaps of
// neighbours) and journeys that hang together (from P to Q, the next one from Q):
//
//   One morning Mia and Rusty met near the harbour. She spotted a small boat.
//   Rusty hurried from Saltby to Gullport. It hauled the boat. ...
//
// The grammar is a deterministic automaton over words: every prefix has exactly
// one derivation, so the probability of each next word is known in closed form.
// What a draw decides is booked at the word that reveals it: a/the says whether
// the object is new, the noun then says which. The mean of -log p is therefore an
// entropy floor in nats per token that no model can beat in expectation, exact
// for whole documents and for prefixes of them.
//
// Orders:
//   script   setting and events: words give the order away, positions have cues
//   chain    journeys only, no setting: only the relation "Q, then from Q" carries
//            the order; every sentence has the same distribution, whatever its place
//   mixture  setting, then events and journeys mixed (the default)
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "xfq/corpus/text.h"

namespace xfq::corpus {

struct StoriesOptions {
  std::string order = "mixture";  ///< script | chain | mixture
  /// Which tables. `crossed` has the same words, dealt to other topics and in
  /// another order: an out-of-domain test without unknown words.
  std::string domain = "village";  ///< village | crossed
  std::int64_t min_sentences = 5;  ///< lengths are uniform on min..max
  std::int64_t max_sentences = 8;  ///< at most 8 (kMaxSentences)
  double swap = 0.15;              ///< probability that an event trades places with the next
  double journeys = 0.5;           ///< share of journeys among the body sentences of a mixture
  /// The first sentence introduces a cast of two. Without it (never in a chain)
  /// one person acts, and is named or not from the first sentence on.
  bool setting = true;
  std::int64_t topics = 0;  ///< only the first so many topics; 0: all
};

struct Story {
  Document document;
  /// In nats, per sentence, one for each word and for the full stop.
  std::vector<std::vector<double>> token_log_probability;
  double end_log_probability = 0;  ///< of the end of the document
  double log_probability = 0;      ///< the sum of all of them

  /// Every predicted token's, in order, the end of the document last.
  std::vector<double> flat() const;
};

/// Exact expectations under the grammar.
struct StoriesEntropy {
  double nats_per_document = 0;
  double tokens_per_document = 0;  ///< predicted ones: words, full stops and the end
  double nats_per_token = 0;       ///< the ratio of the two: what a large sample's floor tends to
};

class Stories {
 public:
  /// Predicted tokens of the longest document, its end included; with the start
  /// token in front every document fits a context of this many.
  static constexpr std::int64_t kMaxTokens = 60;
  static constexpr std::int64_t kMaxSentences = 8;

  /// Throws ErrorKind::usage on an option out of range.
  explicit Stories(StoriesOptions options = {});
  /// With other tables (format: data/stories/village.txt). Throws ErrorKind::input.
  Stories(StoriesOptions options, std::string_view tables);
  ~Stories();
  Stories(Stories&&) noexcept;
  Stories& operator=(Stories&&) noexcept;

  const StoriesOptions& options() const;

  /// Story `index` of the collection `seed`; independent of all others.
  Story generate(std::uint64_t seed, std::uint64_t index) const;

  /// Derives the document anew. No value where it is no sentence of the language.
  std::optional<Story> parse(const Document& document) const;
  /// In nats; no value where the document is no sentence of the language.
  std::optional<double> log_probability(const Document& document) const;

  /// All words that may follow the words `prefix` of a document (full stops are
  /// words of their own) with their probabilities, which sum to 1; kEnd is the end
  /// of the document. Empty when the prefix itself is impossible or has ended.
  std::vector<std::pair<std::string, double>> next_distribution(
      const std::vector<std::string>& prefix) const;
  static constexpr std::string_view kEnd = "<eos>";

  /// By dynamic programming over the grammar, not by sampling.
  StoriesEntropy entropy() const;

  /// All words of the language, sorted; the full stop is one.
  std::vector<std::string> vocabulary() const;
  std::vector<std::string> topics() const;

 private:
  struct Grammar;
  class Derivation;
  std::unique_ptr<const Grammar> grammar_;
};

/// Names of the built-in tables.
std::vector<std::string> story_domains();

/// What a journey takes up from the sentence before it: who sets out, and where from. Empty for
/// other sentences.
std::string journey_opening(const std::string& sentence);

/// Stories first, first + 1, ... of the collection `seed`.
Text generate_stories(const StoriesOptions& options, std::uint64_t seed, std::int64_t count,
                      std::uint64_t first = 0);

}  // namespace xfq::corpus
