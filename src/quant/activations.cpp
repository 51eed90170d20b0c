// Taps that observe and round the inputs of matrix products.
#include "xfq/quant/activations.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "code_product.h"
#include "input_transform.h"
#include "sites.h"
#include "xfq/core/error.h"
#include "xfq/quant/distortion.h"

namespace xfq::quant {
namespace {

// Calls visit(begin, end) for every run of neighbouring rows that count.
template <class Counts, class Visit>
void for_each_run(Index rows, const Counts& counts, const Visit& visit) {
  Index begin = 0;
  while (begin < rows) {
    if (!counts(begin)) {
      ++begin;
      continue;
    }
    Index end = begin + 1;
    while (end < rows && counts(end)) ++end;
    visit(begin, end);
    begin = end;
  }
}

bool is_dynamic(const ActivationSetting& setting) {
  return setting.dynamic || setting.granularity.kind != Granularity::Kind::tensor;
}

// Calls visit(first, length) for the pieces of [rows, cols] that share a scale: all of it, rows, or
// groups within rows.
template <class Visit>
void for_each_piece(Index rows, Index cols, const Granularity& granularity, const Visit& visit) {
  if (granularity.kind == Granularity::Kind::tensor) {
    visit(Index{0}, rows * cols);
    return;
  }
  const Index size = granularity.kind == Granularity::Kind::group ? granularity.group : cols;
  for (Index r = 0; r < rows; ++r) {
    for (Index c = 0; c < cols; c += size) visit(r * cols + c, std::min(size, cols - c));
  }
}

void widen(Range& range, const float* x, Index size) {
  float lo = 0;
  float hi = 0;
  for (Index i = 0; i < size; ++i) {
    lo = x[i] < lo ? x[i] : lo;
    hi = x[i] > hi ? x[i] : hi;
  }
  range.lo = std::min(range.lo, static_cast<double>(lo));
  range.hi = std::max(range.hi, static_cast<double>(hi));
}

}  // namespace

ActivationObserver::ActivationObserver(std::vector<models::LinearSite> sites,
                                       std::vector<InputTransform> inputs)
    : sites_(std::move(sites)), inputs_(std::move(inputs)), statistics_(sites_.size()) {
  XFQ_ASSERT(inputs_.empty() || inputs_.size() == sites_.size());
}

void ActivationObserver::forward(const nn::TapPoint& point, float* x, Index rows, Index cols) {
  const std::size_t site = find_site(sites_, point);
  if (site == sites_.size()) return;
  const float* seen = x;
  if (!inputs_.empty() && !inputs_[site].empty()) {
    transformed_.assign(x, x + rows * cols);
    InputTransformer(inputs_[site], cols).apply(rows, transformed_.data());
    seen = transformed_.data();
  }
  try {
    for_each_run(
        rows, [this](Index row) { return counts(row); },
        [&](Index begin, Index end) {
          const float* run = seen + begin * cols;
          if (observations_.empty()) {
            statistics_[site].add(run, end - begin, cols);
          } else {
            observations_[site].add(run, end - begin, cols);
          }
        });
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("input of {}: {}", sites_[site].name, error.what()),
                error.hint());
  }
}

void ActivationObserver::start_second_pass() {
  if (!observations_.empty()) throw_run("a second second pass, expected one");
  for (std::size_t i = 0; i < sites_.size(); ++i) {
    if (statistics_[i].count() == 0) {
      observations_.clear();
      throw_run(fmt::format("no activations seen at {}, expected some in the first pass",
                            sites_[i].name));
    }
    observations_.emplace_back(statistics_[i]);
  }
}

void ActivationObserver::start_second_pass_of(const ActivationObserver& other) {
  XFQ_ASSERT(sites_.size() == other.sites_.size());
  statistics_ = other.statistics_;
  start_second_pass();
}

const std::vector<Observation>& ActivationObserver::observations() const {
  for (std::size_t i = 0; i < sites_.size(); ++i) {
    const bool complete =
        !observations_.empty() && observations_[i].count() == statistics_[i].count();
    if (!complete) {
      throw_run(
          fmt::format("the second pass at {} saw other values than the first", sites_[i].name),
          "run the same batches through both passes");
    }
  }
  return observations_;
}

void ActivationObserver::merge(const ActivationObserver& other) {
  XFQ_ASSERT(sites_.size() == other.sites_.size() &&
             observations_.size() == other.observations_.size());
  for (std::size_t i = 0; i < sites_.size(); ++i) {
    if (observations_.empty()) {
      statistics_[i].merge(other.statistics_[i]);
    } else {
      observations_[i].merge(other.observations_[i]);
    }
  }
}

struct ActivationQuantizer::State {
  InputTransformer transform;
  std::optional<Scale> scale;            // static sites
  std::optional<Distortion> distortion;  // quantized sites
  std::optional<TensorReport> report;    // quantized sites that were observed
  std::unique_ptr<CodeProduct> codes;    // sites that multiply codes
  std::vector<Scale> scales;             // of the last batch: one, or one per piece of a row
  std::vector<float> inside;             // of the last batch: 0 where clipped; while training
  Vector<double> sums;                   // of rounded values, per channel
  std::int64_t summed = 0;               // rows in it
};

ActivationQuantizer::~ActivationQuantizer() = default;

ActivationQuantizer::ActivationQuantizer(std::vector<models::LinearSite> sites, Plan plan,
                                         const std::vector<Observation>& observations)
    : sites_(std::move(sites)), plan_(std::move(plan)), states_(sites_.size()) {
  XFQ_ASSERT(plan_.size() == sites_.size());
  if (!observations.empty() && observations.size() != sites_.size()) {
    throw_run(fmt::format("{} observations, expected one for each of {} products",
                          observations.size(), sites_.size()));
  }
  for (std::size_t i = 0; i < sites_.size(); ++i) {
    if (!plan_[i].activation) continue;
    const ActivationSetting& setting = *plan_[i].activation;
    State& state = states_[i];
    state.transform = InputTransformer(plan_[i].input, sites_[i].in);
    state.distortion.emplace(setting.format);
    state.sums.setZero(sites_[i].in);
    if (!observations.empty()) {
      const Observation& observation = observations[i];
      state.report = describe(observation, sites_[i].name, setting.format);
      state.report->cols = sites_[i].in;
      state.report->rows = static_cast<Index>(observation.count()) / sites_[i].in;
      state.report->effective_bits = setting.format.bits();
    }
    if (is_dynamic(setting)) continue;
    if (observations.empty()) {
      throw_run(fmt::format("no observation of the input of {}, expected one for its static range",
                            sites_[i].name));
    }
    const Range range = calibrate(setting.calibration, observations[i], setting.format);
    state.scale = setting.format.fit(range);
    state.report->range = range;
  }
}

void ActivationQuantizer::execute(const QuantizedModel& model, Execution how) {
  XFQ_ASSERT(model.weights.size() == sites_.size() && !training_);
  for (std::size_t i = 0; i < sites_.size(); ++i) {
    if (!plan_[i].activation || !integer_refusal(plan_[i]).empty()) continue;
    XFQ_ASSERT(model.weights[i]);
    states_[i].codes = std::make_unique<CodeProduct>(
        sites_[i], plan_[i], *model.weights[i], model.parameters.data() + sites_[i].weight, how);
  }
}

void ActivationQuantizer::train(bool on) {
  XFQ_ASSERT(!on || std::none_of(states_.begin(), states_.end(),
                                 [](const State& state) { return state.codes != nullptr; }));
  training_ = on;
}

void ActivationQuantizer::find_scales(std::size_t site, const float* x, Index rows, Index cols) {
  const ActivationSetting& setting = *plan_[site].activation;
  std::vector<Scale>& scales = states_[site].scales;
  scales.clear();
  if (states_[site].scale) {
    scales.push_back(*states_[site].scale);
    return;
  }
  if (setting.granularity.kind == Granularity::Kind::tensor) {
    Range range;
    for_each_run(
        rows, [this](Index row) { return counts(row); },
        [&](Index begin, Index end) { widen(range, x + begin * cols, (end - begin) * cols); });
    scales.push_back(setting.format.fit(range));
    return;
  }
  for_each_piece(rows, cols, setting.granularity, [&](Index first, Index length) {
    Range range;
    widen(range, x + first, length);
    scales.push_back(setting.format.fit(range));
  });
}

void ActivationQuantizer::forward(const nn::TapPoint& point, float* x, Index rows, Index cols) {
  const std::size_t site = find_site(sites_, point);
  if (site == sites_.size() || !plan_[site].activation) return;
  const ActivationSetting& setting = *plan_[site].activation;
  const NumberFormat& format = setting.format;
  State& state = states_[site];
  state.transform.apply(rows, x);
  find_scales(site, x, rows, cols);
  const auto for_each_scale = [&](const auto& visit) {
    std::size_t s = 0;
    for_each_piece(rows, cols, setting.granularity,
                   [&](Index first, Index length) { visit(first, length, state.scales[s++]); });
  };

  if (measuring_ && setting.granularity.kind == Granularity::Kind::tensor) {
    for_each_run(
        rows, [this](Index row) { return counts(row); },
        [&](Index begin, Index end) {
          state.distortion->add(x + begin * cols, (end - begin) * cols, state.scales[0]);
        });
  } else if (measuring_) {
    for_each_scale([&](Index first, Index length, const Scale& scale) {
      if (counts(first / cols)) state.distortion->add(x + first, length, scale);
    });
  }
  float* rounded = x;
  if (state.codes) {
    if (!collecting_) return;
    rounded_.assign(x, x + rows * cols);
    rounded = rounded_.data();
  }
  if (training_) {
    state.inside.resize(std::max(state.inside.size(), static_cast<std::size_t>(rows * cols)));
    for_each_scale([&](Index first, Index length, const Scale& scale) {
      format.mark_inside(length, x + first, scale, state.inside.data() + first);
    });
  }
  for_each_scale([&](Index first, Index length, const Scale& scale) {
    format.fake_quantize(length, rounded + first, scale, rounded + first);
  });
  state.transform.undo(rows, rounded);
  if (!collecting_) return;
  for (Index r = 0; r < rows; ++r) {
    if (!counts(r)) continue;
    ++state.summed;
    for (Index c = 0; c < cols; ++c) {
      state.sums[c] += static_cast<double>(rounded[r * cols + c]);
    }
  }
}

bool ActivationQuantizer::product(const nn::TapPoint& point, const nn::Product<float>& product) {
  const std::size_t site = find_site(sites_, point);
  if (site == sites_.size() || !states_[site].codes) return false;
  State& state = states_[site];
  state.codes->run(product, state.scales, state.transform.kept());
  return true;
}

void ActivationQuantizer::backward(const nn::TapPoint& point, float* d_x, Index rows, Index cols) {
  const std::size_t site = find_site(sites_, point);
  if (site == sites_.size() || !plan_[site].activation || !training_) return;
  const State& state = states_[site];
  XFQ_ASSERT(static_cast<Index>(state.inside.size()) >= rows * cols);
  state.transform.rotate(rows, d_x);
  for (Index i = 0; i < rows * cols; ++i) d_x[i] *= state.inside[static_cast<std::size_t>(i)];
  state.transform.rotate_back(rows, d_x);
}

std::vector<TensorReport> ActivationQuantizer::reports() const {
  std::vector<TensorReport> rows;
  for (std::size_t i = 0; i < sites_.size(); ++i) {
    if (!plan_[i].activation) continue;
    if (!states_[i].report) {
      throw_run(
          fmt::format("a report on the input of {}, expected its observation", sites_[i].name));
    }
    TensorReport report = *states_[i].report;
    report.sqnr_db = states_[i].distortion->sqnr_db();
    report.clip_share = states_[i].distortion->clip_share();
    report.code_entropy_bits = states_[i].distortion->code_entropy_bits();
    rows.push_back(report);
  }
  return rows;
}

std::vector<Vector<double>> ActivationQuantizer::channel_means() const {
  std::vector<Vector<double>> means(sites_.size());
  for (std::size_t i = 0; i < sites_.size(); ++i) {
    if (!plan_[i].activation) continue;
    if (states_[i].summed == 0) {
      throw_run(fmt::format("no rounded values collected at {}, expected some", sites_[i].name));
    }
    means[i] = states_[i].sums / static_cast<double>(states_[i].summed);
  }
  return means;
}

const Scale* ActivationQuantizer::static_scale(std::size_t site) const {
  return states_[site].scale ? &*states_[site].scale : nullptr;
}

}  // namespace xfq::quant
