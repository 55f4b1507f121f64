#include "common/model/optimizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "google/protobuf/descriptor.h"

namespace hydra {
namespace {

using hydra::v1::Optimizer;
using hydra::v1::TrainSpec;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TrainSpec Spec(Optimizer optimizer, double momentum = 0) {
  TrainSpec train;
  train.set_optim(optimizer);
  train.set_momentum(momentum);
  return train;
}

// A value of the enum that the table does not have would be accepted in a job
// file and trained as nobody meant it.
TEST(OptimizerTest, EveryOptimizerOfTheProtoIsInTheTable) {
  const auto& values = *hydra::v1::Optimizer_descriptor();
  for (int i = 0; i < values.value_count(); ++i) {
    const auto optimizer = static_cast<Optimizer>(values.value(i)->number());
    EXPECT_EQ(FindOptimizer(optimizer) != nullptr,
              optimizer != hydra::v1::OPTIMIZER_UNSPECIFIED)
        << values.value(i)->name();
  }
}

TEST(OptimizerTest, TheFieldsOfTheTableAreNumbersOfTheTrainSpec) {
  const auto& values = *hydra::v1::Optimizer_descriptor();
  for (int i = 1; i < values.value_count(); ++i) {
    const auto optimizer = static_cast<Optimizer>(values.value(i)->number());
    for (const OptimizerField& field : FindOptimizer(optimizer)->fields) {
      const auto* found =
          TrainSpec::descriptor()->FindFieldByName(std::string(field.name));
      ASSERT_NE(found, nullptr) << field.name;
      EXPECT_EQ(found->cpp_type(),
                google::protobuf::FieldDescriptor::CPPTYPE_DOUBLE);
    }
  }
}

TEST(OptimizerTest, KeepsTheMomentsThatPyTorchKeeps) {
  EXPECT_THAT(MomentsOf(Spec(hydra::v1::OPTIMIZER_ADAM)),
              ElementsAre("exp_avg", "exp_avg_sq"));
  EXPECT_THAT(MomentsOf(Spec(hydra::v1::OPTIMIZER_ADAMW)),
              ElementsAre("exp_avg", "exp_avg_sq"));
  EXPECT_THAT(MomentsOf(Spec(hydra::v1::OPTIMIZER_SGD)), IsEmpty());
  EXPECT_THAT(MomentsOf(Spec(hydra::v1::OPTIMIZER_SGD, 0.9)),
              ElementsAre("momentum_buffer"));
  EXPECT_THAT(MomentsOf(Spec(hydra::v1::OPTIMIZER_LION)),
              ElementsAre("exp_avg"));
  EXPECT_EQ(OptimizerStateFactor(Spec(hydra::v1::OPTIMIZER_ADAMW)), 2);
  EXPECT_EQ(OptimizerStateFactor(Spec(hydra::v1::OPTIMIZER_LION)), 1);
}

TEST(OptimizerTest, AdafactorKeepsNoMomentOfEachParameter) {
  EXPECT_TRUE(FactorsMoments(Spec(hydra::v1::OPTIMIZER_ADAFACTOR)));
  EXPECT_THAT(MomentsOf(Spec(hydra::v1::OPTIMIZER_ADAFACTOR)), IsEmpty());
  EXPECT_EQ(OptimizerStateFactor(Spec(hydra::v1::OPTIMIZER_ADAFACTOR)), 0);
  EXPECT_FALSE(FactorsMoments(Spec(hydra::v1::OPTIMIZER_SGD)));
  EXPECT_FALSE(FactorsMoments(Spec(static_cast<Optimizer>(77))));
}

TEST(OptimizerTest, WhatIsNoOptimizerIsNotTakenForOne) {
  const auto unknown = static_cast<Optimizer>(77);
  EXPECT_EQ(FindOptimizer(unknown), nullptr);
  EXPECT_THAT(MomentsOf(Spec(unknown, 0.9)), IsEmpty());
  EXPECT_FALSE(ReadsField(unknown, "momentum"));
}

TEST(OptimizerTest, KnowsWhoReadsAField) {
  EXPECT_THAT(OptimizersThatRead("momentum"), ElementsAre("sgd"));
  EXPECT_THAT(OptimizersThatRead("adam_beta1"),
              ElementsAre("adam", "adamw", "lion"));
  EXPECT_THAT(OptimizersThatRead("adam_epsilon"), ElementsAre("adam", "adamw"));
  EXPECT_TRUE(ReadsField(hydra::v1::OPTIMIZER_SGD, "momentum"));
  EXPECT_FALSE(ReadsField(hydra::v1::OPTIMIZER_ADAMW, "momentum"));
}

TEST(OptimizerTest, DefaultsFillWhatIsNotSet) {
  TrainSpec train;
  train.set_learning_rate(0.5);
  FillOptimizerDefaults(train);
  const Hyperparameters h = At(train, /*step=*/3, /*total_steps=*/10);
  EXPECT_EQ(h.optimizer, hydra::v1::OPTIMIZER_ADAMW);
  EXPECT_EQ(h.learning_rate, 0.5);
  EXPECT_EQ(h.beta1, 0.9);
  EXPECT_EQ(h.beta2, 0.999);
  EXPECT_EQ(h.epsilon, 1e-8);
  EXPECT_EQ(h.momentum, 0);
}

// One field has one default, whatever the optimizer.
TEST(OptimizerTest, OptimizersAgreeAboutDefaults) {
  for (Optimizer optimizer :
       {hydra::v1::OPTIMIZER_ADAMW, hydra::v1::OPTIMIZER_LION}) {
    TrainSpec train = Spec(optimizer);
    FillOptimizerDefaults(train);
    for (const OptimizerField& field : FindOptimizer(optimizer)->fields) {
      EXPECT_EQ(train.GetReflection()->GetDouble(
                    train, TrainSpec::descriptor()->FindFieldByName(
                               std::string(field.name))),
                field.default_value)
          << field.name;
    }
  }
}

TEST(OptimizerTest, AZeroThatWasSetIsNoDefault) {
  TrainSpec train = Spec(hydra::v1::OPTIMIZER_ADAM, 0.25);
  train.set_adam_beta1(0);
  train.set_weight_decay(0.125);
  FillOptimizerDefaults(train);
  const Hyperparameters h = At(train, /*step=*/0, /*total_steps=*/1);
  EXPECT_EQ(h.optimizer, hydra::v1::OPTIMIZER_ADAM);
  EXPECT_EQ(h.beta1, 0);
  EXPECT_EQ(h.momentum, 0.25);
  EXPECT_EQ(h.weight_decay, 0.125);
}

}  // namespace
}  // namespace hydra
