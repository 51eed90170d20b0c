// Words and counts of granularities.
#include "xfq/quant/granularity.h"

#include <fmt/format.h>

#include <charconv>

#include "xfq/core/error.h"
#include "xfq/core/options.h"

namespace xfq::quant {

Granularity parse_granularity(const std::string& text) {
  if (text == "tensor") return Granularity::tensor();
  if (text == "channel") return Granularity::channel();
  if (text == "token") return Granularity::token();
  const std::string prefix = "group:";
  if (text.compare(0, prefix.size(), prefix) == 0) {
    const char* begin = text.data() + prefix.size();
    const char* end = text.data() + text.size();
    Index size = 0;
    const auto [stop, error] = std::from_chars(begin, end, size);
    if (error == std::errc() && stop == end && size >= 1) return Granularity::groups_of(size);
    throw_usage(fmt::format("--granularity {}, expected group:G with G >= 1", text),
                "for example group:32");
  }
  const std::string nearest = nearest_name(text, {"tensor", "channel", "token", "group"});
  throw_usage(fmt::format("--granularity {}, expected tensor, channel, token or group:G", text),
              nearest.empty()
                  ? std::string()
                  : fmt::format("did you mean {}?", nearest == "group" ? "group:32" : nearest));
}

std::string to_string(const Granularity& granularity) {
  switch (granularity.kind) {
    case Granularity::Kind::tensor:
      return "tensor";
    case Granularity::Kind::channel:
      return "channel";
    case Granularity::Kind::token:
      return "token";
    case Granularity::Kind::group:
      break;
  }
  return fmt::format("group:{}", granularity.group);
}

Index weight_scales(const Granularity& granularity, Index in, Index out) {
  XFQ_ASSERT(granularity.kind != Granularity::Kind::token);
  if (granularity.kind == Granularity::Kind::tensor) return 1;
  if (granularity.kind == Granularity::Kind::channel) return out;
  return out * ((in + granularity.group - 1) / granularity.group);
}

}  // namespace xfq::quant
