#include "client/render/describe.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

v1::JobDetail Detail() {
  v1::JobDetail job;
  job.mutable_status()->set_job_id("j7");
  job.mutable_status()->set_name("tiny");
  job.mutable_status()->set_state(v1::JOB_STATE_COMPLETED);
  job.mutable_spec()->mutable_train()->set_learning_rate(0.001);
  job.set_output_path("/srv/out/j7-tiny");
  return job;
}

std::string Render(const v1::JobDetail& job) {
  return RenderJobDetail(job, 0, false, absl::UTCTimeZone());
}

TEST(RenderJobDetailTest, ShowsStatusSpecificationAndOutput) {
  const std::string text = Render(Detail());
  EXPECT_THAT(text, HasSubstr("j7 tiny\n"));
  EXPECT_THAT(text, HasSubstr("learning_rate: 0.001"));
  EXPECT_THAT(text, HasSubstr("/srv/out/j7-tiny"));
  EXPECT_THAT(text, Not(HasSubstr("partition\n")));
}

TEST(RenderJobDetailTest, ShowsWhatOfTheInputIsNotUsed) {
  v1::JobDetail job = Detail();
  EXPECT_THAT(Render(job), Not(HasSubstr("warnings\n")));
  job.add_warnings("score.weight is not used");
  EXPECT_THAT(Render(job), HasSubstr("warnings\n  score.weight is not used\n"));
}

TEST(RenderJobDetailTest, AssignsEachLayerToItsShard) {
  v1::JobDetail job = Detail();
  v1::Partition* partition = job.mutable_partition();
  partition->set_source("pilot");
  partition->add_cut_points(2);
  for (int i = 0; i < 4; ++i) {
    v1::LayerProfile* layer = partition->add_layers();
    layer->set_layer(i);
    layer->set_kind(i == 0 ? "embedding" : "block");
    layer->set_parameter_bytes(2048);
    layer->mutable_forward()->set_seconds(i);
  }
  const std::string text = Render(job);
  EXPECT_THAT(text, ContainsRegex("0 +0 +embedding +2.0 KiB"));
  EXPECT_THAT(text, ContainsRegex("0 +1 +block"));
  EXPECT_THAT(text, ContainsRegex("1 +2 +block"));
  EXPECT_THAT(text, ContainsRegex("1 +3 +block.* 3.0s"));
}

TEST(RenderJobDetailTest, ShowsWhatAStepTakesBesideWhatWasPredicted) {
  v1::JobDetail job = Detail();
  v1::TrainSpec* train = job.mutable_spec()->mutable_train();
  train->set_per_device_train_batch_size(4);
  train->set_gradient_accumulation_steps(2);
  train->set_context_length(100);
  v1::Partition* partition = job.mutable_partition();
  partition->set_source("pilot");
  EXPECT_THAT(Render(job), Not(HasSubstr("a step")));
  partition->mutable_step()->set_seconds(3);
  partition->mutable_step_of_longest_shards()->set_seconds(4);
  EXPECT_THAT(Render(job),
              HasSubstr("3.0s as predicted, 4.0s in the longest shards\n"));
  job.mutable_status()->set_tokens_per_second(400);
  EXPECT_THAT(Render(job), HasSubstr("longest shards; 2.0s measured\n"));
  partition->mutable_step_of_longest_shards()->set_seconds(3);
  EXPECT_THAT(Render(job), HasSubstr(" 3.0s as predicted; 2.0s measured\n"));
}

TEST(RenderJobDetailTest, ShowsPoolTotalsAndEvaluations) {
  v1::JobDetail job = Detail();
  job.mutable_pool_demand()->set_total_bytes(3 << 20);
  job.mutable_totals()->set_retried_tasks(5);
  job.mutable_totals()->set_nonfinite_steps(3);
  job.mutable_totals()->mutable_device()->set_seconds(60);
  v1::EvaluationMetrics* evaluation = job.add_evaluations();
  evaluation->set_step(20);
  evaluation->set_split("validation");
  evaluation->set_perplexity(31.25);
  const std::string text = Render(job);
  EXPECT_THAT(text, ContainsRegex("total +3.0 MiB"));
  EXPECT_THAT(text, ContainsRegex("retried tasks +5"));
  EXPECT_THAT(text, ContainsRegex("nonfinite steps +3"));
  EXPECT_THAT(text, ContainsRegex("device time +1m00s: 100% computing"));
  EXPECT_THAT(text, ContainsRegex("20 +validation.* 31.25"));
}

TEST(RenderJobDetailTest, ShowsTheScaleOfALossThatIsScaled) {
  v1::JobDetail job = Detail();
  EXPECT_THAT(Render(job), Not(HasSubstr("loss scale")));
  job.add_steps()->set_train_loss(3);
  EXPECT_THAT(Render(job), Not(HasSubstr("loss scale")));
  v1::StepMetrics* step = job.add_steps();
  step->set_loss_scale(65536);
  step->set_overflowed(true);
  EXPECT_THAT(Render(job),
              ContainsRegex("loss scale +65536, which overflowed\n"));
  step->set_overflowed(false);
  EXPECT_THAT(Render(job), ContainsRegex("loss scale +65536\n"));
}

TEST(RenderJobDetailTest, ShowsTheAccuracyOfAClassification) {
  v1::JobDetail job = Detail();
  job.mutable_spec()->mutable_data()->set_format(v1::DATA_FORMAT_TENSORS);
  job.mutable_status()->set_counts_examples(true);
  job.mutable_status()->set_validation_loss(0.5);
  job.mutable_status()->set_validation_accuracy(0.75);
  job.mutable_status()->set_test_accuracy(0.625);
  v1::EvaluationMetrics* evaluation = job.add_evaluations();
  evaluation->set_step(20);
  evaluation->set_split("validation");
  evaluation->set_accuracy(0.75);
  evaluation->set_tokens(300);
  const std::string text = Render(job);
  EXPECT_THAT(text,
              ContainsRegex("validation +loss 0.5000, accuracy 0.7500\n"));
  EXPECT_THAT(text, ContainsRegex("test +accuracy 0.6250\n"));
  EXPECT_THAT(text, HasSubstr("examples/s"));
  EXPECT_THAT(text, ContainsRegex("ACCURACY +EXAMPLES\n"));
  EXPECT_THAT(text, ContainsRegex("20 +validation.* 0.7500 +300"));
  EXPECT_THAT(text, Not(HasSubstr("perplexity")));
}

TEST(RenderJobDetailTest, ShowsRoundsAndWhyThereAreSeveral) {
  v1::JobDetail job = Detail();
  v1::TrainSpec* train = job.mutable_spec()->mutable_train();
  train->set_gradient_accumulation_steps(64);
  job.mutable_pool_demand()->set_rounds(1);
  EXPECT_THAT(Render(job), Not(HasSubstr("rounds")));
  job.mutable_pool_demand()->set_rounds(4);
  EXPECT_THAT(Render(job),
              HasSubstr("4 of 16 micro-batches, as the pool holds the "
                        "boundaries of no more\n"));
  train->set_micro_batches_per_round(20);
  EXPECT_THAT(Render(job), HasSubstr("4 of 16 micro-batches, as "
                                     "train.micro_batches_per_round says\n"));
  job.mutable_pool_demand()->set_rounds(5);
  EXPECT_THAT(Render(job), HasSubstr("5 of 12 or 13 micro-batches, as the "
                                     "pool holds"));
}

TEST(RenderJobDetailTest, ShowsWhatAStepMoves) {
  v1::JobDetail job = Detail();
  EXPECT_THAT(Render(job), Not(HasSubstr("bytes of a step\n")));
  job.mutable_traffic()->set_steps(2);
  job.mutable_traffic()->mutable_promoted()->set_activations(2048);
  EXPECT_THAT(Render(job), ContainsRegex("bytes of a step\n.*KIND"));
  EXPECT_THAT(Render(job), ContainsRegex("activations +1.0 KiB"));
}

TEST(RenderJobDetailTest, ListsTheCheckpoints) {
  v1::JobDetail job = Detail();
  EXPECT_THAT(Render(job), Not(HasSubstr("checkpoints\n")));
  v1::CheckpointInfo* older = job.add_checkpoints();
  older->set_path("/srv/checkpoints/j7/a");
  older->set_step(40);
  older->mutable_time()->set_seconds(1'700'000'000);
  older->set_bytes(3 << 20);
  older->set_validation_loss(3.25);
  v1::CheckpointInfo* newer = job.add_checkpoints();
  newer->set_path("/srv/checkpoints/j7/b");
  newer->set_step(52);
  newer->set_inside_step(true);
  const std::string text = Render(job);
  EXPECT_THAT(text, HasSubstr("checkpoints\n"));
  EXPECT_THAT(text,
              ContainsRegex("40 +2023-11-14 22:13:20 +3.0 MiB +3.2500 +- +"
                            "/srv/checkpoints/j7/a"));
  EXPECT_THAT(text,
              ContainsRegex("52 .* - +inside step +/srv/checkpoints/j7/b"));
}

TEST(RenderJobDetailTest, ShowsWhatIsForecastWhereItIs) {
  v1::JobDetail job = Detail();
  EXPECT_THAT(Render(job), Not(HasSubstr(" about")));
  job.mutable_status()->mutable_forecast_start()->set_seconds(1'700'000'000);
  job.mutable_status()->mutable_forecast_end()->set_seconds(1'700'003'600);
  EXPECT_THAT(Render(job), ContainsRegex("starts about +2023-11-14 22:13\n"));
  EXPECT_THAT(Render(job), ContainsRegex("ends about +2023-11-14 23:13\n"));
  for (const int width : {80, 120}) {
    EXPECT_THAT(RenderJobDetail(job, width, false, absl::UTCTimeZone()),
                HasSubstr("2023-11-14 23:13\n"))
        << width;
  }
}

TEST(RenderJobDetailTest, EscapesTextThatTheUserChose) {
  v1::JobDetail job = Detail();
  job.mutable_status()->set_reason("bad \x1b[2J file");
  EXPECT_THAT(Render(job), HasSubstr("bad \\x1b[2J file"));
}

}  // namespace
}  // namespace hydra
