#include "xfq/importance/units.h"

#include "xfq/core/error.h"

namespace xfq::importance {

using nn::Site;

const std::vector<std::string>& unit_kind_names() {
  static const std::vector<std::string> names = {"neuron", "head", "channel"};
  return names;
}

UnitKind parse_unit_kind(const std::string& name) {
  const std::vector<std::string>& names = unit_kind_names();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<UnitKind>(i);
  }
  throw_usage("unit '" + name + "', expected neuron, head or channel");
}

Units::Units(const Network& network, UnitKind unit_kind)
    : kind(unit_kind), layers(network.layers()) {
  switch (kind) {
    case UnitKind::neuron:
      per_layer = network.hidden();
      break;
    case UnitKind::head:
      per_layer = network.heads();
      width = network.dim() / network.heads();
      break;
    case UnitKind::channel:
      per_layer = network.dim();
      break;
  }
}

bool UnitTap::concerns(const nn::TapPoint& point) const {
  return (units_.kind == UnitKind::neuron && point.site == Site::mlp_hidden) ||
         (units_.kind == UnitKind::head && point.site == Site::attention_context);
}

void UnitTap::remove(const std::vector<bool>& removed) {
  off_.clear();
  if (removed.empty()) return;
  XFQ_ASSERT(static_cast<Index>(removed.size()) == units_.count());
  off_.resize(static_cast<std::size_t>(units_.layers));
  for (Index u = 0; u < units_.count(); ++u) {
    if (!removed[static_cast<std::size_t>(u)]) continue;
    for (Index c = 0; c < units_.width; ++c) {
      off_[static_cast<std::size_t>(units_.layer(u))].push_back(units_.index(u) * units_.width + c);
    }
  }
}

void UnitTap::clear(Index layer, float* x, Index rows) const {
  if (off_.empty()) return;
  const Index columns = units_.columns();
  for (Index r = 0; r < rows; ++r) {
    for (const Index column : off_[static_cast<std::size_t>(layer)]) x[r * columns + column] = 0;
  }
}

void UnitTap::forward(const nn::TapPoint& point, float* x, Index rows, Index /*cols*/) {
  if (!concerns(point)) return;
  clear(point.layer, x, rows);
  values(point.layer, x, rows);
}

void UnitTap::backward(const nn::TapPoint& point, float* d_x, Index rows, Index /*cols*/) {
  if (!concerns(point)) return;
  gradients(point.layer, d_x, rows);
  clear(point.layer, d_x, rows);
}

void UnitTap::residual_forward(Index layer, float* x, Index rows, Index /*cols*/) {
  if (units_.kind != UnitKind::channel) return;
  clear(layer, x, rows);
  values(layer, x, rows);
}

void UnitTap::residual_backward(Index layer, float* d_x, Index rows, Index /*cols*/) {
  if (units_.kind != UnitKind::channel) return;
  gradients(layer, d_x, rows);
  clear(layer, d_x, rows);
}

}  // namespace xfq::importance
