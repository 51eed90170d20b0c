// All parameters of a model live in one flat array; a layout says which tensor
// stands where. Gradients and optimiser moments are arrays of the same layout,
// so that norms, updates, checkpoints and copies are plain loops.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xfq/core/matrix.h"

namespace xfq::nn {

/// How a tensor starts: zeros, ones, or normal with this standard deviation.
struct Init {
  enum class Kind { zeros, ones, normal };
  Kind kind = Kind::zeros;
  double standard_deviation = 0;

  static Init zeros() { return {Kind::zeros, 0}; }
  static Init ones() { return {Kind::ones, 0}; }
  static Init normal(double sd) { return {Kind::normal, sd}; }
};

struct ParameterInfo {
  std::string name;
  Index rows = 0;
  Index cols = 0;  ///< 1-D tensors are [1, cols]
  Index offset = 0;
  bool vector = false;  ///< a 1-D tensor: biases and normalisation weights, never decayed
  Init init;

  Index size() const { return rows * cols; }
};

class ParameterLayout {
 public:
  /// Adds a [rows, cols] tensor and returns its offset. Tensors start at
  /// multiples of 16 elements; the gaps are always 0.
  Index add_matrix(std::string name, Index rows, Index cols, Init init);
  Index add_vector(std::string name, Index size, Init init);

  /// Elements of the flat array, gaps included.
  Index size() const { return size_; }
  /// Parameters proper, gaps excluded.
  Index count() const;
  const std::vector<ParameterInfo>& tensors() const { return tensors_; }
  /// nullptr when there is none.
  const ParameterInfo* find(const std::string& name) const;

 private:
  Index add(ParameterInfo info);

  Index size_ = 0;
  std::vector<ParameterInfo> tensors_;
};

/// A flat array of a layout's size, zeroed.
template <class S>
Vector<S> make_parameters(const ParameterLayout& layout) {
  return Vector<S>::Zero(layout.size());
}

/// Draws initial values from the streams (seed, "init/" + name); the value of a
/// tensor depends on its name and shape alone, not on the rest of the model.
template <class S>
void initialise(const ParameterLayout& layout, std::uint64_t seed, Vector<S>& parameters);

}  // namespace xfq::nn
