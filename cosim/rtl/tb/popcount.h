// Included before a core's model: counts bits by the processor's own instruction, where it has one.
#pragma once

#include "verilated.h"

#define VL_COUNTONES_Q(word) static_cast<IData>(__builtin_popcountll(word))
