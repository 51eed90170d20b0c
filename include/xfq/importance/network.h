// A trained decoder or encoder as the scores see it: blocks, a residual stream, and a loss per
// predicted token. It hides where the two models differ: what is embedded, which tokens are
// predicted, and what stands above the last block.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "xfq/models/decoder.h"
#include "xfq/models/encoder.h"
#include "xfq/nn/block.h"
#include "xfq/nn/loss.h"
#include "xfq/nn/tap.h"

namespace xfq::importance {

/// B sequences of T tokens; padding stands at their ends.
struct Batch {
  Index batch = 0;
  Index time = 0;
  std::vector<std::int32_t> inputs;    ///< [B*T]
  std::vector<std::int32_t> targets;   ///< [B*T], < 0: not predicted
  std::vector<std::int32_t> segments;  ///< [B*T], encoder only
  std::vector<std::int32_t> lengths;   ///< [B], tokens that are not padding

  Index rows() const { return batch * time; }
  bool padding(Index row) const {
    return row % time >= lengths[static_cast<std::size_t>(row / time)];
  }
};

/// The buffers of one model for one batch at a time.
class Pass {
 public:
  virtual ~Pass() = default;

  /// Runs the model; logits() holds the predictions.
  virtual void forward(const float* parameters, const Batch& batch,
                       nn::Tap<float>* tap = nullptr) = 0;
  /// The same from block `layer` on, which reads residual(layer) as the caller left it. The batch
  /// is that of the last forward() of this or another pass.
  virtual void forward_from(Index layer, const float* parameters, const Batch& batch,
                            nn::Tap<float>* tap = nullptr) = 0;
  /// Forward, then the gradient of the sum of the losses; the tap sees activations and their
  /// gradients. `gradients` (of the layout) is accumulated.
  virtual nn::Loss forward_backward(const float* parameters, const Batch& batch, float* gradients,
                                    nn::Tap<float>* tap = nullptr) = 0;
  /// Of what forward() left.
  virtual nn::Loss loss(const Batch& batch) = 0;

  /// [B*T, dim]: the input of block `layer`; layer = blocks: the output of the last one.
  virtual float* residual(Index layer) = 0;
  virtual const nn::BlockCache<float>& cache(Index layer) const = 0;
  /// [rows, vocab], one row per prediction; see Network::logit_rows.
  virtual const float* logits() const = 0;
};

class Network {
 public:
  virtual ~Network() = default;

  virtual const std::vector<nn::Block>& blocks() const = 0;
  virtual const nn::ParameterLayout& layout() const = 0;
  virtual Index vocab() const = 0;
  /// Memory for batches of at most batch x time tokens.
  virtual std::unique_ptr<Pass> make_pass(Index batch, Index time) const = 0;
  /// For every row of the logits the row of the batch it belongs to; a row whose target is < 0 is
  /// not a prediction.
  virtual std::vector<Index> logit_rows(const Batch& batch) const = 0;
  /// The sum of |w| over the weights that read channel `channel` of block `layer`'s output, with
  /// the gain of the LayerNorm before them.
  virtual double reading_weight(const float* parameters, Index layer, Index channel) const = 0;

  Index layers() const { return static_cast<Index>(blocks().size()); }
  Index dim() const { return blocks()[0].config().dim; }
  Index heads() const { return blocks()[0].config().heads; }
  Index hidden() const { return blocks()[0].config().hidden; }
};

/// The model must outlive the network.
std::unique_ptr<Network> make_network(const models::Decoder& decoder);
/// Its masked-language head is used, the pair head is not.
std::unique_ptr<Network> make_network(const models::Encoder& encoder);

}  // namespace xfq::importance
