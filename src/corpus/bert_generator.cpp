// The labels of BERT's own generator of sentence pairs, counted.
#include "xfq/corpus/bert_generator.h"

#include <algorithm>
#include <cmath>

#include "xfq/core/random.h"

namespace xfq::corpus {

double GeneratorCount::counted() const {
  return static_cast<double>(random) / static_cast<double>(rows);
}

double GeneratorCount::predicted() const {
  return 0.5 + 0.5 * static_cast<double>(single) / static_cast<double>(rows);
}

double GeneratorCount::deviations() const {
  const auto coins = static_cast<double>(rows - single);
  if (coins == 0) return 0;
  return (counted() - predicted()) / (0.5 * std::sqrt(coins) / static_cast<double>(rows));
}

GeneratorCount count_bert_labels(const PairSplit& split, std::int64_t target_tokens,
                                 double short_rows, std::uint64_t seed) {
  const std::int64_t longest = std::max<std::int64_t>(2, target_tokens - kPairSpecialTokens);
  GeneratorCount count;
  for (std::size_t d = 0; d < split.documents.size(); ++d) {
    const auto& document = split.documents[d];
    Stream stream(seed, "generator", d);
    const std::int64_t target =
        stream.bernoulli(short_rows)
            ? 2 + static_cast<std::int64_t>(stream.below(static_cast<std::uint64_t>(longest - 1)))
            : longest;
    std::size_t begin = 0;
    std::int64_t tokens = 0;
    for (std::size_t i = 0; i < document.size(); ++i) {
      tokens += static_cast<std::int64_t>(document[i].size());
      if (i + 1 < document.size() && tokens < target) continue;
      // The fill [begin, i] is cut in two; the first part has at least one sentence.
      const std::size_t filled = i - begin + 1;
      const std::size_t first_part = filled < 2 ? 1 : 1 + stream.below(filled - 1);
      const bool random = filled == 1 || stream.bernoulli(0.5);
      ++count.rows;
      count.single += filled == 1 ? 1 : 0;
      count.random += random ? 1 : 0;
      // A random second part leaves the sentences of the true one for the next fill.
      if (random) i = begin + first_part - 1;
      begin = i + 1;
      tokens = 0;
    }
  }
  return count;
}

}  // namespace xfq::corpus
