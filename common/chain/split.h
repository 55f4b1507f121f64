#ifndef HYDRA_COMMON_CHAIN_SPLIT_H_
#define HYDRA_COMMON_CHAIN_SPLIT_H_

#include "hydra/v1/status.pb.h"
#include "hydra/worker/v1/worker.pb.h"

namespace hydra {

// As clients are shown it, such as "validation". Empty for no split.
inline const char* SplitName(worker::v1::Split split) {
  switch (split) {
    case worker::v1::SPLIT_TRAIN:
      return "train";
    case worker::v1::SPLIT_VALIDATION:
      return "validation";
    case worker::v1::SPLIT_TEST:
      return "test";
    case worker::v1::SPLIT_UNSPECIFIED:
    case worker::v1::Split_INT_MIN_SENTINEL_DO_NOT_USE_:
    case worker::v1::Split_INT_MAX_SENTINEL_DO_NOT_USE_:
      break;
  }
  return "";
}

// The split that was evaluated. SPLIT_UNSPECIFIED if its name is of no split.
inline worker::v1::Split SplitOf(const v1::EvaluationMetrics& metrics) {
  for (worker::v1::Split split :
       {worker::v1::SPLIT_VALIDATION, worker::v1::SPLIT_TEST}) {
    if (metrics.split() == SplitName(split)) return split;
  }
  return worker::v1::SPLIT_UNSPECIFIED;
}

}  // namespace hydra

#endif  // HYDRA_COMMON_CHAIN_SPLIT_H_
