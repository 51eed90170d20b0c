// Token-to-token tasks with known answers, for Transformers as maps of sequences.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xfq/core/matrix.h"
#include "xfq/core/random.h"

namespace xfq::experiments::approx {

/// The names of --task:
///   reverse  y_t = x_{T-1-t}
///   sort     y = x in increasing order
///   sum      y_t = (x_0 + ... + x_t) mod symbols
///   parity   the same with bits, mod 2
///   copy     y_t = x_{(t - 2) mod T}: copy with an offset
///   recall   key, value, key, value, ..., key: the value that went with the last key
///            (associative recall); only the last position is asked
///   count    y_t = how many other tokens equal x_t: the one task that commutes with
///            every permutation of the positions
const std::vector<std::string>& task_names();

struct TaskConfig {
  std::string task;
  Index length = 8;   ///< T; recall takes an odd number, one less if need be
  Index symbols = 6;  ///< values of a token; recall has as many keys and as many values

  Index time() const;
  Index vocab() const;
  Index asked_per_sequence() const;  ///< positions with a target
};

/// `batch` sequences: tokens and targets [batch * T], -1 where nothing is asked.
struct TaskBatch {
  std::vector<std::int32_t> tokens, targets;
};
TaskBatch draw_task(const TaskConfig& config, Index batch, Stream& stream);

}  // namespace xfq::experiments::approx
