// The largest block of memory that the program asked for since the last reset.
#pragma once

#include <cstddef>

void reset_largest_allocation();
std::size_t largest_allocation();
