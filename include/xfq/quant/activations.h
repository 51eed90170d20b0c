// Activations: an observer for calibration and a fake quantizer for evaluation,
// both taps at the inputs of the matrix products. A tap changes what the product
// reads, never the residual path (nn/tap.h).
//
//   ActivationObserver observer(decoder.linears());
//   for each batch: observer.use_rows(targets); decoder.forward(..., &observer);
//   observer.start_second_pass();
//   the same batches again;
//   ActivationQuantizer quantizer(decoder.linears(), plan, observer.observations());
//   quantizer.measure(true);                     // when reports are wanted
//   for each batch: quantizer.use_rows(targets); decoder.forward(..., &quantizer);
//
// One observation serves any number of plans. Observe the fp32 model, on data
// that nothing is evaluated on. Not for use by two threads at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "xfq/models/decoder.h"
#include "xfq/nn/tap.h"
#include "xfq/quant/distortion.h"
#include "xfq/quant/observer.h"
#include "xfq/quant/plan.h"
#include "xfq/quant/tensor_report.h"

namespace xfq::quant {

/// Rows of the next batches that count: those with target >= 0. Padding has
/// activations too, and they must not shape a range or a report.
class RowFilter {
 public:
  /// nullptr: all rows count. Otherwise [rows of the batch], valid until the next call.
  void use_rows(const std::int32_t* targets) { targets_ = targets; }

 protected:
  bool counts(Index row) const { return targets_ == nullptr || targets_[row] >= 0; }

 private:
  const std::int32_t* targets_ = nullptr;
};

class ActivationObserver final : public nn::Tap<float>, public RowFilter {
 public:
  explicit ActivationObserver(std::vector<models::LinearSite> sites);

  /// Leaves x as it is. Throws ErrorKind::run, naming the site, on a value that is not finite.
  void forward(const nn::TapPoint& point, float* x, Index rows, Index cols) override;

  /// Ends the first pass. Throws ErrorKind::run when a site saw nothing.
  void start_second_pass();
  /// Of every site, in order; after the second pass, otherwise throws ErrorKind::run.
  const std::vector<Observation>& observations() const;
  /// For parts of the data that were observed side by side; both in the same pass, and
  /// in the second one over the same first pass.
  void merge(const ActivationObserver& other);
  /// Takes over the first pass of `other` and starts the second one: for the parts of
  /// the data after their first passes were merged into `other`.
  void start_second_pass_of(const ActivationObserver& other);

 private:
  std::vector<models::LinearSite> sites_;
  std::vector<RangeStatistics> statistics_;
  std::vector<Observation> observations_;  // empty during the first pass
};

class ActivationQuantizer final : public nn::Tap<float>, public RowFilter {
 public:
  /// `observations`, one per site, gives the static ranges and the statistics of reports; it may
  /// be empty when no site needs a static range. Calibrates at once. Throws ErrorKind::run when
  /// sizes do not agree.
  ActivationQuantizer(std::vector<models::LinearSite> sites, Plan plan,
                      const std::vector<Observation>& observations);

  /// Rounds x in place where the plan says so. All rows are rounded, the ones that do not
  /// count as well (their values saturate where the range is another's).
  void forward(const nn::TapPoint& point, float* x, Index rows, Index cols) override;

  /// Collect SQNR, clip share and code entropy; costs time. Off at first.
  void measure(bool on) { measuring_ = on; }
  /// Rows of the quantized sites, in order. SQNR, clip share and code entropy are of what was
  /// measured, none without; the other columns are of the observations, without which this throws
  /// ErrorKind::run.
  std::vector<TensorReport> reports() const;
  /// The static scale of a site; nullptr when it is dynamic or not quantized.
  const Scale* static_scale(std::size_t site) const;

 private:
  struct State {
    std::optional<Scale> scale;            // static sites
    std::optional<Distortion> distortion;  // quantized sites
    std::optional<TensorReport> report;    // quantized sites that were observed
  };

  std::vector<models::LinearSite> sites_;
  Plan plan_;
  std::vector<State> states_;
  bool measuring_ = false;
};

}  // namespace xfq::quant
