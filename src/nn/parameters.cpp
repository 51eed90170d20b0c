#include "xfq/nn/parameters.h"

#include "xfq/core/error.h"
#include "xfq/core/random.h"

namespace xfq::nn {

namespace {
constexpr Index kAlignment = 16;
}

Index ParameterLayout::add(ParameterInfo info) {
  XFQ_ASSERT(find(info.name) == nullptr);
  info.offset = size_;
  size_ += (info.size() + kAlignment - 1) / kAlignment * kAlignment;
  tensors_.push_back(std::move(info));
  return tensors_.back().offset;
}

Index ParameterLayout::add_matrix(std::string name, Index rows, Index cols, Init init) {
  return add({std::move(name), rows, cols, 0, false, init});
}

Index ParameterLayout::add_vector(std::string name, Index size, Init init) {
  return add({std::move(name), 1, size, 0, true, init});
}

Index ParameterLayout::count() const {
  Index total = 0;
  for (const ParameterInfo& tensor : tensors_) total += tensor.size();
  return total;
}

const ParameterInfo* ParameterLayout::find(const std::string& name) const {
  for (const ParameterInfo& tensor : tensors_) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

template <class S>
void initialise(const ParameterLayout& layout, std::uint64_t seed, Vector<S>& parameters) {
  parameters.setZero(layout.size());
  for (const ParameterInfo& tensor : layout.tensors()) {
    auto values = parameters.segment(tensor.offset, tensor.size());
    if (tensor.init.kind == Init::Kind::ones) values.setOnes();
    if (tensor.init.kind != Init::Kind::normal) continue;
    Stream stream(seed, "init/" + tensor.name);
    for (S& value : values) {
      value = static_cast<S>(tensor.init.standard_deviation * stream.normal());
    }
  }
}

template void initialise<float>(const ParameterLayout&, std::uint64_t, Vector<float>&);
template void initialise<double>(const ParameterLayout&, std::uint64_t, Vector<double>&);

}  // namespace xfq::nn
