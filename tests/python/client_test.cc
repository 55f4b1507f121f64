// client/python/hydrad: its stubs are those of the protos, its own tests pass,
// and it works against real programs. By Debian's Python.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/small_job.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr char kPackage[] = "client/python";

std::string Read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file),
          std::istreambuf_iterator<char>()};
}

constexpr char kDebiansPython[] = "/usr/bin/python3";

ProgramResult RunPython(const std::vector<std::string>& arguments,
                        const std::string& path = kPackage,
                        const std::string& python = kDebiansPython) {
  std::vector<std::string> command = {"/usr/bin/env",
                                      absl::StrCat("PYTHONPATH=", path),
                                      "PYTHONDONTWRITEBYTECODE=1",
                                      // Sockets' paths are short.
                                      "TMPDIR=/tmp", python};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return RunProgram(command);
}

TEST(PythonClientTest, ItsStubsAreThoseOfTheProtos) {
  const std::string made = FreshDirectory();
  const ProgramResult result =
      RunProgram({absl::StrCat(kPackage, "/make_stubs.sh"), made});
  ASSERT_EQ(result.code, 0) << result.output;
  int stubs = 0;
  for (const auto& entry : fs::recursive_directory_iterator(made)) {
    if (!entry.is_regular_file()) continue;
    ++stubs;
    const fs::path name = fs::relative(entry.path(), made);
    EXPECT_EQ(Read(kPackage / name), Read(entry.path()))
        << name << ": run client/python/make_stubs.sh";
  }
  // Four files of hydra.v1, one with services, and two of google.rpc.
  EXPECT_GE(stubs, 4 * 2 + 1 + 2 * 2);
}

TEST(PythonClientTest, ItsOwnTestsPass) {
  const ProgramResult tests =
      RunPython({"-m", "unittest", "hydrad.client_test", "hydrad.track_test"});
  EXPECT_EQ(tests.code, 0) << tests.output;
}

// With newer libraries, if it has them.
TEST(PythonClientTest, ItsOwnTestsPassWithTheOtherPython) {
  const char* const python = std::getenv("HYDRA_TEST_PYTHON");
  if (python == nullptr ||
      RunPython({"-c", "import grpc"}, kPackage, python).code != 0) {
    GTEST_SKIP() << "HYDRA_TEST_PYTHON names no Python with grpcio";
  }
  const ProgramResult tests =
      RunPython({"-m", "unittest", "hydrad.client_test", "hydrad.track_test"},
                kPackage, python);
  EXPECT_EQ(tests.code, 0) << tests.output;
}

TEST(PythonClientTest, ItIsInstalledWithAllThatItNeeds) {
  if (RunPython({"-c", "import pip, setuptools, wheel"}).code != 0) {
    GTEST_SKIP() << "Debian's python3-pip is not installed";
  }
  // Bazel's own files are links, and building leaves files.
  const std::string scratch = FreshDirectory();
  const std::string source = scratch + "/source";
  for (const auto& entry : fs::recursive_directory_iterator(kPackage)) {
    if (entry.is_directory()) continue;
    const fs::path copy = source / fs::relative(entry.path(), kPackage);
    fs::create_directories(copy.parent_path());
    std::ofstream(copy, std::ios::binary) << Read(entry.path());
  }
  const std::string installed = scratch + "/installed";
  const ProgramResult pip = RunPython(
      {"-m", "pip", "install", "--no-build-isolation", "--no-deps",
       "--no-index", "--no-cache-dir", "--target", installed, source});
  ASSERT_EQ(pip.code, 0) << pip.output;
  for (const char* name : {"py.typed", "v1/hydra_pb2.pyi", "export.py"}) {
    EXPECT_TRUE(fs::exists(absl::StrCat(installed, "/hydrad/", name))) << name;
  }
  // It takes no name that is hydra-core's.
  EXPECT_FALSE(fs::exists(installed + "/hydra"));
  const ProgramResult used = RunPython(
      {"-c", "import hydrad; hydrad.Client('localhost:1').close()"}, installed);
  EXPECT_EQ(used.code, 0) << used.output;
}

class PythonE2eTest : public ::testing::Test {
 protected:
  const std::string folder_ = FreshDirectory();
  const SmallJobFiles files_ = MakeSmallJobFiles(folder_);
  Cluster cluster_{{}};
};

TEST_F(PythonE2eTest, TheClientWorksAgainstRealPrograms) {
  const ProgramResult result = RunPython(
      {"tests/python/client_e2e.py", cluster_.address(), files_.tiny_model,
       files_.train_tokens, files_.validation_tokens, folder_});
  EXPECT_EQ(result.code, 0) << result.output << Read(cluster_.log_path());
}

TEST_F(PythonE2eTest, AJobFileIsTheSameJobAsFromTheCommandLine) {
  const std::string path = folder_ + "/job.yaml";
  std::ofstream(path) << absl::StrCat(
      "name: same\n"
      "model: {path: ",
      fs::path(files_.tiny_model).lexically_relative(folder_).string(),
      "}\n"
      "data:\n"
      "  train_files: ",
      files_.train_tokens,
      "\n"
      "  format: tokens_u16\n"
      "train: {max_steps: 1, per_device_train_batch_size: 2,\n"
      "        context_length: 16, learning_rate: 3e-4}\n"
      "sweep: {grid: {train.seed: [1, 2]}}\n");
  const ProgramResult by_command =
      RunProgram({"client/hydra", "--server", cluster_.address(), "submit",
                  "-o", "id", path});
  ASSERT_EQ(by_command.code, 0) << by_command.output;
  EXPECT_THAT(by_command.output, HasSubstr("s1\nj1\nj2\n"));
  const ProgramResult by_python = RunPython(
      {"-c",
       "import sys, hydrad\n"
       "with hydrad.Client(sys.argv[1]) as client:\n"
       "    print(*(job.id for job in client.submit(sys.argv[2]).jobs))\n",
       cluster_.address(), path});
  ASSERT_EQ(by_python.code, 0) << by_python.output;
  EXPECT_THAT(by_python.output, HasSubstr("j3 j4\n"));
  for (const auto& [one, other] :
       {std::pair("j1", "j3"), std::pair("j2", "j4")}) {
    EXPECT_EQ(cluster_.Job(one).spec().SerializeAsString(),
              cluster_.Job(other).spec().SerializeAsString());
  }
  EXPECT_EQ(cluster_.Job("j3").spec().model().path(), files_.tiny_model);
}

}  // namespace
}  // namespace hydra
