#include "sizes.h"

#include <fmt/core.h>

#include <utility>

#include "xfq/core/error.h"

namespace xfq::models {

void check_sizes(Index layers, Index dim, Index heads, Index context, Index vocab) {
  for (const auto& [name, size] : {std::pair<const char*, Index>{"layers", layers},
                                   {"dim", dim},
                                   {"heads", heads},
                                   {"context", context},
                                   {"vocab", vocab}}) {
    if (size < 1) throw_usage(fmt::format("{}: got {}, expected at least 1", name, size));
  }
  if (dim % heads != 0) {
    throw_usage(fmt::format("dim: got {}, expected a multiple of heads = {}", dim, heads));
  }
}

void append_block_linears(const nn::Block& block, Index layer,
                          const std::array<std::string, 4>& names, std::vector<LinearSite>& sites) {
  const nn::Linear* linears[] = {&block.qkv(), &block.context(), &block.up(), &block.down()};
  const nn::Site inputs[] = {nn::Site::attention_input, nn::Site::attention_context,
                             nn::Site::mlp_input, nn::Site::mlp_hidden};
  for (std::size_t i = 0; i < names.size(); ++i) {
    sites.push_back({names[i],
                     {inputs[i], layer},
                     linears[i]->weight,
                     linears[i]->in,
                     linears[i]->out,
                     false,
                     linears[i]->bias});
  }
}

}  // namespace xfq::models
