// Activations: an observer for calibration and a fake quantizer for evaluation,
// both taps at the inputs of the matrix products. A tap changes what the product
// reads, never the residual path (nn/tap.h).
//
//   ActivationObserver observer(decoder.linears());
//   for each batch: observer.use_rows(targets); decoder.forward(..., &observer);
//   observer.start_second_pass();
//   the same batches again;
//   ActivationQuantizer quantizer(decoder.linears(), plan, observer.observations());
//   quantizer.execute(model, Execution::fake);   // products on codes, see execution.h
//   quantizer.measure(true);                     // when reports are wanted
//   for each batch: quantizer.use_rows(targets); decoder.forward(..., &quantizer);
//
// One observation serves any number of plans. Observe the fp32 model, on data
// that nothing is evaluated on. Not for use by two threads at once.
#pragma once

#include <cstddef>
#include <vector>

#include "xfq/models/decoder.h"
#include "xfq/nn/tap.h"
#include "xfq/quant/execution.h"
#include "xfq/quant/observer.h"
#include "xfq/quant/plan.h"
#include "xfq/quant/row_filter.h"
#include "xfq/quant/tensor_report.h"
#include "xfq/quant/weights.h"

namespace xfq::quant {

class ActivationObserver final : public nn::Tap<float>, public RowFilter {
 public:
  /// `inputs`: empty, or one per site: what is observed is then the transformed input, outlier
  /// columns being 0 (input_transforms(plan)).
  explicit ActivationObserver(std::vector<models::LinearSite> sites,
                              std::vector<InputTransform> inputs = {});

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
  std::vector<InputTransform> inputs_;
  std::vector<RangeStatistics> statistics_;
  std::vector<Observation> observations_;  // empty during the first pass
  std::vector<float> transformed_;         // of one batch
};

class ActivationQuantizer final : public nn::Tap<float>, public RowFilter {
 public:
  /// `observations`, one per site, gives the static ranges and the statistics of reports; it may
  /// be empty when no site needs a static range. Of the transformed inputs where the plan has a
  /// transform. Calibrates at once. Throws ErrorKind::run when sizes do not agree.
  ActivationQuantizer(std::vector<models::LinearSite> sites, Plan plan,
                      const std::vector<Observation>& observations);
  ~ActivationQuantizer() override;

  /// From now on the products that can (integer_refusal() of the site is empty) are computed from
  /// codes, those of the activations and those in `model`, which must be of the same plan; the
  /// others read rounded floats as before. `model` is copied as far as needed; forward() is then
  /// to be run with model.parameters. Not together with train().
  void execute(const QuantizedModel& model, Execution how);

  /// Rounds x in place where the plan says so, and takes the transform back. All rows are rounded,
  /// the ones that do not count as well (their values saturate where the range is another's).
  /// Where codes are multiplied x stays as it is, apart from the transform.
  void forward(const nn::TapPoint& point, float* x, Index rows, Index cols) override;
  bool product(const nn::TapPoint& point, const nn::Product<float>& product) override;
  /// Straight-through: d_x stays, but is 0 where the last forward() clipped. After train(true).
  void backward(const nn::TapPoint& point, float* d_x, Index rows, Index cols) override;

  /// Keep what backward() needs. Off at first. Allocates for the largest batch, once.
  void train(bool on);
  /// Collect SQNR, clip share and code entropy; costs time. Off at first.
  void measure(bool on) { measuring_ = on; }
  /// Collect channel_means(); costs time. Off at first.
  void collect_means(bool on) { collecting_ = on; }
  /// Rows of the quantized sites, in order. SQNR, clip share and code entropy are of what was
  /// measured, none without; the other columns are of the observations, without which this throws
  /// ErrorKind::run.
  std::vector<TensorReport> reports() const;
  /// Mean of the rounded inputs, transform taken back: one [in] per product, empty where the plan
  /// leaves the input alone. Throws ErrorKind::run when nothing was collected.
  std::vector<Vector<double>> channel_means() const;
  /// The static scale of a site; nullptr when it is dynamic or not quantized.
  const Scale* static_scale(std::size_t site) const;

 private:
  struct State;

  /// The scales of this batch at a site.
  void find_scales(std::size_t site, const float* x, Index rows, Index cols);

  std::vector<models::LinearSite> sites_;
  Plan plan_;
  std::vector<State> states_;
  bool measuring_ = false;
  bool collecting_ = false;
  bool training_ = false;
  std::vector<float> rounded_;  // of one batch
};

}  // namespace xfq::quant
