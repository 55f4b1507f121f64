#include "scheduler/storage/event_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/broker/files_process.h"
#include "common/file/file.h"
#include "common/file/file_user.h"
#include "common/file/held_directory.h"
#include "common/file/scratch_directory.h"
#include "common/status/proto_time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hydra/tensorboard/v1/event.pb.h"
#include "scheduler/storage/event_frame.h"

namespace hydra {
namespace {

using tensorboard::v1::Event;
using tensorboard::v1::SessionLog;
using testing::Contains;
using testing::ElementsAre;
using testing::Pair;
using testing::UnorderedElementsAre;

// Debian's "nobody".
constexpr uint32_t kUser = 65534;
const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

MetricsRow StepRow(int64_t step, double loss) {
  v1::StepMetrics metrics;
  metrics.set_step(step);
  metrics.set_train_loss(loss);
  metrics.set_grad_norm(0);
  *metrics.mutable_time() = ToProto(kNow + absl::Seconds(step));
  metrics.mutable_device()->set_seconds(2);
  return {metrics};
}

MetricsRow EvaluationRow(int64_t step, const std::string& split) {
  v1::EvaluationMetrics metrics;
  metrics.set_step(step);
  metrics.set_split(split);
  metrics.set_loss(1.5);
  metrics.set_perplexity(4.5);
  return {metrics};
}

class EventFilesTest : public testing::Test {
 protected:
  EventFilesTest() {
    context_.train.set_learning_rate(0.5);
    context_.train.set_lr_scheduler_type(v1::LR_SCHEDULER_TYPE_CONSTANT);
    context_.tokens_of_a_step = 8;
  }

  HeldDirectory Folder() const {
    auto folder = HeldDirectory::Open(scratch_.path());
    EXPECT_TRUE(folder.ok()) << folder.status();
    return *std::move(folder);
  }

  EventFile Begin(int64_t first_step, absl::Time now = kNow) {
    auto file = BeginEventFile(Folder(), "host", first_step, now);
    EXPECT_TRUE(file.ok()) << file.status();
    return *file;
  }

  void Append(const std::vector<MetricsRow>& rows, EventFile& file) {
    const absl::Status status =
        AppendEvents(Folder(), rows, context_, last_time_, file);
    EXPECT_TRUE(status.ok()) << status;
  }

  int64_t FirstMissing() const {
    const auto place = FirstPlaceWithoutEvents(Folder());
    EXPECT_TRUE(place.ok()) << place.status();
    return place.value_or(-1);
  }

  std::vector<Event> Events(const std::string& name) const {
    const std::string path = scratch_.PathOf(name);
    const auto file = OpenRegularFile(path);
    EXPECT_TRUE(file.ok()) << file.status();
    std::vector<Event> events;
    const auto bytes =
        ForEachEventFrame(*file, path, [&](absl::string_view data) {
          EXPECT_TRUE(events.emplace_back().ParseFromArray(
              data.data(), static_cast<int>(data.size())));
        });
    EXPECT_EQ(bytes.value_or(-1), scratch_.Read(name).size());
    return events;
  }

  static std::map<std::string, float> ValuesOf(const Event& event) {
    std::map<std::string, float> values;
    for (const auto& value : event.summary().value()) {
      // A value of 0 is written, too.
      EXPECT_TRUE(value.has_simple_value()) << value.tag();
      values[value.tag()] = value.simple_value();
    }
    return values;
  }

  ScratchDirectory scratch_;
  MetricsContext context_;
  absl::Time last_time_ = kNow - absl::Seconds(1);
};

TEST_F(EventFilesTest, AFileHasACurveForEachNumber) {
  EXPECT_EQ(FirstMissing(), 0);
  EventFile file = Begin(0);
  EXPECT_EQ(file.name, "events.out.tfevents.1700000000.host");
  Append({EvaluationRow(0, "validation"), StepRow(0, 3)}, file);
  Append({EvaluationRow(1, "test")}, file);
  const std::vector<Event> events = Events(file.name);
  ASSERT_EQ(events.size(), 5);
  EXPECT_EQ(events[0].file_version(), "brain.Event:2");
  EXPECT_EQ(events[1].session_log().status(), SessionLog::START);
  EXPECT_EQ(events[1].step(), 0);
  EXPECT_THAT(ValuesOf(events[2]),
              UnorderedElementsAre(Pair("eval/loss", 1.5f),
                                   Pair("eval/perplexity", 4.5f)));
  EXPECT_EQ(events[2].wall_time(), 1'699'999'999);
  EXPECT_THAT(ValuesOf(events[3]),
              UnorderedElementsAre(Pair("train/loss", 3.0f),
                                   Pair("train/learning_rate", 0.5f),
                                   Pair("train/grad_norm", 0.0f),
                                   Pair("train/tokens_per_second", 4.0f)));
  EXPECT_EQ(events[3].wall_time(), 1'700'000'000);
  EXPECT_THAT(ValuesOf(events[4]),
              UnorderedElementsAre(Pair("test/loss", 1.5f),
                                   Pair("test/perplexity", 4.5f)));
  EXPECT_EQ(events[4].step(), 1);
}

TEST_F(EventFilesTest, AScaledLossHasACurveOfItsScale) {
  MetricsRow row = StepRow(0, 3);
  std::get<v1::StepMetrics>(row.metrics).set_loss_scale(65536);
  EventFile file = Begin(0);
  Append({row}, file);
  EXPECT_THAT(ValuesOf(Events(file.name)[2]),
              Contains(Pair("train/loss_scale", 65536.0f)));
}

TEST_F(EventFilesTest, AFurtherFileSaysFromWhereItCounts) {
  EventFile first = Begin(0);
  Append({StepRow(0, 3), StepRow(1, 2)}, first);
  EXPECT_EQ(FirstMissing(), FirstPlaceOf(2));
  // The clock was set back, and the name still comes behind.
  EventFile second = Begin(1, kNow - absl::Hours(1));
  EXPECT_EQ(second.name, "events.out.tfevents.1700000001.host");
  EXPECT_EQ(Events(second.name)[1].step(), 1);
  EXPECT_EQ(FirstMissing(), FirstPlaceOf(1));
  Append({StepRow(1, 2), StepRow(2, 1)}, second);
  EXPECT_EQ(FirstMissing(), FirstPlaceOf(3));
  EXPECT_THAT(scratch_.Names(), ElementsAre(first.name, second.name));
}

TEST_F(EventFilesTest, TheLastRowIsKnownOfEachKind) {
  EventFile file = Begin(0);
  for (const MetricsRow& row :
       {EvaluationRow(0, "validation"), EvaluationRow(0, "test"), StepRow(0, 3),
        EvaluationRow(1, "test")}) {
    Append({row}, file);
    EXPECT_EQ(FirstMissing(), row.place() + 1);
  }
}

TEST_F(EventFilesTest, WhatIsBrokenOffCountsAsMissing) {
  EventFile file = Begin(0);
  Append({StepRow(0, 3), StepRow(1, 2)}, file);
  const std::string text = scratch_.Read(file.name);
  scratch_.Write(file.name, text.substr(0, text.size() - 1));
  EXPECT_EQ(FirstMissing(), FirstPlaceOf(1));
  // Nothing of the newest one reached the disk: the one before says it.
  scratch_.Write(file.name, text);
  scratch_.Write("events.out.tfevents.1700000009.host", "");
  EXPECT_EQ(FirstMissing(), FirstPlaceOf(2));
}

TEST_F(EventFilesTest, WhoeverChangedAFileIsNoticed) {
  EventFile file = Begin(0);
  scratch_.Write(file.name, scratch_.Read(file.name) + "x");
  EXPECT_TRUE(absl::IsAborted(
      AppendEvents(Folder(), {StepRow(0, 1)}, context_, last_time_, file)));
  std::filesystem::remove(scratch_.PathOf(file.name));
  EXPECT_TRUE(absl::IsNotFound(
      AppendEvents(Folder(), {StepRow(0, 1)}, context_, last_time_, file)));
}

TEST_F(EventFilesTest, OtherFilesAreNotOurs) {
  scratch_.Write("events.out.tfevents.x.host", "");
  // No clock says so, and nothing can be added to it.
  scratch_.Write("events.out.tfevents.9223372036854775807.host", "");
  scratch_.Write("events.out.tfevents.-1.host", "");
  std::filesystem::create_symlink(
      "model.safetensors", scratch_.PathOf("events.out.tfevents.1.host"));
  scratch_.Write("model.safetensors", "");
  EXPECT_EQ(FirstMissing(), 0);
  EXPECT_EQ(Begin(0).name, "events.out.tfevents.1700000000.host");
}

TEST_F(EventFilesTest, AStepThatNoJobReachesIsNotOurs) {
  EventFile file = Begin(0);
  Append({StepRow(0, 3)}, file);
  Event event;
  event.set_step(std::numeric_limits<int64_t>::max());
  event.mutable_session_log()->set_status(SessionLog::START);
  scratch_.Write(file.name, scratch_.Read(file.name) +
                                EventFrame(event.SerializeAsString()));
  EXPECT_EQ(FirstMissing(), FirstPlaceOf(1));
}

// hydrad alone may not get into a folder that is the user's alone.
TEST(EventFilesOfAUserTest, AreReadAsTheUser) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become other users";
  const ScratchDirectory scratch;
  const std::string folder = scratch.PathOf("folder");
  ASSERT_EQ(chmod(scratch.path().c_str(), 0755), 0);
  scratch.MakeDirectory("folder");
  ASSERT_EQ(chown(folder.c_str(), kUser, kUser), 0);
  const broker::FilesProcess files(scratch.PathOf("socket"));
  SetFileBroker(scratch.PathOf("socket"));
  const auto held = HeldDirectory::Open(folder, UserOf(kUser));
  ASSERT_TRUE(held.ok()) << held.status();
  const auto begun = BeginEventFile(*held, "host", 3, kNow);
  ASSERT_TRUE(begun.ok()) << begun.status();
  EXPECT_EQ(FirstPlaceWithoutEvents(*held).value_or(-1), FirstPlaceOf(3));
  // What hydrad may read and the user may not.
  ASSERT_EQ(chown((folder + "/" + begun->name).c_str(), 0, 0), 0);
  ASSERT_EQ(chmod((folder + "/" + begun->name).c_str(), 0600), 0);
  EXPECT_EQ(FirstPlaceWithoutEvents(*held).value_or(-1), 0);
  SetFileBroker("");
}

}  // namespace
}  // namespace hydra
