#include "xfq/importance/ablation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "batch_tap.h"
#include "xfq/core/error.h"
#include "xfq/core/random.h"
#include "xfq/kernels/kernels.h"
#include "xfq/stats/quantiles.h"

namespace xfq::importance {

// --- one unit's effect ----------------------------------------------------------------

const std::vector<std::string>& replacement_names() {
  static const std::vector<std::string> names = {"zero", "mean", "resample"};
  return names;
}

Replacement parse_replacement(const std::string& name) {
  const std::vector<std::string>& names = replacement_names();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<Replacement>(i);
  }
  throw_usage("replacement '" + name + "', expected zero, mean or resample");
}

const std::vector<std::string>& measure_names() {
  static const std::vector<std::string> names = {"nll", "kl"};
  return names;
}

void Effect::add(int half, std::int64_t predictions, double nll, double kl) {
  Sums& sums = halves_[static_cast<std::size_t>(half)];
  const double n = static_cast<double>(predictions);
  sums.predictions += n;
  sums.nll += nll;
  sums.kl += kl;
  ++sequences_;
  nll_square_ += nll * nll;
  nll_predictions_ += nll * n;
  predictions_square_ += n * n;
}

double Effect::mean(double Sums::*sum, int half) const {
  double total = 0, predictions = 0;
  for (int h = 0; h < 2; ++h) {
    if (half >= 0 && half != h) continue;
    total += halves_[static_cast<std::size_t>(h)].*sum;
    predictions += halves_[static_cast<std::size_t>(h)].predictions;
  }
  return predictions > 0 ? total / predictions : 0;
}

double Effect::measure(const std::string& name, int half) const {
  return name == "nll" ? nll(half) : kl(half);
}

std::optional<Interval> Effect::nll_interval() const {
  if (sequences_ < 2) return std::nullopt;
  const double n = static_cast<double>(sequences_);
  const double ratio = nll();
  const double predictions = halves_[0].predictions + halves_[1].predictions;
  // Residuals nll_s - ratio * predictions_s sum to zero.
  const double square =
      nll_square_ - 2 * ratio * nll_predictions_ + ratio * ratio * predictions_square_;
  const double error = std::sqrt(std::max(0.0, square) * n / (n - 1)) / predictions;
  const double half_width = stats::t_quantile(0.975, n - 1) * error;
  return Interval{ratio - half_width, ratio + half_width};
}

// --- how predictions change -------------------------------------------------------------

namespace {

constexpr Index kLanes = 16;
// Beyond this difference of logits exp() in float is not far from its limits.
constexpr float kLargest = 60;

/// Sum of x[i] * y[i] over 16 lanes in a fixed order.
double dot(Index size, const float* x, const float* y) {
  float lanes[kLanes] = {};
  Index i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    for (Index k = 0; k < kLanes; ++k) lanes[k] += x[i + k] * y[i + k];
  }
  for (Index k = 0; i < size; ++i, ++k) lanes[k] += x[i] * y[i];
  double sum = 0;
  for (const float lane : lanes) sum += static_cast<double>(lane);
  return sum;
}

/// exp(d) - 1 - d from d and exp(d); near 0 from the series, whose next term is below 2e-8 of it.
float beyond_linear(float d, float exponential) {
  const float series =
      d * d * (0.5f + d * (1.0f / 6 + d * (1.0f / 24 + d * (1.0f / 120 + d * (1.0f / 720)))));
  return std::abs(d) < 0.125f ? series : exponential - 1 - d;
}

double log_sum_exp(Index size, const float* x) {
  const double top = static_cast<double>(*std::max_element(x, x + size));
  double sum = 0;
  for (Index i = 0; i < size; ++i) sum += std::exp(static_cast<double>(x[i]) - top);
  return top + std::log(sum);
}

}  // namespace

PredictionChange::PredictionChange(Index vocab, const float* before,
                                   std::vector<std::int32_t> targets)
    : vocab_(vocab), targets_(std::move(targets)) {
  const Index size = rows() * vocab_;
  before_ = ConstVectorMap<float>(before, size);
  probabilities_ = before_;
  kernels::softmax_rows(rows(), vocab_, probabilities_.data(), vocab_);
  difference_.resize(size);
  exponential_.resize(size);
}

void PredictionChange::load(Index row, const float* after) {
  const float* const before = before_.data() + row * vocab_;
  float* const difference = difference_.data() + row * vocab_;
  for (Index v = 0; v < vocab_; ++v) difference[v] = after[v] - before[v];
}

void PredictionChange::evaluate(double* nll, double* kl) {
  // With d the change of the logits: KL = log E_p exp(d) - E_p d, and the loss changes by
  // log E_p exp(d) - d[target]. E_p (exp(d) - 1 - d) keeps the digits of small changes.
  kernels::exp_forward(rows() * vocab_, difference_.data(), exponential_.data());
  for (Index i = 0; i < exponential_.size(); ++i) {
    exponential_[i] = beyond_linear(difference_[i], exponential_[i]);
  }
  for (Index r = 0; r < rows(); ++r) {
    const float* const d = difference_.data() + r * vocab_;
    const float* const p = probabilities_.data() + r * vocab_;
    const std::int32_t target = targets_[static_cast<std::size_t>(r)];
    const double mean = dot(vocab_, p, d);
    double shift = 0;
    float largest = 0;
    for (Index v = 0; v < vocab_; ++v) largest = std::max(largest, std::abs(d[v]));
    if (largest < kLargest) {
      shift = std::log1p(mean + dot(vocab_, p, exponential_.data() + r * vocab_));
    } else {
      const float* const before = before_.data() + r * vocab_;
      Vector<float> after(vocab_);
      for (Index v = 0; v < vocab_; ++v) after[v] = before[v] + d[v];
      shift = log_sum_exp(vocab_, after.data()) - log_sum_exp(vocab_, before);
    }
    nll[r] = shift - static_cast<double>(d[target]);
    kl[r] = std::max(0.0, shift - mean);
  }
}

// --- all units ----------------------------------------------------------------------------

namespace {

/// Puts other values into the columns of one head, or of nothing.
class ReplaceTap final : public UnitTap {
 public:
  using UnitTap::UnitTap;
  /// with [rows, width]
  void replace(Index unit, const std::vector<float>& with) {
    unit_ = unit;
    with_ = &with;
  }

 protected:
  void values(Index layer, float* x, Index rows) override {
    if (layer != units().layer(unit_)) return;
    const Index width = units().width;
    for (Index r = 0; r < rows; ++r) {
      std::copy(with_->begin() + r * width, with_->begin() + (r + 1) * width,
                x + r * units().columns() + units().index(unit_) * width);
    }
  }

 private:
  Index unit_ = 0;
  const std::vector<float>* with_ = nullptr;
};

/// One batch: the model as it is, and as it is without a unit.
class Ablation {
 public:
  Ablation(const Network& network, const float* parameters, const Batch& batch, const Units& units,
           Pass& base, Pass& changed)
      : network_(network),
        parameters_(parameters),
        batch_(batch),
        units_(units),
        base_(base),
        changed_(changed),
        tap_(units),
        values_(static_cast<std::size_t>(batch.rows() * units.width)),
        statistics_(2 * batch.rows()) {}

  /// The unit's values [rows, width] in the model as it is.
  const float* value(Index unit, Index row) const {
    const auto layer = units_.layer(unit);
    const float* const x = units_.kind == UnitKind::neuron ? base_.cache(layer).hidden.data()
                           : units_.kind == UnitKind::head ? base_.cache(layer).context.data()
                                                           : base_.residual(layer + 1);
    return x + row * units_.columns() + units_.index(unit) * units_.width;
  }
  std::vector<float>& replacement() { return values_; }

  /// Leaves the logits of the model with replacement() in the unit's place in `changed`.
  void run(Index unit) {
    const Index layer = units_.layer(unit);
    const Index dim = network_.dim();
    const Index rows = batch_.rows();
    const nn::Block& block = network_.blocks()[static_cast<std::size_t>(layer)];
    if (units_.kind == UnitKind::head) {
      const float* const input = base_.residual(layer);
      std::copy(input, input + rows * dim, changed_.residual(layer));
      tap_.replace(unit, values_);
      changed_.forward_from(layer, parameters_, batch_, &tap_);
      return;
    }
    float* const output = changed_.residual(layer + 1);
    if (units_.kind == UnitKind::channel) {
      const float* const from = base_.residual(layer + 1);
      std::copy(from, from + rows * dim, output);
      for (Index r = 0; r < rows; ++r) {
        output[r * dim + units_.index(unit)] = values_[static_cast<std::size_t>(r)];
      }
    } else {
      const bool post = block.config().norm == nn::NormPlacement::post;
      const float* const from =
          post ? base_.cache(layer).out_sum.data() : base_.residual(layer + 1);
      const float* const weight = parameters_ + block.down().weight + units_.index(unit) * dim;
      sum_.resize(rows * dim);
      float* const to = post ? sum_.data() : output;
      for (Index r = 0; r < rows; ++r) {
        const float change = values_[static_cast<std::size_t>(r)] - *value(unit, r);
        for (Index c = 0; c < dim; ++c) to[r * dim + c] = from[r * dim + c] + change * weight[c];
      }
      if (post) block.norm_2().forward(parameters_, rows, to, output, statistics_.data());
    }
    changed_.forward_from(layer + 1, parameters_, batch_);
  }

 private:
  const Network& network_;
  const float* parameters_;
  const Batch& batch_;
  const Units& units_;
  Pass& base_;
  Pass& changed_;
  ReplaceTap tap_;
  std::vector<float> values_;
  Vector<float> statistics_, sum_;
};

/// Every row that is not padding gets another one, at random; padding keeps itself.
std::vector<Index> shuffled_rows(const Batch& batch, Stream stream) {
  std::vector<Index> tokens, partners(static_cast<std::size_t>(batch.rows()));
  std::iota(partners.begin(), partners.end(), Index(0));
  for (Index r = 0; r < batch.rows(); ++r) {
    if (!batch.padding(r)) tokens.push_back(r);
  }
  std::vector<Index> shuffled = tokens;
  stream.shuffle(shuffled);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    partners[static_cast<std::size_t>(tokens[i])] = shuffled[i];
  }
  return partners;
}

}  // namespace

std::vector<Effect> ablate(const Network& network, const float* parameters,
                           const std::vector<Batch>& batches, const Units& units,
                           Replacement replacement, const std::vector<float>& means,
                           std::uint64_t seed, const StopCheck& stop) {
  std::vector<Effect> effects(static_cast<std::size_t>(units.count()));
  const auto base = make_pass(network, batches);
  const auto changed = make_pass(network, batches);
  for_each(batches, stop, [&](std::size_t number, const Batch& batch, Index sequence) {
    base->forward(parameters, batch);
    // The rows of the logits that are predictions, and the sequence each belongs to.
    std::vector<Index> predictions;
    std::vector<std::int32_t> targets;
    std::vector<std::size_t> sequence_of;
    const std::vector<Index> rows = network.logit_rows(batch);
    for (std::size_t p = 0; p < rows.size(); ++p) {
      const std::int32_t target = batch.targets[static_cast<std::size_t>(rows[p])];
      if (target < 0) continue;
      predictions.push_back(static_cast<Index>(p));
      targets.push_back(target);
      sequence_of.push_back(static_cast<std::size_t>(rows[p] / batch.time));
    }
    const auto count = static_cast<Index>(predictions.size());
    const Index vocab = network.vocab();
    Vector<float> logits(count * vocab);
    for (Index r = 0; r < count; ++r) {
      const float* const from = base->logits() + predictions[static_cast<std::size_t>(r)] * vocab;
      std::copy(from, from + vocab, logits.data() + r * vocab);
    }
    PredictionChange change(vocab, logits.data(), targets);
    const std::vector<Index> partners =
        shuffled_rows(batch, Stream(seed, "importance/resample", number));

    Ablation ablation(network, parameters, batch, units, *base, *changed);
    std::vector<double> nll(predictions.size()), kl(predictions.size());
    struct Sums {
      std::int64_t predictions = 0;
      double nll = 0, kl = 0;
    };
    std::vector<Sums> sums(static_cast<std::size_t>(batch.batch));
    for (Index unit = 0; unit < units.count(); ++unit) {
      if (stop) stop();
      std::vector<float>& values = ablation.replacement();
      for (Index r = 0; r < batch.rows(); ++r) {
        float* const to = values.data() + r * units.width;
        if (replacement == Replacement::zero) {
          std::fill(to, to + units.width, 0.0f);
        } else {
          const float* const from =
              replacement == Replacement::mean
                  ? means.data() + unit * units.width
                  : ablation.value(unit, partners[static_cast<std::size_t>(r)]);
          std::copy(from, from + units.width, to);
        }
      }
      ablation.run(unit);
      change.compare(
          [&](Index r) {
            return changed->logits() + predictions[static_cast<std::size_t>(r)] * vocab;
          },
          nll.data(), kl.data());
      std::fill(sums.begin(), sums.end(), Sums());
      for (std::size_t r = 0; r < predictions.size(); ++r) {
        Sums& s = sums[sequence_of[r]];
        ++s.predictions;
        s.nll += nll[r];
        s.kl += kl[r];
      }
      for (std::size_t b = 0; b < sums.size(); ++b) {
        if (sums[b].predictions == 0) continue;
        effects[static_cast<std::size_t>(unit)].add(
            static_cast<int>((sequence + static_cast<Index>(b)) % 2), sums[b].predictions,
            sums[b].nll, sums[b].kl);
      }
    }
  });
  return effects;
}

}  // namespace xfq::importance
