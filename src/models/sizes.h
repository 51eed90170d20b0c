// What the decoder and the encoder check and list in the same way.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "xfq/models/decoder.h"

namespace xfq::models {

/// Throws ErrorKind::usage naming the size that does not fit.
void check_sizes(Index layers, Index dim, Index heads, Index context, Index vocab);

/// The four matrix products of a block: qkv, context, up, down.
void append_block_linears(const nn::Block& block, Index layer,
                          const std::array<std::string, 4>& names, std::vector<LinearSite>& sites);

}  // namespace xfq::models
