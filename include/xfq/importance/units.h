// What is ranked: units, all of one kind, and where in a model their values stand.
//
//   neuron   a column of the feed-forward layer behind its activation   mlp_hidden       1 wide
//   head     an attention head's output before the projection           attention_context
//   channel  a channel of a block's output, the residual stream         residual         1 wide
//
// A neuron or a head acts through what it adds to the residual stream. Taking a channel's value
// away takes it away from everything above.
#pragma once

#include <string>
#include <vector>

#include "xfq/importance/network.h"

namespace xfq::importance {

enum class UnitKind { neuron, head, channel };

/// "neuron", "head", "channel".
const std::vector<std::string>& unit_kind_names();
UnitKind parse_unit_kind(const std::string& name);

/// All units of a kind, numbered layer by layer. Unit u stands in layer u / per_layer and owns
/// columns [j * width, (j + 1) * width) with j = u % per_layer.
struct Units {
  UnitKind kind = UnitKind::neuron;
  Index layers = 0;
  Index per_layer = 0;
  Index width = 1;

  Units() = default;
  Units(const Network& network, UnitKind unit_kind);

  Index count() const { return layers * per_layer; }
  Index columns() const { return per_layer * width; }  ///< of one layer
  Index layer(Index unit) const { return unit / per_layer; }
  Index index(Index unit) const { return unit % per_layer; }
};

/// A tap that sees the units' values and nothing else, and may take units away.
class UnitTap : public nn::Tap<float> {
 public:
  explicit UnitTap(const Units& units) : units_(units) {}

  const Units& units() const { return units_; }

  /// removed[u]: unit u's values are 0 from now on, and so is their gradient: a pruned model.
  /// Empty: none is.
  void remove(const std::vector<bool>& removed);

  void forward(const nn::TapPoint& point, float* x, Index rows, Index cols) final;
  void backward(const nn::TapPoint& point, float* d_x, Index rows, Index cols) final;
  void residual_forward(Index layer, float* x, Index rows, Index cols) final;
  void residual_backward(Index layer, float* d_x, Index rows, Index cols) final;

 protected:
  /// x [rows, columns]: the units' values of a layer, removed ones at 0; may be changed.
  virtual void values(Index /*layer*/, float* /*x*/, Index /*rows*/) {}
  /// The gradient of the loss with respect to what values() left.
  virtual void gradients(Index /*layer*/, float* /*d_x*/, Index /*rows*/) {}

 private:
  bool concerns(const nn::TapPoint& point) const;
  void clear(Index layer, float* x, Index rows) const;

  Units units_;
  std::vector<std::vector<Index>> off_;  // columns, by layer; empty: none anywhere
};

}  // namespace xfq::importance
