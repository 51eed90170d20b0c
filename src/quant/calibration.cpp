// Words of the calibration methods, and the switch between them.
#include "xfq/quant/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <locale>
#include <sstream>

#include "calibrators.h"
#include "xfq/core/error.h"
#include "xfq/core/options.h"
#include "xfq/core/value.h"

namespace xfq::quant {
namespace {

const char* const kMethods = "minmax, percentile:P, mse, kl or aciq";

Calibration parse_percentile(const std::string& text, const std::string& number) {
  std::istringstream stream(number);
  stream.imbue(std::locale::classic());
  double value = 0;
  stream >> value;
  const bool whole = !stream.fail() && stream.peek() == std::istringstream::traits_type::eof();
  if (!whole || !(value > 0 && value <= 100)) {
    throw_usage(
        fmt::format("--calibration: got '{}', expected percentile:P with 0 < P <= 100", text),
        "for example percentile:99.99");
  }
  return {CalibrationMethod::percentile, value};
}

}  // namespace

Calibration parse_calibration(const std::string& text) {
  if (text == "minmax") return {CalibrationMethod::minmax};
  if (text == "percentile") return {CalibrationMethod::percentile};
  if (text == "mse") return {CalibrationMethod::mse};
  if (text == "kl") return {CalibrationMethod::kl};
  if (text == "aciq") return {CalibrationMethod::aciq};
  const std::size_t colon = text.find(':');
  const std::string word = text.substr(0, colon);
  if (colon != std::string::npos && word == "percentile") {
    return parse_percentile(text, text.substr(colon + 1));
  }
  const std::string nearest = nearest_name(word, {"minmax", "percentile", "mse", "kl", "aciq"});
  throw_usage(fmt::format("--calibration: got '{}', expected {}", text, kMethods),
              nearest.empty() ? std::string() : fmt::format("did you mean {}?", nearest));
}

std::string to_string(const Calibration& calibration) {
  switch (calibration.method) {
    case CalibrationMethod::minmax:
      return "minmax";
    case CalibrationMethod::percentile:
      return "percentile:" + to_text(Value(calibration.percentile));
    case CalibrationMethod::mse:
      return "mse";
    case CalibrationMethod::kl:
      return "kl";
    case CalibrationMethod::aciq:
      break;
  }
  return "aciq";
}

Range clipped_range(const Observation& observation, const NumberFormat& format, double threshold) {
  if (format.scheme() == Scheme::symmetric) return {-threshold, threshold};
  const stats::Moments& moments = observation.statistics().moments();
  return {std::min(std::max(moments.min(), -threshold), 0.0),
          std::max(std::min(moments.max(), threshold), 0.0)};
}

Range calibrate(const Calibration& calibration, const Observation& observation,
                const NumberFormat& format) {
  if (observation.count() == 0) throw_run("calibration with 0 values, expected 1 or more");
  if (observation.range() == 0) return {0, 0};
  switch (calibration.method) {
    case CalibrationMethod::minmax:
      break;
    case CalibrationMethod::percentile:
      return clipped_range(observation, format,
                           percentile_threshold(observation, calibration.percentile));
    case CalibrationMethod::mse:
      return clipped_range(observation, format, mse_threshold(observation, format));
    case CalibrationMethod::kl:
      return clipped_range(observation, format, kl_threshold(observation, format));
    case CalibrationMethod::aciq:
      return clipped_range(observation, format, aciq_threshold(observation, format));
  }
  return minmax_range(observation, format);
}

}  // namespace xfq::quant
