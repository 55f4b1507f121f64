// One job gives the same bits however it is cut and wherever it runs: the
// promise of docs/exactness.md, with real daemons and workers.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/outcome.h"
#include "tests/e2e/small_job.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

Outcome CompletedOutcomeOf(const v1::JobDetail& job) {
  EXPECT_EQ(job.status().state(), v1::JOB_STATE_COMPLETED)
      << job.status().reason();
  return OutcomeOf(job);
}

void ExpectSame(const Outcome& a, const Outcome& b) {
  EXPECT_FALSE(a.weights.empty());
  EXPECT_EQ(Difference(a, b), "");
}

class ExactnessTest : public ::testing::Test {
 protected:
  Outcome RunOn(const Cluster::Options& options, const v1::JobSpec& spec) {
    Cluster cluster(options);
    return CompletedOutcomeOf(cluster.Run(spec));
  }
  // On one device, in one piece.
  Outcome Undisturbed(v1::JobSpec spec) {
    spec.clear_partition();
    return RunOn({}, spec);
  }

  const SmallJobFiles files_ = MakeSmallJobFiles(FreshDirectory());
};

TEST_F(ExactnessTest, EveryPartitionGivesTheSameBits) {
  const Outcome whole = Undisturbed(SmallJob(files_, {}));
  Cluster cluster({});
  for (const std::vector<int>& cuts :
       {std::vector<int>{2}, {1}, {3}, {1, 2, 3}}) {
    ExpectSame(CompletedOutcomeOf(cluster.Run(SmallJob(files_, cuts))), whole);
  }
}

TEST_F(ExactnessTest, EveryOptimizerIsTheSameInOnePieceAndInMany) {
  Cluster cluster({});
  for (v1::Optimizer optimizer :
       {v1::OPTIMIZER_SGD, v1::OPTIMIZER_ADAM, v1::OPTIMIZER_ADAMW,
        v1::OPTIMIZER_LION, v1::OPTIMIZER_ADAFACTOR}) {
    v1::JobSpec spec = SmallJob(files_, {});
    spec.mutable_train()->set_optim(optimizer);
    if (optimizer == v1::OPTIMIZER_SGD) {
      spec.mutable_train()->set_momentum(0.9);
    }
    const Outcome whole = CompletedOutcomeOf(cluster.Run(spec));
    for (int cut : {1, 2, 3}) spec.mutable_partition()->add_cut_points(cut);
    ExpectSame(CompletedOutcomeOf(cluster.Run(spec)), whole);
  }
}

TEST_F(ExactnessTest, AdafactorIsThatOfPlainTraining) {
  Cluster::Options options;
  options.devices = {"cpu:0=64MiB", "cpu:1=64MiB,link=0.05"};
  Cluster cluster(options);
  for (const double max_grad_norm : {0.0, 0.01}) {
    SCOPED_TRACE(max_grad_norm);
    v1::JobSpec spec = SmallJob(files_, {});
    spec.mutable_train()->set_optim(v1::OPTIMIZER_ADAFACTOR);
    spec.mutable_train()->set_max_grad_norm(max_grad_norm);
    spec.mutable_train()->set_no_decay_biases_and_norms(true);
    const v1::JobDetail whole = cluster.Run(spec);
    EXPECT_EQ(DifferenceToPlainTraining(whole, files_.tiny_model,
                                        files_.train_tokens),
              "");
    for (const v1::StepMetrics& step : whole.steps()) {
      EXPECT_EQ(step.has_grad_norm(), max_grad_norm > 0);
    }
    spec.mutable_train()->set_micro_batches_per_round(1);
    for (const std::vector<int>& cuts : {std::vector<int>{2}, {1, 2, 3}}) {
      spec.clear_partition();
      for (int cut : cuts) spec.mutable_partition()->add_cut_points(cut);
      ExpectSame(CompletedOutcomeOf(cluster.Run(spec)),
                 CompletedOutcomeOf(whole));
    }
  }
}

// Lion too: it has other hyperparameters than those around it.
TEST_F(ExactnessTest, LionAndSmoothedLabelsAreThoseOfPlainTraining) {
  Cluster::Options options;
  options.devices = {"cpu:0=64MiB", "cpu:1=64MiB,link=0.05"};
  Cluster cluster(options);
  v1::JobSpec spec = SmallJob(files_, {});
  spec.mutable_train()->set_optim(v1::OPTIMIZER_LION);
  spec.mutable_train()->set_adam_beta2(0.99);
  const Outcome hard = CompletedOutcomeOf(cluster.Run(spec));
  spec.mutable_train()->set_label_smoothing_factor(0.1);
  const v1::JobDetail whole = cluster.Run(spec);
  EXPECT_EQ(
      DifferenceToPlainTraining(whole, files_.tiny_model, files_.train_tokens),
      "");
  // The first step's loss is smoothed.
  EXPECT_NE(CompletedOutcomeOf(whole).losses.front(), hard.losses.front());
  for (v1::UpdatePlace place :
       {v1::UPDATE_PLACE_HOST, v1::UPDATE_PLACE_DEVICE}) {
    spec.mutable_train()->set_update_on(place);
    for (const std::vector<int>& cuts : {std::vector<int>{2}, {1, 2, 3}}) {
      spec.clear_partition();
      for (int cut : cuts) spec.mutable_partition()->add_cut_points(cut);
      ExpectSame(CompletedOutcomeOf(cluster.Run(spec)),
                 CompletedOutcomeOf(whole));
    }
  }
}

TEST_F(ExactnessTest, AScheduleIsTheSameInOnePieceAndInMany) {
  v1::JobSpec spec = SmallJob(files_, {});
  spec.mutable_train()->set_lr_scheduler_type(v1::LR_SCHEDULER_TYPE_COSINE);
  spec.mutable_train()->set_warmup_ratio(0.3);
  spec.mutable_train()->set_min_learning_rate(1e-4);
  spec.mutable_train()->set_no_decay_biases_and_norms(true);
  const Outcome whole = Undisturbed(spec);
  v1::JobSpec all_decay = spec;
  all_decay.mutable_train()->clear_no_decay_biases_and_norms();
  EXPECT_NE(whole.weights, Undisturbed(all_decay).weights);
  // One device updates on the host, one by copies.
  Cluster::Options options;
  options.devices = {"cpu:0=64MiB", "cpu:1=64MiB,link=0.05"};
  Cluster cluster(options);
  EXPECT_EQ(DifferenceToPlainTraining(cluster.Run(spec), files_.tiny_model,
                                      files_.train_tokens),
            "");
  for (v1::UpdatePlace place :
       {v1::UPDATE_PLACE_HOST, v1::UPDATE_PLACE_DEVICE}) {
    spec.mutable_train()->set_update_on(place);
    for (const std::vector<int>& cuts : {std::vector<int>{2}, {1, 2, 3}}) {
      spec.clear_partition();
      for (int cut : cuts) spec.mutable_partition()->add_cut_points(cut);
      ExpectSame(CompletedOutcomeOf(cluster.Run(spec)), whole);
    }
  }
}

// The norm is of the whole model, whose gradients no shard has.
TEST_F(ExactnessTest, ClippedGradientsAreTheSameInOnePieceAndInMany) {
  v1::JobSpec spec = SmallJob(files_, {});
  spec.mutable_train()->set_max_grad_norm(0.5);
  const Outcome whole = Undisturbed(spec);
  EXPECT_NE(whole.losses, Undisturbed(SmallJob(files_, {})).losses);
  Cluster::Options options;
  options.devices = {"cpu:0=64MiB", "cpu:1=64MiB,link=0.05"};
  options.settings.push_back("lookahead=2");
  Cluster cluster(options);
  for (const std::vector<int>& cuts : {std::vector<int>{2}, {1, 2, 3}}) {
    spec.clear_partition();
    for (int cut : cuts) spec.mutable_partition()->add_cut_points(cut);
    const v1::JobDetail job = cluster.Run(spec);
    ExpectSame(CompletedOutcomeOf(job), whole);
    for (const v1::StepMetrics& step : job.steps()) {
      EXPECT_GT(step.grad_norm(), 0.5) << "step " << step.step();
    }
  }
}

// The smallest pool holds the boundaries of some of a step's micro-batches
// only.
TEST_F(ExactnessTest, AStepInRoundsGivesTheSameBits) {
  std::string tokens;
  for (int i = 0; i < 80'000; ++i) {
    const int id = i * 7919 % 509;
    tokens += {static_cast<char>(id % 256), static_cast<char>(id / 256)};
  }
  const std::string file = FreshDirectory() + "/many.bin";
  WriteFile(file, tokens);
  for (double max_grad_norm : {0.0, 0.5}) {
    v1::JobSpec spec = SmallJob(files_, {1, 2, 3});
    spec.mutable_data()->set_train_files(0, file);
    spec.mutable_train()->set_max_steps(2);
    spec.mutable_train()->set_dropout(0.1);
    spec.mutable_train()->set_max_grad_norm(max_grad_norm);
    spec.mutable_train()->set_gradient_accumulation_steps(600);
    const Outcome whole = Undisturbed(spec);
    Cluster::Options small;
    small.settings = {"pool.size_bytes=64MiB", "lookahead=2"};
    small.devices = {"cpu:0=64MiB", "cpu:1=64MiB,link=0.05"};
    Cluster cluster(small);
    const v1::JobDetail job = cluster.Run(spec);
    EXPECT_GT(job.pool_demand().rounds(), 2);
    ExpectSame(CompletedOutcomeOf(job), whole);
  }
}

TEST_F(ExactnessTest, DropoutIsTheSameInOnePieceAndInMany) {
  v1::JobSpec spec = SmallJob(files_, {1, 2, 3});
  spec.mutable_train()->set_dropout(0.1);
  const Outcome whole = Undisturbed(spec);
  ExpectSame(RunOn({}, spec), whole);
  EXPECT_NE(whole.losses, Undisturbed(SmallJob(files_, {})).losses);
}

TEST_F(ExactnessTest, WorkersAndASweepAroundItChangeNothing) {
  v1::JobSpec spec = SmallJob(files_, {1, 2, 3});
  spec.mutable_train()->set_dropout(0.1);
  const Outcome alone = Undisturbed(spec);
  Cluster::Options options = TwoDevices();
  options.settings.push_back("lookahead=2");
  Cluster cluster(options);
  v1::SubmitRequest sweep;
  *sweep.mutable_job() = spec;
  v1::GridAxis& axis = *sweep.add_grid();
  axis.set_field("train.learning_rate");
  for (const char* rate : {"1e-2", "1e-3", "1e-4", "3e-3"}) {
    axis.add_values(rate);
  }
  const std::vector<std::string> ids = cluster.Submit(sweep);
  ASSERT_EQ(ids.size(), 4);
  for (const std::string& id : ids) cluster.AwaitEnd(id);
  ExpectSame(CompletedOutcomeOf(cluster.Job(ids[1])), alone);
}

// Copies take as long as computing, and go beside it.
TEST_F(ExactnessTest, ASlowLinkChangesNothing) {
  v1::JobSpec spec = SmallJob(files_, {1, 2, 3});
  spec.mutable_train()->set_dropout(0.1);
  const Outcome alone = Undisturbed(spec);
  Cluster::Options options;
  options.devices = {"cpu:0=64MiB,link=0.05", "cpu:1=64MiB,link=0.02"};
  options.settings.push_back("lookahead=2");
  Cluster cluster(options);
  v1::SubmitRequest sweep;
  *sweep.mutable_job() = spec;
  v1::GridAxis& axis = *sweep.add_grid();
  axis.set_field("train.learning_rate");
  for (const char* rate : {"1e-2", "1e-3", "1e-4"}) axis.add_values(rate);
  const std::vector<std::string> ids = cluster.Submit(sweep);
  ASSERT_EQ(ids.size(), 3);
  for (const std::string& id : ids) cluster.AwaitEnd(id);
  ExpectSame(CompletedOutcomeOf(cluster.Job(ids[1])), alone);
}

TEST_F(ExactnessTest, TheDevicesLimitChangesTheCutsAndNoBit) {
  v1::JobSpec spec = SmallJob(files_, {});
  spec.mutable_model()->set_path(files_.wide_model);
  spec.mutable_model()->set_init(v1::INITIALIZATION_RANDOM);
  spec.mutable_train()->set_dropout(0.1);
  // Enough tokens for the blocks' activations to count.
  spec.mutable_train()->set_per_device_train_batch_size(64);
  spec.mutable_train()->set_gradient_accumulation_steps(1);
  Cluster::Options roomy;
  roomy.devices = {"cpu:0=512MiB"};
  Cluster::Options tight;
  tight.devices = {"cpu:0=44MiB"};
  Cluster a(roomy);
  Cluster b(tight);
  const v1::JobDetail large = a.Run(spec);
  const v1::JobDetail small = b.Run(spec);
  EXPECT_LT(large.partition().cut_points_size(),
            small.partition().cut_points_size());
  ExpectSame(CompletedOutcomeOf(large), CompletedOutcomeOf(small));
  EXPECT_LE(b.Workers()[0].peak_bytes(), int64_t{44} << 20);
}

// The head's table, its gradient and a slice of logits take 39 MB: on the small
// device they come and go in ranges. An untied one is updated there too.
TEST_F(ExactnessTest, AHeadThatIsTooLargeForTheDeviceGivesTheSameBits) {
  for (bool tied : {true, false}) {
    SCOPED_TRACE(tied ? "tied" : "untied");
    v1::JobSpec spec = SmallJob(files_, {});
    spec.mutable_model()->set_path(tied ? files_.wide_model
                                        : files_.untied_model);
    spec.mutable_model()->set_init(v1::INITIALIZATION_RANDOM);
    spec.mutable_train()->set_dropout(0.1);
    spec.mutable_train()->set_per_device_train_batch_size(8);
    Cluster::Options roomy;
    roomy.devices = {"cpu:0=512MiB"};
    Cluster::Options tight;
    tight.devices = {"cpu:0=16MiB"};
    Cluster::Options linked;
    linked.devices = {"cpu:0=20MiB,link=0.2"};
    const Outcome whole = RunOn(roomy, spec);
    ExpectSame(RunOn(tight, spec), whole);
    ExpectSame(RunOn(linked, spec), whole);
  }
}

TEST_F(ExactnessTest, AWorkerKilledInTheMiddleOfATaskChangesNothing) {
  v1::JobSpec spec = SmallJob(files_, {1, 2, 3});
  spec.mutable_train()->set_dropout(0.1);
  // Long enough that every kill meets it on a fast machine too.
  spec.mutable_train()->set_max_steps(300);
  spec.mutable_evaluation()->set_eval_steps(100);
  const Outcome undisturbed = Undisturbed(spec);
  Cluster cluster({});
  const std::string id = cluster.Submit(spec);
  for (int64_t step : {5, 50, 100}) {
    cluster.AwaitJob(id, [&](const v1::JobDetail& job) {
      return job.status().step() >= step &&
             !cluster.Workers()[0].task().empty();
    });
    kill(static_cast<pid_t>(cluster.Workers()[0].pid()), SIGKILL);
  }
  const v1::JobDetail job = cluster.AwaitEnd(id);
  EXPECT_EQ(cluster.Workers()[0].restarts(), 3);
  ExpectSame(CompletedOutcomeOf(job), undisturbed);
}

// The plain LibTorch program: one process, no pool, no shards.
TEST_F(ExactnessTest, PlainTrainingGivesTheSameBits) {
  for (double dropout : {0.0, 0.1}) {
    v1::JobSpec spec = SmallJob(files_, {1, 2, 3});
    spec.mutable_train()->set_dropout(dropout);
    if (dropout > 0) spec.mutable_train()->set_max_grad_norm(0.5);
    spec.mutable_train()->set_gradient_accumulation_steps(5);
    spec.mutable_train()->set_micro_batches_per_round(2);
    Cluster cluster({});
    const v1::JobDetail job = cluster.Run(spec);
    EXPECT_EQ(
        DifferenceToPlainTraining(job, files_.tiny_model, files_.train_tokens),
        "")
        << "at dropout " << dropout;
  }
}

}  // namespace
}  // namespace hydra
