#include "common/model/optimizer.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "common/model/learning_rate.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace hydra {
namespace {

using hydra::v1::Optimizer;
using hydra::v1::TrainSpec;

constexpr Optimizer kDefaultOptimizer = hydra::v1::OPTIMIZER_ADAMW;

OptimizerTraits Sgd() {
  OptimizerTraits traits;
  traits.fields = {{"momentum", 0}};
  traits.moments = {"momentum_buffer"};
  traits.moments_need_momentum = true;
  return traits;
}

// Of Adam and AdamW, which differ in their arithmetic alone.
OptimizerTraits Adam() {
  OptimizerTraits traits;
  traits.fields = {
      {"adam_beta1", 0.9}, {"adam_beta2", 0.999}, {"adam_epsilon", 1e-8}};
  traits.moments = {"exp_avg", "exp_avg_sq"};
  return traits;
}

// The defaults are those of transformers' trainer, which hands Lion the same
// two numbers as Adam; its authors' beta2 is 0.99.
OptimizerTraits Lion() {
  OptimizerTraits traits;
  traits.fields = {{"adam_beta1", 0.9}, {"adam_beta2", 0.999}};
  traits.moments = {"exp_avg"};
  return traits;
}

// Its constants are those of transformers' trainer.
OptimizerTraits Adafactor() {
  OptimizerTraits traits;
  traits.factors_moments = true;
  return traits;
}

// Calls `visit` with each optimizer that there is.
template <typename Visitor>
void ForEachOptimizer(const Visitor& visit) {
  const auto& values = *hydra::v1::Optimizer_descriptor();
  for (int i = 0; i < values.value_count(); ++i) {
    const auto optimizer = static_cast<Optimizer>(values.value(i)->number());
    const OptimizerTraits* traits = FindOptimizer(optimizer);
    if (traits != nullptr) visit(*values.value(i), *traits);
  }
}

// "adamw" of OPTIMIZER_ADAMW.
std::string JobFileName(const google::protobuf::EnumValueDescriptor& value) {
  return absl::AsciiStrToLower(value.name().substr(sizeof("OPTIMIZER")));
}

bool HasField(const OptimizerTraits& traits, absl::string_view name) {
  return std::any_of(
      traits.fields.begin(), traits.fields.end(),
      [&](const OptimizerField& field) { return field.name == name; });
}

}  // namespace

const OptimizerTraits* FindOptimizer(Optimizer optimizer) {
  static const auto& sgd = *new OptimizerTraits(Sgd());
  static const auto& adam = *new OptimizerTraits(Adam());
  static const auto& lion = *new OptimizerTraits(Lion());
  static const auto& adafactor = *new OptimizerTraits(Adafactor());
  switch (optimizer) {
    case hydra::v1::OPTIMIZER_SGD:
      return &sgd;
    case hydra::v1::OPTIMIZER_ADAM:
    case hydra::v1::OPTIMIZER_ADAMW:
      return &adam;
    case hydra::v1::OPTIMIZER_LION:
      return &lion;
    case hydra::v1::OPTIMIZER_ADAFACTOR:
      return &adafactor;
    case hydra::v1::OPTIMIZER_UNSPECIFIED:
    case hydra::v1::Optimizer_INT_MIN_SENTINEL_DO_NOT_USE_:
    case hydra::v1::Optimizer_INT_MAX_SENTINEL_DO_NOT_USE_:
      return nullptr;
  }
  return nullptr;
}

bool ReadsField(Optimizer optimizer, absl::string_view field) {
  const OptimizerTraits* traits = FindOptimizer(optimizer);
  return traits != nullptr && HasField(*traits, field);
}

std::vector<std::string> OptimizersThatRead(absl::string_view field) {
  std::vector<std::string> names;
  ForEachOptimizer([&](const auto& value, const OptimizerTraits& traits) {
    if (HasField(traits, field)) names.push_back(JobFileName(value));
  });
  return names;
}

void FillOptimizerDefaults(TrainSpec& train) {
  if (train.optim() == hydra::v1::OPTIMIZER_UNSPECIFIED) {
    train.set_optim(kDefaultOptimizer);
  }
  const auto& reflection = *train.GetReflection();
  ForEachOptimizer([&](const auto&, const OptimizerTraits& traits) {
    for (const OptimizerField& field : traits.fields) {
      const auto* descriptor =
          train.GetDescriptor()->FindFieldByName(std::string(field.name));
      if (!reflection.HasField(train, descriptor)) {
        reflection.SetDouble(&train, descriptor, field.default_value);
      }
    }
  });
}

std::vector<std::string> MomentsOf(const TrainSpec& train) {
  const OptimizerTraits* traits = FindOptimizer(train.optim());
  if (traits == nullptr) return {};
  if (traits->moments_need_momentum && train.momentum() == 0) return {};
  return traits->moments;
}

int64_t OptimizerStateFactor(const TrainSpec& train) {
  return static_cast<int64_t>(MomentsOf(train).size());
}

bool FactorsMoments(const TrainSpec& train) {
  const OptimizerTraits* traits = FindOptimizer(train.optim());
  return traits != nullptr && traits->factors_moments;
}

Hyperparameters At(const TrainSpec& train, int64_t step, int64_t total_steps) {
  Hyperparameters h;
  h.optimizer = train.optim();
  h.learning_rate = LearningRateAt(train, step, total_steps);
  h.weight_decay = train.weight_decay();
  h.beta1 = train.adam_beta1();
  h.beta2 = train.adam_beta2();
  h.epsilon = train.adam_epsilon();
  h.momentum = train.momentum();
  return h;
}

}  // namespace hydra
