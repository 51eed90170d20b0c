// Numbers of one seed, and over seeds, that metrics, tables, claims and answer share.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "record.h"
#include "xfq/stats/intervals.h"

namespace xfq::experiments::neuron_importance {

using Number = std::optional<double>;
using OfSeed = std::function<Number(const Judged&)>;

/// A number of every seed; empty when a seed has none.
std::vector<double> collect(const std::vector<Judged>& seeds, const OfSeed& of);
stats::Estimate estimate(const std::vector<Judged>& seeds, const OfSeed& of);
Number rho(const Judged& seed, const std::string& score, const std::string& oracle,
           const std::string& measure, importance::Arrangement arrangement);
Number difference(const Number& a, const Number& b);
Number area(const std::vector<CurveRow>& rows, const std::string& score,
            const std::string& normalise, const std::string& order);
std::vector<double> random_areas(const SeedResult& seed);
double mean_of(const std::vector<double>& values);
/// Share of the random orders whose area is larger than the score's; equal ones count half.
Number share_beaten(const SeedResult& seed, const std::string& score, const std::string& normalise);
/// Loss after fine-tuning.
Number finetuned(const SeedResult& seed, const std::string& score);
Number reliability(const Judged& seed, const Ablated& ablated, const std::string& measure);
/// Share of units for which `holds`.
double share(const Ablated& ablated, const std::function<bool(const importance::Effect&)>& holds);
bool better_without(const importance::Effect& effect);
bool surely_better_without(const importance::Effect& effect);
Number entropy_number(const Judged& seed, const std::string& values, const std::string& range,
                      std::int64_t bins, Number EntropyAgreement::*number);

}  // namespace xfq::experiments::neuron_importance
