#include "tests/e2e/every_partition.h"

#include <gtest/gtest.h>

#include "tests/e2e/outcome.h"

namespace hydra {

v1::JobSpec SixSteps(const std::string& name, const std::string& model) {
  v1::JobSpec spec;
  spec.set_name(name);
  spec.mutable_model()->set_path(model);
  v1::TrainSpec& train = *spec.mutable_train();
  train.set_max_steps(6);
  train.set_per_device_train_batch_size(4);
  train.set_gradient_accumulation_steps(2);
  train.set_optim(v1::OPTIMIZER_ADAMW);
  train.set_learning_rate(1e-3);
  train.set_weight_decay(0.1);
  spec.mutable_evaluation()->set_eval_steps(3);
  return spec;
}

v1::JobDetail RunCompleted(Cluster& cluster, const v1::JobSpec& spec) {
  v1::JobDetail job = cluster.Run(spec);
  EXPECT_EQ(job.status().state(), v1::JOB_STATE_COMPLETED)
      << job.status().reason();
  return job;
}

void ExpectTheBitsOfPlainTraining(v1::JobSpec spec, int layers,
                                  const std::string& data,
                                  const std::vector<std::string>& settings) {
  Cluster::Options options;
  options.devices = {"cpu:0=64MiB", "cpu:1=64MiB,link=0.05"};
  options.settings.push_back("lookahead=2");
  options.settings.insert(options.settings.end(), settings.begin(),
                          settings.end());
  Cluster cluster(options);
  const v1::JobDetail whole = RunCompleted(cluster, spec);
  EXPECT_EQ(DifferenceToPlainTraining(whole, spec.model().path(), data), "");
  std::vector<int> everywhere;
  for (int cut = 1; cut < layers; ++cut) everywhere.push_back(cut);
  for (const std::vector<int>& cuts : {std::vector<int>{2}, everywhere}) {
    spec.clear_partition();
    for (int cut : cuts) spec.mutable_partition()->add_cut_points(cut);
    EXPECT_EQ(
        Difference(OutcomeOf(RunCompleted(cluster, spec)), OutcomeOf(whole)),
        "");
  }
}

}  // namespace hydra
