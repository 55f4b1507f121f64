#include "worker/device/cuda/load_cuda_module.h"

#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

absl::StatusOr<const CudaModule*> LoadFake(const std::string& name) {
  return LoadCudaModule("worker/device/cuda/testing/lib" + name + "_module.so");
}

TEST(LoadCudaModuleTest, LoadsOneOfTheSameBuild) {
  const auto module = LoadFake("same");
  ASSERT_TRUE(module.ok()) << module.status();
  EXPECT_EQ((*module)->format, kCudaModuleFormat);
}

TEST(LoadCudaModuleTest, RefusesOneOfAnotherBuild) {
  for (const char* name : {"newer", "empty"}) {
    const absl::Status refused = LoadFake(name).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(refused.message(), HasSubstr("not of the same build"));
  }
}

TEST(LoadCudaModuleTest, SaysWhatToDoWithoutOne) {
  const absl::Status refused =
      LoadCudaModule("/nowhere/libhydra_cuda.so").status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused.message(), HasSubstr("no /nowhere/libhydra_cuda.so"));
  EXPECT_THAT(refused.message(), HasSubstr("deploy/build.sh"));
}

TEST(LoadCudaModuleTest, SaysWhatCannotBeLoaded) {
  const std::string path = testing::TempDir() + "/libhydra_cuda.so";
  std::ofstream(path) << "no library";
  const absl::Status refused = LoadCudaModule(path).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused.message(), HasSubstr("cannot load " + path));
  EXPECT_THAT(refused.message(), HasSubstr("LIBTORCH_ROOT"));
}

TEST(LoadCudaModuleTest, LooksBesideTheProgram) {
  EXPECT_THAT(CudaModulePath(), EndsWith("/cuda/libhydra_cuda.so"));
}

}  // namespace
}  // namespace hydra
