// Words of the executions, and what each can run.
#include "xfq/quant/execution.h"

#include <fmt/format.h>

#include <algorithm>

#include "xfq/core/error.h"
#include "xfq/core/options.h"

namespace xfq::quant {
namespace {

// Largest magnitude of a centred code.
std::int64_t largest_centred(const NumberFormat& format) {
  return format.scheme() == Scheme::symmetric ? format.highest_code()
                                              : format.highest_code() - format.lowest_code();
}

std::string refusal(const char* what, const NumberFormat& format, const Granularity& granularity) {
  if (format.kind() != NumberKind::integer) {
    return fmt::format("{} in {}, expected integers", what, format.name());
  }
  if (format.bits() > 8) {
    return fmt::format("{} of {} bits, expected at most 8", what, format.bits());
  }
  if (granularity.kind == Granularity::Kind::group) {
    return fmt::format("{} with scales {}, expected one scale for a whole sum", what,
                       to_string(granularity));
  }
  return {};
}

}  // namespace

Execution parse_execution(const std::string& word) {
  if (word == "fake") return Execution::fake;
  if (word == "int") return Execution::integer;
  const std::string nearest = nearest_name(word, {"fake", "int"});
  throw_usage(fmt::format("--execute {}, expected fake or int", word),
              nearest.empty() ? std::string() : fmt::format("did you mean {}?", nearest));
}

std::string to_string(Execution execution) { return execution == Execution::fake ? "fake" : "int"; }

std::string integer_refusal(const SitePlan& site) {
  if (!site.weight && !site.activation) return {};
  if (!site.activation) return "activations in fp32, expected integers on both sides";
  if (!site.weight) return "weights in fp32, expected integers on both sides";
  const std::string weight = refusal("weights", site.weight->format, site.weight->granularity);
  if (!weight.empty()) return weight;
  return refusal("activations", site.activation->format, site.activation->granularity);
}

std::string integer_refusal(const Plan& plan) {
  for (const SitePlan& site : plan) {
    std::string refused = integer_refusal(site);
    if (!refused.empty()) return refused;
  }
  return {};
}

Index exact_depth(const NumberFormat& activation, const NumberFormat& weight) {
  const std::int64_t product = largest_centred(activation) * largest_centred(weight);
  return static_cast<Index>(std::max<std::int64_t>(1, (std::int64_t{1} << 24) / product));
}

}  // namespace xfq::quant
