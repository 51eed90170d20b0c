#include "xfq/importance/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "batch_tap.h"
#include "xfq/core/error.h"
#include "xfq/core/random.h"
#include "xfq/kernels/kernels.h"
#include "xfq/stats/histogram.h"

namespace xfq::importance {

namespace {

/// Meets activations with their gradients: values() keeps a copy for gradients().
class Gatherer : public BatchTap {
 public:
  Gatherer(const Units& units, Halves& halves)
      : BatchTap(units), halves_(halves), copies_(static_cast<std::size_t>(units.layers)) {}

 protected:
  void values(Index layer, float* x, Index rows) override {
    copies_[static_cast<std::size_t>(layer)].assign(x, x + rows * units().columns());
  }

  void gradients(Index layer, float* d_x, Index rows) override {
    const Index columns = units().columns();
    const float* a = copies_[static_cast<std::size_t>(layer)].data();
    for (Index b = 0; b < rows / batch().time; ++b) {
      UnitSums& sums = halves_[static_cast<std::size_t>(half(b))];
      const Index length = batch().lengths[static_cast<std::size_t>(b)];
      for (Index r = b * batch().time; r < b * batch().time + length; ++r) {
        add_row(layer, a + r * columns, d_x + r * columns, sums);
      }
      end_sequence(layer, length, sums);
    }
  }

  virtual void add_row(Index layer, const float* a, const float* g, UnitSums& sums) = 0;
  virtual void end_sequence(Index /*layer*/, Index /*length*/, UnitSums& /*sums*/) {}

 private:
  Halves& halves_;
  std::vector<std::vector<float>> copies_;
};

class SumGatherer final : public Gatherer {
 public:
  SumGatherer(const Units& units, Halves& halves)
      : Gatherer(units, halves), gates_(static_cast<std::size_t>(units.per_layer), 0.0) {}

 protected:
  void add_row(Index layer, const float* a, const float* g, UnitSums& sums) override {
    const Index width = units().width;
    const auto first_column = static_cast<std::size_t>(layer * units().columns());
    const auto first_unit = static_cast<std::size_t>(layer * units().per_layer);
    for (Index j = 0; j < units().per_layer; ++j) {
      double a_square = 0, g_square = 0, ga = 0;
      for (Index c = j * width; c < (j + 1) * width; ++c) {
        const std::size_t column = first_column + static_cast<std::size_t>(c);
        const double x = static_cast<double>(a[c]), d = static_cast<double>(g[c]);
        sums.a[column] += x;
        sums.a_square_column[column] += x * x;
        sums.lowest[column] = std::min(sums.lowest[column], a[c]);
        sums.highest[column] = std::max(sums.highest[column], a[c]);
        a_square += x * x;
        g_square += d * d;
        ga += x * d;
      }
      const std::size_t u = first_unit + static_cast<std::size_t>(j);
      sums.a_norm[u] += std::sqrt(a_square);
      sums.a_square[u] += a_square;
      sums.g_norm[u] += std::sqrt(g_square);
      sums.g_square[u] += g_square;
      sums.ga_abs[u] += std::abs(ga);
      sums.ga_square[u] += ga * ga;
      gates_[static_cast<std::size_t>(j)] += ga;
    }
  }

  void end_sequence(Index layer, Index length, UnitSums& sums) override {
    if (layer == 0) {  // once for all layers
      sums.tokens += length;
      ++sums.sequences;
    }
    const auto first_unit = static_cast<std::size_t>(layer * units().per_layer);
    for (std::size_t j = 0; j < gates_.size(); ++j) {
      sums.gate_abs[first_unit + j] += std::abs(gates_[j]);
      sums.gate_square[first_unit + j] += gates_[j] * gates_[j];
      gates_[j] = 0;
    }
  }

 private:
  std::vector<double> gates_;  // of the sequence at hand
};

class CurvatureGatherer final : public Gatherer {
 public:
  using Gatherer::Gatherer;

 protected:
  void add_row(Index layer, const float* a, const float* g, UnitSums& sums) override {
    const Index width = units().width;
    for (Index j = 0; j < units().per_layer; ++j) {
      double sum = 0;
      for (Index c = j * width; c < (j + 1) * width; ++c) {
        const double ga = static_cast<double>(a[c]) * static_cast<double>(g[c]);
        sum += ga * ga;
      }
      sums.curvature[static_cast<std::size_t>(layer * units().per_layer + j)] += sum;
    }
  }
};

class Counter final : public BatchTap {
 public:
  Counter(const Units& units, ValueCounts& counts) : BatchTap(units), counts_(counts) {}

 protected:
  void values(Index layer, float* x, Index rows) override {
    for (Index r = 0; r < rows; ++r) {
      if (batch().padding(r)) continue;
      counts_.add(half(r / batch().time), layer, x + r * units().columns());
    }
  }

 private:
  ValueCounts& counts_;
};

}  // namespace

void UnitSums::resize(const Units& units) {
  const auto columns = static_cast<std::size_t>(units.layers * units.columns());
  for (auto* sums : {&a, &a_square_column}) sums->assign(columns, 0.0);
  lowest.assign(columns, std::numeric_limits<float>::infinity());
  highest.assign(columns, -std::numeric_limits<float>::infinity());
  for (auto* sums : {&a_norm, &a_square, &g_norm, &g_square, &ga_abs, &ga_square, &gate_abs,
                     &gate_square, &curvature}) {
    sums->assign(static_cast<std::size_t>(units.count()), 0.0);
  }
}

void UnitSums::merge(const UnitSums& other) {
  tokens += other.tokens;
  sequences += other.sequences;
  const auto add = [&](std::vector<double> UnitSums::*sums) {
    for (std::size_t i = 0; i < (this->*sums).size(); ++i) (this->*sums)[i] += (other.*sums)[i];
  };
  for (const auto sums :
       {&UnitSums::a, &UnitSums::a_square_column, &UnitSums::a_norm, &UnitSums::a_square,
        &UnitSums::g_norm, &UnitSums::g_square, &UnitSums::ga_abs, &UnitSums::ga_square,
        &UnitSums::gate_abs, &UnitSums::gate_square, &UnitSums::curvature}) {
    add(sums);
  }
  for (std::size_t c = 0; c < lowest.size(); ++c) {
    lowest[c] = std::min(lowest[c], other.lowest[c]);
    highest[c] = std::max(highest[c], other.highest[c]);
  }
}

Halves gather(const Network& network, const float* parameters, const std::vector<Batch>& batches,
              const Units& units, const StopCheck& stop, const std::vector<bool>& removed) {
  Halves halves;
  for (UnitSums& sums : halves) sums.resize(units);
  SumGatherer tap(units, halves);
  tap.remove(removed);
  const auto pass = make_pass(network, batches);
  Vector<float> unused = nn::make_parameters<float>(network.layout());
  for_each(batches, stop, [&](std::size_t, const Batch& batch, Index sequence) {
    tap.start(batch, sequence);
    pass->forward_backward(parameters, batch, unused.data(), &tap);
  });
  return halves;
}

void gather_curvature(const Network& network, const float* parameters,
                      const std::vector<Batch>& batches, const Units& units, std::uint64_t seed,
                      const StopCheck& stop, const std::vector<bool>& removed, Halves& halves) {
  CurvatureGatherer tap(units, halves);
  tap.remove(removed);
  const auto pass = make_pass(network, batches);
  const Index vocab = network.vocab();
  Vector<float> unused = nn::make_parameters<float>(network.layout());
  std::vector<float> probabilities(static_cast<std::size_t>(vocab));
  for_each(batches, stop, [&](std::size_t i, const Batch& original, Index sequence) {
    Batch batch = original;
    Stream stream(seed, "importance/labels", i);
    tap.start(batch, sequence);
    pass->forward(parameters, batch, &tap);
    const std::vector<Index> rows = network.logit_rows(batch);
    for (std::size_t p = 0; p < rows.size(); ++p) {
      std::int32_t& target = batch.targets[static_cast<std::size_t>(rows[p])];
      if (target < 0) continue;
      const float* const logits = pass->logits() + static_cast<Index>(p) * vocab;
      std::copy(logits, logits + vocab, probabilities.begin());
      kernels::softmax_rows(Index(1), vocab, probabilities.data(), vocab);
      double left = stream.uniform();
      target = static_cast<std::int32_t>(vocab - 1);
      for (Index v = 0; v < vocab; ++v) {
        left -= static_cast<double>(probabilities[static_cast<std::size_t>(v)]);
        if (left >= 0) continue;
        target = static_cast<std::int32_t>(v);
        break;
      }
    }
    pass->forward_backward(parameters, batch, unused.data(), &tap);
  });
}

// --- histograms -----------------------------------------------------------------------

std::string to_string(Binning::Range range) {
  switch (range) {
    case Binning::Range::shared:
      return "shared";
    case Binning::Range::clipped:
      return "clipped";
    case Binning::Range::own:
      break;
  }
  return "own";
}

namespace {

constexpr double kClip = 4;        // standard deviations of Binning::Range::clipped
constexpr double kNearZero = 0.1;  // of the layer's root mean square

struct Ends {
  double lo = 0, hi = 0;
};

Ends layer_ends(const Units& units, const UnitSums& all, Index layer, Binning::Range range) {
  const auto first = static_cast<std::size_t>(layer * units.columns());
  const auto last = first + static_cast<std::size_t>(units.columns());
  if (range == Binning::Range::shared) {
    return {static_cast<double>(*std::min_element(all.lowest.begin() + static_cast<Index>(first),
                                                  all.lowest.begin() + static_cast<Index>(last))),
            static_cast<double>(*std::max_element(all.highest.begin() + static_cast<Index>(first),
                                                  all.highest.begin() + static_cast<Index>(last)))};
  }
  double sum = 0, square = 0;
  for (std::size_t c = first; c < last; ++c) {
    sum += all.a[c];
    square += all.a_square_column[c];
  }
  const double n = static_cast<double>(all.tokens * units.columns());
  const double mean = sum / n;
  const double sd = std::sqrt(std::max(0.0, square / n - mean * mean));
  return {mean - kClip * sd, mean + kClip * sd};
}

UnitSums merged(const Halves& halves) {
  UnitSums all = halves[0];
  all.merge(halves[1]);
  return all;
}

}  // namespace

ValueCounts::ValueCounts(const Units& units, const Halves& halves, std::vector<Binning> binnings)
    : units_(units), binnings_(std::move(binnings)) {
  const UnitSums all = merged(halves);
  XFQ_ASSERT(all.tokens > 0);
  const auto columns = static_cast<std::size_t>(units.layers * units.columns());
  for (const Binning& binning : binnings_) {
    std::vector<Grid> grids(columns);
    for (Index l = 0; l < units.layers; ++l) {
      Ends ends;
      if (binning.range != Binning::Range::own) ends = layer_ends(units, all, l, binning.range);
      for (Index c = 0; c < units.columns(); ++c) {
        const auto column = static_cast<std::size_t>(l * units.columns() + c);
        if (binning.range == Binning::Range::own) {
          ends = {static_cast<double>(all.lowest[column]),
                  static_cast<double>(all.highest[column])};
        }
        Grid& grid = grids[column];
        grid.lo = static_cast<float>(ends.lo);
        if (ends.hi > ends.lo) {
          grid.scale = static_cast<float>(static_cast<double>(binning.bins) / (ends.hi - ends.lo));
        }
      }
    }
    grids_.push_back(std::move(grids));
    counts_.emplace_back(2 * columns * static_cast<std::size_t>(binning.bins), 0);
  }
  for (Index l = 0; l < units.layers; ++l) {
    double square = 0;
    for (Index c = 0; c < units.columns(); ++c) {
      square += all.a_square_column[static_cast<std::size_t>(l * units.columns() + c)];
    }
    thresholds_.push_back(static_cast<float>(
        kNearZero * std::sqrt(square / static_cast<double>(all.tokens * units.columns()))));
  }
  active_.assign(2 * columns, 0);
}

std::size_t ValueCounts::slot(int half, std::size_t column, Index bins) const {
  const auto columns = static_cast<std::size_t>(units_.layers * units_.columns());
  return (static_cast<std::size_t>(half) * columns + column) * static_cast<std::size_t>(bins);
}

void ValueCounts::add(int half, Index layer, const float* values) {
  const auto first = static_cast<std::size_t>(layer * units_.columns());
  const auto columns = static_cast<std::size_t>(units_.columns());
  if (layer == 0) ++tokens_[static_cast<std::size_t>(half)];
  for (std::size_t b = 0; b < binnings_.size(); ++b) {
    const Index bins = binnings_[b].bins;
    const Grid* const grids = grids_[b].data() + first;
    std::int32_t* const counts = counts_[b].data() + slot(half, first, bins);
    const float top = static_cast<float>(bins - 1);
    for (std::size_t c = 0; c < columns; ++c) {
      const float position = (values[c] - grids[c].lo) * grids[c].scale;
      const float inside = std::min(std::max(position, 0.0f), top);
      ++counts[c * static_cast<std::size_t>(bins) + static_cast<std::size_t>(inside)];
    }
  }
  const float threshold = thresholds_[static_cast<std::size_t>(layer)];
  std::int64_t* const active = active_.data() + slot(half, first, 1);
  for (std::size_t c = 0; c < columns; ++c) active[c] += std::abs(values[c]) >= threshold ? 1 : 0;
}

std::vector<double> ValueCounts::entropies(std::size_t b, bool miller_madow, int half) const {
  const auto bins = static_cast<std::size_t>(binnings_[b].bins);
  std::vector<double> result(static_cast<std::size_t>(units_.count()), 0.0);
  std::vector<std::int64_t> counts(bins);
  for (std::size_t u = 0; u < result.size(); ++u) {
    for (std::size_t c = 0; c < static_cast<std::size_t>(units_.width); ++c) {
      const std::size_t column = u * static_cast<std::size_t>(units_.width) + c;
      std::fill(counts.begin(), counts.end(), 0);
      for (int h = 0; h < 2; ++h) {
        if (half >= 0 && half != h) continue;
        const std::int32_t* const from = counts_[b].data() + slot(h, column, binnings_[b].bins);
        for (std::size_t i = 0; i < bins; ++i) counts[i] += from[i];
      }
      result[u] += miller_madow ? stats::entropy_miller_madow(counts) : stats::entropy(counts);
    }
    result[u] /= static_cast<double>(units_.width);
  }
  return result;
}

std::vector<double> ValueCounts::active_shares(int half) const {
  std::vector<double> result(static_cast<std::size_t>(units_.count()), 0.0);
  for (int h = 0; h < 2; ++h) {
    if (half >= 0 && half != h) continue;
    for (std::size_t c = 0; c < result.size() * static_cast<std::size_t>(units_.width); ++c) {
      result[c / static_cast<std::size_t>(units_.width)] +=
          static_cast<double>(active_[slot(h, c, 1)]);
    }
  }
  const std::int64_t tokens =
      half >= 0 ? tokens_[static_cast<std::size_t>(half)] : tokens_[0] + tokens_[1];
  for (double& share : result) share /= static_cast<double>(tokens * units_.width);
  return result;
}

ValueCounts count_values(const Network& network, const float* parameters,
                         const std::vector<Batch>& batches, const Units& units,
                         const Halves& halves, const std::vector<Binning>& binnings,
                         const StopCheck& stop, const std::vector<bool>& removed) {
  ValueCounts counts(units, halves, binnings);
  Counter tap(units, counts);
  tap.remove(removed);
  const auto pass = make_pass(network, batches);
  for_each(batches, stop, [&](std::size_t, const Batch& batch, Index sequence) {
    tap.start(batch, sequence);
    pass->forward(parameters, batch, &tap);
  });
  return counts;
}

std::vector<float> mean_values(const Halves& halves) {
  const UnitSums all = merged(halves);
  std::vector<float> means;
  for (const double sum : all.a) {
    means.push_back(static_cast<float>(sum / static_cast<double>(all.tokens)));
  }
  return means;
}

}  // namespace xfq::importance
