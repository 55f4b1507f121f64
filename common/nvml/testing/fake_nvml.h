#ifndef HYDRA_COMMON_NVML_TESTING_FAKE_NVML_H_
#define HYDRA_COMMON_NVML_TESTING_FAKE_NVML_H_

#include <map>
#include <string>

#include "common/nvml/nvml_table.h"

namespace hydra {

// NVML as tests want it. Not thread-safe while it is changed.
struct FakeNvml {
  struct Gpu {
    std::string name = "Fake GPU";
    std::string uuid;
    unsigned use_percent = 0;
    NvmlMemory memory;
    unsigned milliwatts = 0;
    unsigned long long millijoules = 0;  // NOLINT(runtime/int)
    bool counts_energy = true;
  };
  // What every call returns, unless it is 0.
  int refusal = 0;
  // By place on the bus.
  std::map<std::string, Gpu> gpus;
  // How often it was opened and not closed.
  int open = 0;
};

// The only one, since NVML's functions know of no other.
FakeNvml& TheFakeNvml();

// Functions that answer from it.
NvmlTable FakeNvmlTable();

}  // namespace hydra

#endif  // HYDRA_COMMON_NVML_TESTING_FAKE_NVML_H_
