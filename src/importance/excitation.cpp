#include "xfq/importance/excitation.h"

#include <algorithm>
#include <cmath>

#include "batch_tap.h"

namespace xfq::importance {

namespace {

class TokenSums final : public BatchTap {
 public:
  TokenSums(const Units& units, const std::vector<Index>& chosen, Index vocab)
      : BatchTap(units),
        chosen_(chosen),
        vocab_(static_cast<std::size_t>(vocab)),
        sums_(chosen.size() * vocab_, 0.0),
        counts_(vocab_, 0) {}

  /// Tokens of chosen unit i, largest mean first.
  std::vector<std::int32_t> top(std::size_t i, std::size_t count, std::int64_t occurrences) const {
    std::vector<std::int32_t> tokens;
    for (std::size_t v = 0; v < vocab_; ++v) {
      if (counts_[v] >= occurrences) tokens.push_back(static_cast<std::int32_t>(v));
    }
    const auto mean = [&](std::int32_t token) {
      const auto v = static_cast<std::size_t>(token);
      return sums_[i * vocab_ + v] / static_cast<double>(counts_[v]);
    };
    std::stable_sort(tokens.begin(), tokens.end(),
                     [&](std::int32_t a, std::int32_t b) { return mean(a) > mean(b); });
    tokens.resize(std::min(tokens.size(), count));
    return tokens;
  }

 protected:
  void values(Index layer, float* x, Index rows) override {
    const Index width = units().width;
    for (Index r = 0; r < rows; ++r) {
      if (batch().padding(r)) continue;
      const auto token = static_cast<std::size_t>(batch().inputs[static_cast<std::size_t>(r)]);
      if (layer == 0) ++counts_[token];
      for (std::size_t i = 0; i < chosen_.size(); ++i) {
        if (units().layer(chosen_[i]) != layer) continue;
        const float* const a = x + r * units().columns() + units().index(chosen_[i]) * width;
        double value = static_cast<double>(a[0]);
        if (width > 1) {
          double square = 0;
          for (Index c = 0; c < width; ++c) {
            square += static_cast<double>(a[c]) * static_cast<double>(a[c]);
          }
          value = std::sqrt(square);
        }
        sums_[i * vocab_ + token] += value;
      }
    }
  }

 private:
  const std::vector<Index>& chosen_;
  std::size_t vocab_;
  std::vector<double> sums_;  // [chosen, vocab]
  std::vector<std::int64_t> counts_;
};

}  // namespace

std::vector<std::vector<std::int32_t>> exciting_tokens(
    const Network& network, const float* parameters, const std::vector<Batch>& batches,
    const Units& units, const std::vector<Index>& chosen, std::size_t count,
    std::int64_t occurrences, const StopCheck& stop) {
  TokenSums tap(units, chosen, network.vocab());
  const auto pass = make_pass(network, batches);
  for_each(batches, stop, [&](std::size_t, const Batch& batch, Index sequence) {
    tap.start(batch, sequence);
    pass->forward(parameters, batch, &tap);
  });
  std::vector<std::vector<std::int32_t>> tokens;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    tokens.push_back(tap.top(i, count, occurrences));
  }
  return tokens;
}

}  // namespace xfq::importance
