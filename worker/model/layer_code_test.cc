#include "worker/model/layer_code.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/full.h"
#include "ATen/ops/matmul.h"
#include "c10/core/GradMode.h"
#include "c10/util/Exception.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "torch/csrc/jit/runtime/graph_executor.h"
#include "worker/device/testing/test_device.h"
#include "worker/model/test_models.h"
#include "worker/model/testing/script_file.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

constexpr char kAffine[] =
    "def forward(self, x):\n"
    "  return torch.matmul(x, self.weight) + self.bias\n";

ScriptModule Affine() {
  ScriptModule module;
  module.parameters = {{"weight", {4, 6}}, {"bias", {6}}};
  module.code = kAffine;
  return module;
}

const std::vector<LayerCode::Names> kNames = {{"weight"}, {"bias"}};

std::string ErrorOf(const ScriptModule& module) {
  const absl::Status status =
      LayerCode::Load(ScriptFile(module), "my-chain/a.pt").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

TEST(LayerCodeTest, ComputesWithTheTensorsThatItIsGiven) {
  const auto code = LayerCode::Load(ScriptFile(Affine()), "a.pt");
  ASSERT_TRUE(code.ok()) << code.status();
  for (uint64_t seed : {1, 2}) {
    const at::Tensor weight = RandomTensor({4, 6}, seed);
    const at::Tensor bias = RandomTensor({6}, seed + 10);
    const at::Tensor input = RandomTensor({3, 4}, seed + 20);
    EXPECT_TRUE((*code)
                    ->Run(kNames, {weight, bias}, input)
                    .equal(at::matmul(input, weight) + bias));
  }
}

TEST(LayerCodeTest, DifferentiatesByWhatItIsGiven) {
  const auto code = LayerCode::Load(ScriptFile(Affine()), "a.pt").value();
  const at::AutoGradMode grad(true);
  const at::Tensor weight = RandomTensor({4, 6}, 1).requires_grad_();
  const at::Tensor bias = RandomTensor({6}, 2).requires_grad_();
  const at::Tensor input = RandomTensor({3, 4}, 3).requires_grad_();
  code->Run(kNames, {weight, bias}, input).sum().backward();
  EXPECT_TRUE(bias.grad().equal(at::full({6}, 3.0f)));
  EXPECT_TRUE(weight.grad().defined());
  EXPECT_TRUE(input.grad().defined());
}

// A profiling executor would compile the third run anew.
TEST(LayerCodeTest, LaterRunsGiveTheBitsOfTheFirst) {
  ScriptModule module;
  module.parameters = {{"weight", {32, 32}}};
  module.code =
      "def forward(self, x):\n"
      "  y = torch.tanh(x * self.weight) * torch.sigmoid(x + self.weight)\n"
      "  return torch.exp(y) / (y * y + 1.5) - x * 0.3\n";
  const auto code = LayerCode::Load(ScriptFile(module), "a.pt").value();
  EXPECT_FALSE(torch::jit::getProfilingMode());
  const at::AutoGradMode grad(true);
  at::Tensor output, gradient;
  for (int run = 0; run < 5; ++run) {
    const at::Tensor weight = RandomTensor({32, 32}, 1).requires_grad_();
    const at::Tensor made =
        code->Run({{"weight"}}, {weight}, RandomTensor({32, 32}, 2));
    made.sum().backward();
    if (run == 0) {
      output = made.detach();
      gradient = weight.grad();
    }
    EXPECT_TRUE(made.equal(output)) << run;
    EXPECT_TRUE(weight.grad().equal(gradient)) << run;
  }
}

TEST(LayerCodeTest, OneTensorMayHaveSeveralNames) {
  ScriptModule module;
  module.parameters = {{"a", {4}}, {"b", {4}}};
  module.code = "def forward(self, x):\n  return x * self.a + self.b\n";
  const auto code = LayerCode::Load(ScriptFile(module), "a.pt").value();
  const std::vector<LayerCode::Names> names = {{"a", "b"}};
  ASSERT_TRUE(code->CheckParameters(names).ok());
  const at::Tensor both = RandomTensor({4}, 1);
  const at::Tensor input = RandomTensor({2, 4}, 2);
  EXPECT_TRUE(code->Run(names, {both}, input).equal(input * both + both));
}

TEST(LayerCodeTest, AllParametersMustBeNamedAndBeThere) {
  const auto code = LayerCode::Load(ScriptFile(Affine()), "a.pt").value();
  EXPECT_TRUE(code->CheckParameters(kNames).ok());
  EXPECT_THAT(std::string(code->CheckParameters({{"weight"}}).message()),
              HasSubstr("a.pt: it has a parameter bias"));
  EXPECT_THAT(
      std::string(
          code->CheckParameters({{"weight"}, {"bias"}, {"gain"}}).message()),
      HasSubstr("a.pt: it has no parameter gain"));
}

TEST(LayerCodeTest, KeepsNoMemoryOfTheDevice) {
  const auto device = NewTestDevice(int64_t{1} << 20);
  const std::string file = ScriptFile(Affine());
  const int64_t before = device->arena().used_bytes();
  const auto code = LayerCode::Load(file, "a.pt").value();
  EXPECT_EQ(device->arena().used_bytes(), before);
  {
    const at::NoGradGuard no_grad;
    code->Run(kNames, {RandomTensor({4, 6}, 1), RandomTensor({6}, 2)},
              RandomTensor({3, 4}, 3));
  }
  EXPECT_EQ(device->arena().used_bytes(), before);
}

// A worker that has no room cuts a model elsewhere, so it must know.
TEST(LayerCodeTest, ADeviceWithoutRoomIsToldApart) {
  ScriptModule module;
  module.parameters = {{"weight", {4}}};
  module.code =
      "def forward(self, x):\n"
      "  return (x * self.weight).repeat([100000, 4])\n";
  const auto code = LayerCode::Load(ScriptFile(module), "a.pt").value();
  const auto device = NewTestDevice(int64_t{1} << 20);
  const at::Tensor weight = RandomTensor({4}, 1);
  const at::Tensor input = RandomTensor({2, 4}, 2);
  EXPECT_THROW(code->Run({{"weight"}}, {weight}, input), c10::OutOfMemoryError);
}

TEST(LayerCodeTest, WhatIsNoModuleIsRefused) {
  for (const std::string& bytes : {std::string(), std::string("no TorchScript"),
                                   ScriptFile(Affine()).substr(0, 700)}) {
    const absl::Status status = LayerCode::Load(bytes, "a.pt").status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("a.pt: it is no TorchScript module"));
  }
}

TEST(LayerCodeTest, TensorsThatAreNoParametersAreRefused) {
  ScriptModule module = Affine();
  module.buffers = {{"running_mean", {6}}};
  EXPECT_THAT(ErrorOf(module),
              HasSubstr("my-chain/a.pt: the tensor running_mean is no "
                        "parameter"));
}

TEST(LayerCodeTest, CodeThatChangesAnAttributeIsRefused) {
  ScriptModule module = Affine();
  module.numbers = {{"runs", 0}};
  module.lists = {{"seen", {1, 2}}};
  const std::string compute =
      "  return torch.matmul(x, self.weight) + self.bias\n";
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"runs", "def forward(self, x):\n  self.runs += 1\n" + compute},
      // In an inner block of another method.
      {"runs",
       "def count(self):\n"
       "  if self.runs < 3:\n"
       "    for i in range(2):\n"
       "      self.runs = i\n"
       "def forward(self, x):\n"
       "  self.count()\n" +
           compute},
      {"seen", "def forward(self, x):\n  self.seen.append(3)\n" + compute},
      {"seen", "def forward(self, x):\n  self.seen[0] = 3\n" + compute},
      {"weight", "def forward(self, x):\n  self.weight.mul_(2)\n" + compute}};
  for (const auto& [name, code] : changes) {
    module.code = code;
    EXPECT_THAT(ErrorOf(module),
                HasSubstr("my-chain/a.pt: its code changes its attribute " +
                          name + ";"))
        << code;
  }
  // What it only reads, and what it makes and changes itself, are its own.
  module.code =
      "def forward(self, x):\n"
      "  own: List[int] = []\n"
      "  for i in self.seen:\n"
      "    own.append(i + self.runs)\n"
      "  y = torch.matmul(x, self.weight)\n"
      "  y.add_(self.bias)\n"
      "  return y * len(own)\n";
  const auto code = LayerCode::Load(ScriptFile(module), "a.pt");
  EXPECT_TRUE(code.ok()) << code.status();
}

TEST(LayerCodeTest, WhatMayBeLeftOutIsLeftOut) {
  ScriptModule module;
  module.parameters = {{"weight", {4}}};
  module.code =
      "def forward(self, x, factor: float = 2.0, mask: Optional[Tensor] = "
      "None):\n"
      "  return x * self.weight * factor\n";
  const auto code = LayerCode::Load(ScriptFile(module), "a.pt").value();
  const at::Tensor weight = RandomTensor({4}, 1);
  const at::Tensor input = RandomTensor({2, 4}, 2);
  EXPECT_TRUE(
      code->Run({{"weight"}}, {weight}, input).equal(input * weight * 2.0));
}

TEST(LayerCodeTest, AnotherForwardIsRefused) {
  ScriptModule module = Affine();
  module.code = "def forward(self, x, y):\n  return x + y\n";
  EXPECT_THAT(ErrorOf(module), HasSubstr("no forward of one argument"));
  module.code = "def other(self, x):\n  return x\n";
  EXPECT_THAT(ErrorOf(module), HasSubstr("no forward of one argument"));
}

}  // namespace
}  // namespace hydra
