// How the quantized products of a model are computed: `fake`, codes as floats in the fp32
// kernels, or `integer`, codes as 8-bit integers with 32-bit sums (xfq/kernels/int8.h).
//
// Both compute the same, and give the same bits:
//   sum[i,o] = sum_p (a[i,p] - z_i) (w[p,o] - z_o)     integers
//   y[i,o]   = (step_i * step_o) * float(sum[i,o]) + bias[o]
// In `fake` the centred codes are floats. Their products and sums stay below 2^24 in magnitude
// as long as K * max|a - z| * max|w - z| <= 2^24 (K <= 1040 at 8 bits symmetric), where fp32 is
// exact in any order; longer sums are cut into pieces of that depth, which are added as
// integers. So the test of equality is ==.
//
// Against rounding operands and multiplying floats the difference is the rounding of that float
// product alone.
#pragma once

#include <string>

#include "xfq/quant/plan.h"

namespace xfq::quant {

enum class Execution { fake, integer };

/// "fake" | "int"; throws ErrorKind::usage naming --execute.
Execution parse_execution(const std::string& word);
std::string to_string(Execution execution);

/// Why a product cannot run on integer codes, as "got, expected"; empty when it can, or when
/// nothing of it is quantized.
std::string integer_refusal(const SitePlan& site);
/// Of the first product with one; empty when the whole plan can run.
std::string integer_refusal(const Plan& plan);

/// The longest sum of products of centred codes that fp32 holds exactly.
Index exact_depth(const NumberFormat& activation, const NumberFormat& weight);

}  // namespace xfq::quant
