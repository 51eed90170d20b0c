// The algebra behind the sentence-pair head, checked number by number.
#pragma once

#include <vector>

namespace xfq::experiments::nsp {

/// Largest |softmax of (z0, z1) at 1 - sigmoid(z1 - z0)| over a grid of logits in -8..8.
double softmax_sigmoid_error();

/// Largest |(p - y) - central difference of the cross-entropy| over the same grid, both
/// labels and both logits, in double.
double gradient_error();

/// The bias that minimises the mean cross-entropy of sigmoid(log_odds + bias): Newton's
/// method on one number. labels: true for the positive class; both must occur.
double fitted_bias(const std::vector<double>& log_odds, const std::vector<bool>& labels);

/// ln(p / (1 - p)).
double logit(double p);

/// Entropy of a coin that shows heads with probability p, in nats: the cross-entropy of a
/// classifier without skill.
double coin_entropy(double p);

/// Mean cross-entropy of sigmoid(log_odds), in nats.
double cross_entropy(const std::vector<double>& log_odds, const std::vector<bool>& labels);

double sigmoid(double log_odds);

}  // namespace xfq::experiments::nsp
