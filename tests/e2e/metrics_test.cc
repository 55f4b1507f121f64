// metrics.jsonl and TensorBoard's files: what is in them is what is recorded,
// however often processes were killed and the job went back.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/file/file.h"
#include "hydra/tensorboard/v1/event.pb.h"
#include "scheduler/storage/event_frame.h"
#include "tests/e2e/cluster.h"
#include "tests/faults/fault_fixture.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
namespace v1 = hydra::v1;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A curve: step and value, in order.
using Curve = std::vector<std::pair<int64_t, double>>;

class MetricsTest : public FaultTest {
 protected:
  v1::JobSpec TrackedSpec() const {
    v1::JobSpec spec = LongSpec();
    spec.mutable_output()->set_tensorboard(true);
    spec.mutable_checkpoint()->set_every_steps(5);
    return spec;
  }

  // All lines of metrics.jsonl, once it has the job's last step.
  static std::vector<nlohmann::json> Lines(Cluster& cluster,
                                           const v1::JobDetail& job) {
    const std::string path = job.output_path() + "/metrics.jsonl";
    const int wanted = job.steps_size() + job.evaluations_size();
    std::vector<nlohmann::json> lines;
    cluster.Await([&] {
      lines.clear();
      std::ifstream file(path);
      for (std::string line; std::getline(file, line);) {
        // The last one may be on its way.
        nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
        if (!json.is_discarded()) lines.push_back(std::move(json));
      }
      return lines.size() >= wanted;
    });
    return lines;
  }

  // That the lines tell of the job's steps and evaluations, of each once, in
  // order, and with the same numbers.
  static void ExpectAsRecorded(const std::vector<nlohmann::json>& lines,
                               const v1::JobDetail& job) {
    Curve losses;
    Curve evaluated;
    for (const nlohmann::json& line : lines) {
      if (line.contains("split")) {
        evaluated.emplace_back(line.at("step"), line.at("loss"));
        continue;
      }
      losses.emplace_back(line.at("step"), line.at("train_loss"));
      EXPECT_EQ(line.at("learning_rate"), job.spec().train().learning_rate());
      EXPECT_TRUE(line.contains("time"));
    }
    Curve recorded;
    for (const v1::StepMetrics& step : job.steps()) {
      recorded.emplace_back(step.step(), step.train_loss());
    }
    EXPECT_EQ(losses, recorded);
    EXPECT_THAT(recorded, SizeIs(job.status().total_steps()));
    recorded.clear();
    for (const v1::EvaluationMetrics& evaluation : job.evaluations()) {
      recorded.emplace_back(evaluation.step(), evaluation.loss());
    }
    EXPECT_EQ(evaluated, recorded);
  }

  static std::vector<std::string> EventFiles(const v1::JobDetail& job) {
    std::vector<std::string> paths;
    for (const auto& entry : fs::directory_iterator(job.output_path())) {
      if (absl::StartsWith(entry.path().filename().string(),
                           "events.out.tfevents.")) {
        paths.push_back(entry.path().string());
      }
    }
    std::sort(paths.begin(), paths.end());
    return paths;
  }

  // As TensorBoard puts the files together.
  static std::map<int64_t, float> TrainLoss(const v1::JobDetail& job) {
    std::map<int64_t, float> curve;
    for (const std::string& path : EventFiles(job)) {
      const auto file = OpenRegularFile(path);
      EXPECT_TRUE(file.ok()) << file.status();
      const auto read =
          ForEachEventFrame(*file, path, [&](absl::string_view data) {
            tensorboard::v1::Event event;
            EXPECT_TRUE(event.ParseFromArray(data.data(),
                                             static_cast<int>(data.size())));
            if (event.has_session_log()) {
              curve.erase(curve.lower_bound(event.step()), curve.end());
            }
            for (const auto& value : event.summary().value()) {
              if (value.tag() == "train/loss") {
                curve[event.step()] = value.simple_value();
              }
            }
          });
      // The last one may be on its way.
      EXPECT_TRUE(read.ok()) << read.status();
    }
    return curve;
  }
  static std::map<int64_t, float> RecordedLoss(const v1::JobDetail& job) {
    std::map<int64_t, float> curve;
    for (const v1::StepMetrics& step : job.steps()) {
      curve[step.step()] = static_cast<float>(step.train_loss());
    }
    return curve;
  }
};

TEST_F(MetricsTest, ARunsMetricsAreInItsFolder) {
  Cluster cluster(TwoDevices());
  const v1::JobDetail job = cluster.Run(TrackedSpec());
  ASSERT_EQ(job.status().state(), v1::JOB_STATE_COMPLETED)
      << job.status().reason();
  ExpectAsRecorded(Lines(cluster, job), job);
  cluster.Await([&] { return TrainLoss(job).size() == job.steps_size(); });
  EXPECT_EQ(TrainLoss(job), RecordedLoss(job));
  EXPECT_THAT(EventFiles(job), SizeIs(1));
}

TEST_F(MetricsTest, WithoutBeingAskedForThereAreNoEvents) {
  Cluster cluster({});
  const v1::JobDetail job = cluster.Run(spec());
  ASSERT_EQ(job.status().state(), v1::JOB_STATE_COMPLETED)
      << job.status().reason();
  ExpectAsRecorded(Lines(cluster, job), job);
  EXPECT_THAT(EventFiles(job), IsEmpty());
}

// The daemon is killed with the pool there, so that nothing is trained twice,
// and then without it, so that the job goes back.
TEST_F(MetricsTest, KillsLeaveEachStepOnce) {
  Cluster cluster(TwoDevices());
  const std::string id = cluster.Submit(TrackedSpec());
  cluster.AwaitStep(id, 3);
  cluster.KillDaemon();
  cluster.StartDaemon();
  cluster.AwaitJob(id, [](const v1::JobDetail& detail) {
    return detail.checkpoints_size() > 0;
  });
  const v1::JobDetail before = cluster.Job(id);
  cluster.AwaitStep(id, before.status().step() + 2);
  // Something of what will be undone is in the file.
  cluster.Await([&] {
    std::ifstream file(before.output_path() + "/metrics.jsonl");
    std::string line;
    return static_cast<bool>(std::getline(file, line));
  });
  cluster.KillDaemon();
  cluster.LosePool();
  cluster.StartDaemon();
  const v1::JobDetail job = cluster.AwaitEnd(id);
  ASSERT_EQ(job.status().state(), v1::JOB_STATE_COMPLETED)
      << job.status().reason();
  ExpectAsRecorded(Lines(cluster, job), job);
  cluster.Await([&] { return TrainLoss(job) == RecordedLoss(job); });
}

// Stopped as told, it has written all; the next one goes on behind it.
TEST_F(MetricsTest, AStopLeavesNothingOut) {
  Cluster cluster(TwoDevices());
  const std::string id = cluster.Submit(TrackedSpec());
  cluster.AwaitStep(id, 3);
  cluster.StopDaemon();
  cluster.StartDaemon();
  const v1::JobDetail job = cluster.AwaitEnd(id);
  ASSERT_EQ(job.status().state(), v1::JOB_STATE_COMPLETED)
      << job.status().reason();
  ExpectAsRecorded(Lines(cluster, job), job);
}

}  // namespace
}  // namespace hydra
