// A plan: for every matrix product of a model, how its weight and its input are
// quantized, if at all. One setting for all products is the usual plan; mixed
// precision is a plan whose entries differ.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "xfq/models/decoder.h"
#include "xfq/nn/parameters.h"
#include "xfq/quant/calibration.h"
#include "xfq/quant/granularity.h"
#include "xfq/quant/number_format.h"

namespace xfq::quant {

struct WeightSetting {
  NumberFormat format;
  Granularity granularity = Granularity::channel();  ///< tensor, channel or group
  Calibration
      calibration;  ///< of each tensor, channel or group by itself; clipping gains little here
};

struct ActivationSetting {
  NumberFormat format;
  Granularity granularity = Granularity::tensor();  ///< tensor, token or group
  /// Static: one range per site, calibrated beforehand. Dynamic: the min-max range of the
  /// data at hand (per call for `tensor`: all rows of the batch that count, per row for
  /// `token`, per group of a row for `group`). Token and group are always dynamic.
  bool dynamic = false;
  Calibration calibration;  ///< static only
};

/// What happens to a product's input, and with it to the weight, before both are rounded. The
/// product itself stays the same.
struct InputTransform {
  /// x R and R^T W instead of x and W (xfq/quant/hadamard.h).
  bool hadamard = false;
  /// Input channels, ascending, whose values and weights stay in fp32 (Dettmers et al. 2022,
  /// "LLM.int8()", section 3.2); the rest is rounded as if they were 0. Not with `hadamard`.
  std::vector<Index> outlier_columns;

  bool empty() const { return !hadamard && outlier_columns.empty(); }
};

struct SitePlan {
  std::optional<WeightSetting> weight;
  std::optional<ActivationSetting> activation;
  InputTransform input;
};

/// One entry per matrix product, in the order of Decoder::linears().
using Plan = std::vector<SitePlan>;

/// Which products a setting applies to.
struct Selection {
  enum class Kind { all, without_head, list };
  Kind kind = Kind::all;
  std::vector<std::string> names;  ///< of weights, "h.0.mlp.c_fc"; list only
};

/// The same setting for every selected product. Throws ErrorKind::usage on a name that no
/// product has (nearest suggested) and on settings that do not go together: a token scale
/// for weights, a channel scale for activations, mxfp4 with anything but group:32.
Plan make_plan(const std::vector<models::LinearSite>& sites, const SitePlan& setting,
               const Selection& selection = {});

/// The transforms of a plan, one per product: for an ActivationObserver that is to see what the
/// plan rounds.
std::vector<InputTransform> input_transforms(const Plan& plan);

/// Size of the parameters in a file, without names and headers.
struct ModelBytes {
  std::int64_t fp32 = 0;       ///< 4 bytes a parameter
  std::int64_t quantized = 0;  ///< codes, scales, and whatever stays in fp32
  std::int64_t codes = 0;   ///< of the quantized weights; bits are packed, a tensor ends on a byte
  std::int64_t scales = 0;  ///< of the quantized weights, zero points included
  std::int64_t unquantized = 0;  ///< 4 bytes each: biases, norms, positions, products not selected,
                                 ///< outlier columns
  /// 8 * quantized / parameters.
  double bits_per_parameter = 0;
};
ModelBytes model_bytes(const nn::ParameterLayout& layout,
                       const std::vector<models::LinearSite>& sites, const Plan& plan);
ModelBytes model_bytes(const models::Decoder& decoder, const Plan& plan);

/// Bytes of one weight under a setting.
struct WeightBytes {
  std::int64_t codes = 0;
  std::int64_t scales = 0;
  std::int64_t outliers = 0;  ///< outlier columns: 4 bytes a weight and 4 for the column's number
};
WeightBytes weight_bytes(const WeightSetting& setting, Index in, Index out);
/// With outlier columns, which have no codes. The plan must have a weight setting. (The signs of
/// a rotation follow from the width and take no bytes.)
WeightBytes weight_bytes(const SitePlan& plan, Index in, Index out);

}  // namespace xfq::quant
