// client/python/hydrad/export.py: what it exports is trained by real programs,
// and opens again. Skipped where no Python has torch and safetensors.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"
#include "tests/e2e/cluster.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

class PythonExportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (Run({"-c", "import torch, safetensors.torch"}).code != 0) {
      GTEST_SKIP() << "HYDRA_TEST_PYTHON names no Python with torch and "
                      "safetensors";
    }
  }

  static ProgramResult Run(const std::vector<std::string>& arguments) {
    const char* const python = std::getenv("HYDRA_TEST_PYTHON");
    std::vector<std::string> command = {
        "/usr/bin/env",
        "PYTHONPATH=client/python",
        "PYTHONDONTWRITEBYTECODE=1",
        "OMP_NUM_THREADS=1",
        python == nullptr || *python == '\0' ? "/usr/bin/python3" : python,
        "-W",
        "ignore"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return RunProgram(command);
  }
};

TEST_F(PythonExportTest, ItsOwnTestsPass) {
  const ProgramResult tests = Run({"-m", "unittest", "hydrad.export_test"});
  EXPECT_EQ(tests.code, 0) << tests.output;
}

// What its trained directory makes of the test images, counted by PyTorch.
constexpr char kCount[] =
    "import sys\n"
    "from hydrad.export import load\n"
    "from safetensors.torch import load_file\n"
    "digits = load_file(sys.argv[2])\n"
    "logits = load(sys.argv[1])(digits['pixels'].float() / 255)\n"
    "print('right', int((logits.argmax(1) == digits['labels']).sum()))\n";

TEST_F(PythonExportTest, WhatItExportsIsTrainedAndOpensAgain) {
  // Bazel's own files are links, which lead out of the folder.
  const std::string example = FreshDirectory() + "/mlp_digits";
  std::filesystem::copy("examples/mlp_digits", example,
                        std::filesystem::copy_options::recursive);
  const std::string model = FreshDirectory() + "/mine";
  const ProgramResult exported = Run(
      {"-m", "hydrad.export", example + "/model.py:build", "--example-batch",
       example + "/data/train.safetensors", "--seed", "5", "--out", model});
  ASSERT_EQ(exported.code, 0) << exported.output;

  Cluster::Options options;
  options.settings.push_back("allow_exported_chains=true");
  Cluster cluster(options);
  v1::JobSpec spec;
  spec.set_name("mine");
  spec.mutable_model()->set_path(model);
  spec.mutable_data()->set_format(v1::DATA_FORMAT_TENSORS);
  spec.mutable_data()->add_train_files(example + "/data/train.safetensors");
  spec.mutable_data()->add_test_files(example + "/data/test.safetensors");
  v1::TrainSpec& train = *spec.mutable_train();
  train.set_max_steps(100);
  train.set_per_device_train_batch_size(32);
  train.set_learning_rate(3e-3);
  const v1::JobDetail job = cluster.Run(spec);
  ASSERT_EQ(job.status().state(), v1::JOB_STATE_COMPLETED)
      << job.status().reason();
  EXPECT_GT(job.status().test_accuracy(), 0.8);

  const ProgramResult counted = Run(
      {"-c", kCount, job.output_path(), example + "/data/test.safetensors"});
  ASSERT_EQ(counted.code, 0) << counted.output;
  int right = 0;
  ASSERT_TRUE(absl::SimpleAtoi(
      counted.output.substr(counted.output.rfind(' ') + 1), &right))
      << counted.output;
  // Of 300; where two classes are as likely, roundings decide.
  EXPECT_NEAR(right, job.status().test_accuracy() * 300, 1.5);
}

}  // namespace
}  // namespace hydra
