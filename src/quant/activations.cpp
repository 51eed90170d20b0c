// Taps that observe and round the inputs of matrix products.
#include "xfq/quant/activations.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "xfq/core/error.h"

namespace xfq::quant {
namespace {

// Index of the product that reads this point; the number of sites when none does.
std::size_t find_site(const std::vector<models::LinearSite>& sites, const nn::TapPoint& point) {
  std::size_t i = 0;
  while (i < sites.size() &&
         (sites[i].input.site != point.site || sites[i].input.layer != point.layer)) {
    ++i;
  }
  return i;
}

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

ActivationObserver::ActivationObserver(std::vector<models::LinearSite> sites)
    : sites_(std::move(sites)), statistics_(sites_.size()) {}

void ActivationObserver::forward(const nn::TapPoint& point, float* x, Index rows, Index cols) {
  const std::size_t site = find_site(sites_, point);
  if (site == sites_.size()) return;
  try {
    for_each_run(
        rows, [this](Index row) { return counts(row); },
        [&](Index begin, Index end) {
          const float* run = x + begin * cols;
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
    state.distortion.emplace(setting.format);
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

void ActivationQuantizer::forward(const nn::TapPoint& point, float* x, Index rows, Index cols) {
  const std::size_t site = find_site(sites_, point);
  if (site == sites_.size() || !plan_[site].activation) return;
  const ActivationSetting& setting = *plan_[site].activation;
  State& state = states_[site];
  const auto counted = [this](Index row) { return counts(row); };

  if (setting.granularity.kind == Granularity::Kind::tensor) {
    Scale scale;
    if (state.scale) {
      scale = *state.scale;
    } else {
      Range range;
      for_each_run(rows, counted, [&](Index begin, Index end) {
        widen(range, x + begin * cols, (end - begin) * cols);
      });
      scale = setting.format.fit(range);
    }
    if (measuring_) {
      for_each_run(rows, counted, [&](Index begin, Index end) {
        state.distortion->add(x + begin * cols, (end - begin) * cols, scale);
      });
    }
    setting.format.fake_quantize(rows * cols, x, scale, x);
    return;
  }
  const Index size =
      setting.granularity.kind == Granularity::Kind::group ? setting.granularity.group : cols;
  for (Index r = 0; r < rows; ++r) {
    for (Index c = 0; c < cols; c += size) {
      float* piece = x + r * cols + c;
      const Index length = std::min(size, cols - c);
      Range range;
      widen(range, piece, length);
      const Scale scale = setting.format.fit(range);
      if (measuring_ && counts(r)) state.distortion->add(piece, length, scale);
      setting.format.fake_quantize(length, piece, scale, piece);
    }
  }
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

const Scale* ActivationQuantizer::static_scale(std::size_t site) const {
  return states_[site].scale ? &*states_[site].scale : nullptr;
}

}  // namespace xfq::quant
