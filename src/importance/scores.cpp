#include "xfq/importance/scores.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "xfq/core/error.h"
#include "xfq/core/random.h"
#include "xfq/importance/conductance.h"
#include "xfq/importance/shapley.h"

namespace xfq::importance {

namespace {

/// value(sums, unit) for every unit.
std::vector<double> each(const UnitSums& sums,
                         const std::function<double(const UnitSums&, std::size_t)>& value) {
  std::vector<double> values(sums.a_norm.size());
  for (std::size_t u = 0; u < values.size(); ++u) values[u] = value(sums, u);
  return values;
}

double per_token(const UnitSums& sums, double sum) {
  return sum / static_cast<double>(sums.tokens);
}
double per_sequence(const UnitSums& sums, double sum) {
  return sum / static_cast<double>(sums.sequences);
}

/// Euclidean norm of the mean over tokens.
double mean_norm(const UnitSums& sums, std::size_t unit, std::size_t width) {
  double square = 0;
  for (std::size_t c = unit * width; c < (unit + 1) * width; ++c) {
    const double mean = per_token(sums, sums.a[c]);
    square += mean * mean;
  }
  return std::sqrt(square);
}

double variance(const UnitSums& sums, std::size_t unit, std::size_t width) {
  double sum = 0;
  for (std::size_t c = unit * width; c < (unit + 1) * width; ++c) {
    const double mean = per_token(sums, sums.a[c]);
    sum += std::max(0.0, per_token(sums, sums.a_square_column[c]) - mean * mean);
  }
  return sum;
}

double rms(const UnitSums& sums, std::size_t unit) {
  return std::sqrt(per_token(sums, sums.a_square[unit]));
}

std::vector<double> outgoing_weight(const Network& network, const float* parameters,
                                    const Units& units) {
  std::vector<double> sums;
  for (Index u = 0; u < units.count(); ++u) {
    const Index layer = units.layer(u);
    if (units.kind == UnitKind::channel) {
      sums.push_back(network.reading_weight(parameters, layer, units.index(u)));
      continue;
    }
    const nn::Block& block = network.blocks()[static_cast<std::size_t>(layer)];
    const nn::Linear& out = units.kind == UnitKind::neuron ? block.down() : block.context();
    const float* const rows = parameters + out.weight + units.index(u) * units.width * out.out;
    double sum = 0;
    for (Index i = 0; i < units.width * out.out; ++i) {
      sum += std::abs(static_cast<double>(rows[i]));
    }
    sums.push_back(sum);
  }
  return sums;
}

bool wants(const ScoreOptions& options, const std::string& name) {
  return std::find(options.names.begin(), options.names.end(), name) != options.names.end();
}

}  // namespace

const std::vector<std::string>& score_names() {
  static const std::vector<std::string> names = {"gradient",    "gradient-norm", "activation",
                                                 "mean",        "rms",           "variance",
                                                 "std",         "active",        "entropy-shared",
                                                 "entropy-own", "taylor",        "taylor-squared",
                                                 "gate",        "fisher",        "obd",
                                                 "conductance", "magnitude",     "wanda",
                                                 "shapley",     "random"};
  return names;
}

std::vector<Batch> first_sequences(const std::vector<Batch>& batches, Index sequences) {
  std::vector<Batch> taken;
  for (const Batch& batch : batches) {
    if (sequences <= 0) break;
    Batch part = batch;
    part.batch = std::min(batch.batch, sequences);
    part.inputs.resize(static_cast<std::size_t>(part.rows()));
    part.targets.resize(static_cast<std::size_t>(part.rows()));
    if (!part.segments.empty()) part.segments.resize(static_cast<std::size_t>(part.rows()));
    part.lengths.resize(static_cast<std::size_t>(part.batch));
    sequences -= part.batch;
    taken.push_back(std::move(part));
  }
  return taken;
}

ScoreSet compute_scores(const Network& network, const float* parameters,
                        const std::vector<Batch>& batches, const Units& units,
                        const ScoreOptions& options, const StopCheck& stop,
                        const std::vector<bool>& removed) {
  ScoreSet set;
  set.sums = gather(network, parameters, batches, units, stop, removed);
  if (wants(options, "obd")) {
    gather_curvature(network, parameters, batches, units, options.seed, stop, removed, set.sums);
  }
  UnitSums all = set.sums[0];
  all.merge(set.sums[1]);
  const auto width = static_cast<std::size_t>(units.width);

  Score score;
  const auto from_sums = [&](std::int64_t forward, std::int64_t backward,
                             const std::function<double(const UnitSums&, std::size_t)>& value) {
    score.values = each(all, value);
    for (std::size_t h = 0; h < 2; ++h) score.halves[h] = each(set.sums[h], value);
    score.forward_passes = forward;
    score.backward_passes = backward;
    score.tokens = all.tokens;
  };
  const auto from_counts =
      [&](const Binning& binning,
          const std::function<std::vector<double>(const ValueCounts&, int)>& value) {
        // One pass finds the range, one counts.
        const ValueCounts counts =
            count_values(network, parameters, batches, units, set.sums, {binning}, stop, removed);
        score.values = value(counts, -1);
        for (int h = 0; h < 2; ++h) score.halves[static_cast<std::size_t>(h)] = value(counts, h);
        score.forward_passes = 2;
        score.tokens = all.tokens;
      };
  const auto entropy = [](const ValueCounts& counts, int half) {
    return counts.entropies(0, true, half);
  };

  for (const std::string& name : options.names) {
    score = Score();
    score.name = name;
    if (name == "gradient") {
      from_sums(1, 1, [](const UnitSums& s, std::size_t u) { return per_token(s, s.g_norm[u]); });
    } else if (name == "gradient-norm") {
      from_sums(1, 1, [](const UnitSums& s, std::size_t u) {
        return std::sqrt(per_token(s, s.g_square[u]));
      });
    } else if (name == "activation") {
      from_sums(1, 0, [](const UnitSums& s, std::size_t u) { return per_token(s, s.a_norm[u]); });
    } else if (name == "mean") {
      from_sums(1, 0, [&](const UnitSums& s, std::size_t u) { return mean_norm(s, u, width); });
    } else if (name == "rms") {
      from_sums(1, 0, rms);
    } else if (name == "variance") {
      from_sums(1, 0, [&](const UnitSums& s, std::size_t u) { return variance(s, u, width); });
    } else if (name == "std") {
      from_sums(1, 0,
                [&](const UnitSums& s, std::size_t u) { return std::sqrt(variance(s, u, width)); });
    } else if (name == "active") {
      from_counts({Binning::Range::shared, 1},
                  [](const ValueCounts& counts, int half) { return counts.active_shares(half); });
    } else if (name == "entropy-shared") {
      from_counts({Binning::Range::shared, options.bins}, entropy);
    } else if (name == "entropy-own") {
      from_counts({Binning::Range::own, options.bins}, entropy);
    } else if (name == "taylor") {
      from_sums(1, 1, [](const UnitSums& s, std::size_t u) { return per_token(s, s.ga_abs[u]); });
    } else if (name == "taylor-squared") {
      from_sums(1, 1,
                [](const UnitSums& s, std::size_t u) { return per_token(s, s.ga_square[u]); });
    } else if (name == "gate") {
      from_sums(1, 1,
                [](const UnitSums& s, std::size_t u) { return per_sequence(s, s.gate_abs[u]); });
    } else if (name == "fisher") {
      from_sums(1, 1,
                [](const UnitSums& s, std::size_t u) { return per_sequence(s, s.gate_square[u]); });
    } else if (name == "obd") {
      from_sums(2, 1,
                [](const UnitSums& s, std::size_t u) { return per_token(s, s.curvature[u]) / 2; });
    } else if (name == "conductance") {
      const std::vector<Batch> text = first_sequences(batches, options.conductance_sequences);
      const std::vector<float> baseline =
          units.kind == UnitKind::channel ? mean_values(set.sums) : std::vector<float>();
      const Conductance result = conductance(network, parameters, text, units, baseline,
                                             options.conductance_nodes, stop, removed);
      set.completeness_error = result.completeness_error();
      score.tokens = result.tokens[0] + result.tokens[1];
      score.values.assign(static_cast<std::size_t>(units.count()), 0.0);
      for (std::size_t h = 0; h < 2; ++h) {
        for (std::size_t u = 0; u < score.values.size(); ++u) {
          const double sum = result.absolute[h][u];
          score.values[u] += sum / static_cast<double>(score.tokens);
          score.halves[h].push_back(
              sum / static_cast<double>(std::max<std::int64_t>(1, result.tokens[h])));
        }
      }
      score.backward_passes = result.gradient_passes;
      score.forward_passes = score.backward_passes + units.layers + 1;
    } else if (name == "magnitude") {
      score.values = outgoing_weight(network, parameters, units);
      score.halves = {score.values, score.values};
    } else if (name == "wanda") {
      const std::vector<double> weight = outgoing_weight(network, parameters, units);
      from_sums(1, 0, [&](const UnitSums& s, std::size_t u) { return weight[u] * rms(s, u); });
    } else if (name == "shapley") {
      const std::vector<Batch> text = first_sequences(batches, options.shapley_sequences);
      const ShapleyValues values = sample_shapley(
          network, parameters, text, units, options.shapley_orders, options.seed, stop, removed);
      score.values = values.mean();
      score.halves = values.halves;
      score.forward_passes = options.shapley_orders * (units.count() + 1);
      for (const Batch& batch : text) {
        for (const std::int32_t length : batch.lengths) score.tokens += length;
      }
    } else if (name == "random") {
      const auto draw = [&](std::uint64_t index) {
        Stream stream(options.seed, "importance/random", index);
        std::vector<double> values(static_cast<std::size_t>(units.count()));
        for (double& value : values) value = stream.uniform();
        return values;
      };
      score.values = draw(0);
      score.halves = {draw(1), draw(2)};
    } else {
      throw_usage("score '" + name + "' does not exist");
    }
    set.scores.push_back(score);
  }
  return set;
}

}  // namespace xfq::importance
