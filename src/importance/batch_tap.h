// A tap that knows which batch it sees, and in which half of the data a row stands.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "xfq/importance/statistics.h"

namespace xfq::importance {

class BatchTap : public UnitTap {
 public:
  using UnitTap::UnitTap;

  /// first_sequence: number of the batch's first sequence in all the data.
  void start(const Batch& batch, Index first_sequence) {
    batch_ = &batch;
    first_sequence_ = first_sequence;
  }

 protected:
  const Batch& batch() const { return *batch_; }
  /// Sequences alternate between the halves.
  int half(Index sequence) const { return static_cast<int>((first_sequence_ + sequence) % 2); }

 private:
  const Batch* batch_ = nullptr;
  Index first_sequence_ = 0;
};

/// Buffers for the largest of the batches.
inline std::unique_ptr<Pass> make_pass(const Network& network, const std::vector<Batch>& batches) {
  Index batch = 0, time = 0;
  for (const Batch& b : batches) {
    batch = std::max(batch, b.batch);
    time = std::max(time, b.time);
  }
  return network.make_pass(batch, time);
}

/// visit(number, batch, number of its first sequence), with the stop check before each.
template <class Visit>
void for_each(const std::vector<Batch>& batches, const StopCheck& stop, const Visit& visit) {
  Index sequence = 0;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    if (stop) stop();
    visit(i, batches[i], sequence);
    sequence += batches[i].batch;
  }
}

}  // namespace xfq::importance
