#include "scheduler/daemon/cpu_model.h"

#include <gtest/gtest.h>

namespace hydra {
namespace {

TEST(CpuModelTest, IsTheFirstModelName) {
  EXPECT_EQ(CpuModelIn("processor\t: 0\nmodel\t\t: 1\nmodel name\t: A CPU: 2 "
                       "GHz \n\nprocessor\t: 1\nmodel name\t: Another\n"),
            "A CPU: 2 GHz");
}

TEST(CpuModelTest, IsEmptyWhereTheKernelSaysNone) {
  EXPECT_EQ(CpuModelIn("processor\t: 0\nBogoMIPS\t: 50.00\n"), "");
  EXPECT_EQ(CpuModelIn(""), "");
}

}  // namespace
}  // namespace hydra
