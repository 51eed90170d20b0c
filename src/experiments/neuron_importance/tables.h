// The tables of the record; those of single units are the first seed's.
#pragma once

#include <vector>

#include "claims.h"
#include "record.h"

namespace xfq::experiments::neuron_importance {

std::vector<Table> make_tables(const std::vector<Judged>& seeds,
                               const std::vector<stats::JudgedTest>& shapes);

}  // namespace xfq::experiments::neuron_importance
