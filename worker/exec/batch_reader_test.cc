#include "worker/exec/batch_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/safetensors/testing/tensor_files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/data/example_cache.h"
#include "worker/data/marked_writer.h"
#include "worker/data/posix_file.h"
#include "worker/data/token_header.h"
#include "worker/data/token_writer.h"
#include "worker/task/task_control.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;
using worker::v1::JobContext;
using worker::v1::Task;

constexpr int64_t kPlenty = int64_t{1} << 20;

ModelTable TableOf(int64_t vocab_size) {
  ModelTable table;
  table.vocabulary_size = vocab_size;
  return table;
}

// A training split of the ids 0 to 40: ten windows of context 4.
class BatchReaderTest : public testing::Test {
 protected:
  BatchReaderTest()
      : path_(absl::StrCat(
            testing::TempDir(), "/",
            testing::UnitTest::GetInstance()->current_test_info()->name())) {
    file_ = WriteIds(path_, 41);

    worker::v1::PreparedSplit* split = job_.add_splits();
    split->set_split(worker::v1::SPLIT_TRAIN);
    split->set_token_file(path_);
    job_.mutable_spec()->mutable_data()->set_shuffle(false);
    hydra::v1::TrainSpec* train = job_.mutable_spec()->mutable_train();
    train->set_context_length(4);
    train->set_per_device_train_batch_size(2);
    train->set_gradient_accumulation_steps(1);
    task_.set_kind(worker::v1::TASK_KIND_FORWARD);
    task_.set_last_micro_batch(1);
  }

  // The ids 0 to count - 1.
  static PosixFile WriteIds(const std::string& path, int count) {
    PosixFile file = *PosixFile::Open(path, O_RDWR | O_CREAT | O_TRUNC);
    std::vector<uint32_t> ids(count);
    std::iota(ids.begin(), ids.end(), 0);
    TokenWriter writer(&file);
    EXPECT_TRUE(writer.Begin().ok());
    EXPECT_TRUE(writer.Append(ids).ok());
    EXPECT_TRUE(writer.Finish().ok());
    return file;
  }

  absl::StatusOr<std::vector<HostBatch>> ReadStep(int64_t step,
                                                  int64_t vocab_size) {
    task_.set_step(step);
    return reader_.Read(task_, job_, TableOf(vocab_size));
  }

  // As a fault of the disk would.
  void OverwriteId(int64_t index, char id) {
    const int64_t offset =
        TokenHeader::kBytes + index * static_cast<int64_t>(sizeof(uint32_t));
    ASSERT_TRUE(file_->WriteAt(absl::string_view(&id, 1), offset).ok());
  }

  const std::string path_;
  std::optional<PosixFile> file_;
  JobContext job_;
  Task task_;
  BatchReader reader_{kPlenty};
};

TEST_F(BatchReaderTest, ReadsTheWindowsOfAStep) {
  const auto batches = ReadStep(1, 41);
  ASSERT_TRUE(batches.ok()) << batches.status();
  ASSERT_EQ(batches->size(), 1);
  EXPECT_THAT(batches->front().tokens,
              ElementsAre(8, 9, 10, 11, 12, 12, 13, 14, 15, 16));
}

TEST_F(BatchReaderTest, OnlyTrainingSmoothsLabels) {
  job_.mutable_spec()->mutable_train()->set_label_smoothing_factor(0.1);
  EXPECT_EQ(ReadStep(0, 41)->front().label_smoothing, 0.1);
  job_.mutable_spec()->mutable_evaluation()->set_per_device_eval_batch_size(1);
  task_.set_kind(worker::v1::TASK_KIND_EVALUATE);
  task_.set_split(worker::v1::SPLIT_TRAIN);
  EXPECT_EQ(ReadStep(0, 41)->front().label_smoothing, 0);
}

TEST_F(BatchReaderTest, EveryMicroBatchIsScaledByWhatTheWholeStepTrainsOn) {
  constexpr uint32_t kNot = kUntrainedMark;
  PosixFile file = *PosixFile::Open(path_, O_RDWR | O_CREAT | O_TRUNC);
  MarkedWriter writer(&file, /*has_rows=*/true);
  ASSERT_TRUE(writer.Begin().ok());
  ASSERT_TRUE(writer.Append({1 | kNot, 2 | kNot, 3}).ok());
  ASSERT_TRUE(writer.Append({4 | kNot, 5, 6, 7}).ok());
  ASSERT_TRUE(writer.Finish({}).ok());
  hydra::v1::TrainSpec* train = job_.mutable_spec()->mutable_train();
  train->set_per_device_train_batch_size(1);
  train->set_gradient_accumulation_steps(2);
  task_.set_kind(worker::v1::TASK_KIND_TURN);
  for (int round = 0; round < 2; ++round) {
    task_.set_first_micro_batch(round);
    task_.set_last_micro_batch(round + 1);
    const auto batches = ReadStep(0, 41);
    ASSERT_TRUE(batches.ok()) << batches.status();
    EXPECT_EQ(batches->front().gradient_scale, 1.0 / 4);
    EXPECT_EQ(batches->front().untrained_targets, round == 0 ? 3 : 1);
  }
  EXPECT_THAT(ReadStep(0, 41)->front().targets,
              ElementsAre(5, 6, 7, kNoTarget));
  EXPECT_THAT(ReadStep(0, 41)->front().tokens, ElementsAre(4, 5, 6, 7, 0));
  // The two rows are one epoch.
  EXPECT_EQ(ReadStep(1, 41)->front().tokens, ReadStep(0, 41)->front().tokens);
  const auto bad = ReadStep(0, 6);
  EXPECT_EQ(bad.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(bad.status().message(),
              HasSubstr("position 2 of window 1 has the token id 6"));
}

TEST_F(BatchReaderTest, EachMicroBatchIsAsLongAsItsLongestRow) {
  PosixFile file = *PosixFile::Open(path_, O_RDWR | O_CREAT | O_TRUNC);
  MarkedWriter writer(&file, /*has_rows=*/true);
  ASSERT_TRUE(writer.Begin().ok());
  ASSERT_TRUE(writer.Append(std::vector<uint32_t>(7, 1)).ok());
  ASSERT_TRUE(writer.Append(std::vector<uint32_t>(18, 1)).ok());
  ASSERT_TRUE(writer.Finish({}).ok());
  hydra::v1::TrainSpec* train = job_.mutable_spec()->mutable_train();
  train->set_context_length(40);
  train->set_per_device_train_batch_size(1);
  train->set_gradient_accumulation_steps(2);
  task_.set_kind(worker::v1::TASK_KIND_TURN);
  task_.set_last_micro_batch(2);
  const auto batches = ReadStep(0, 41);
  ASSERT_TRUE(batches.ok()) << batches.status();
  ASSERT_EQ(batches->size(), 2);
  std::vector<int64_t> contexts;
  for (const HostBatch& batch : *batches) {
    contexts.push_back(batch.context);
    EXPECT_EQ(batch.tokens.size(), batch.context + 1);
    EXPECT_EQ(batch.gradient_scale, 1.0 / (6 + 17));
  }
  EXPECT_THAT(contexts, UnorderedElementsAre(8, 24));
}

TEST_F(BatchReaderTest, AStepOfWhichNothingIsTrainedOnHasAScale) {
  constexpr uint32_t kNot = kUntrainedMark;
  PosixFile file = *PosixFile::Open(path_, O_RDWR | O_CREAT | O_TRUNC);
  MarkedWriter writer(&file, /*has_rows=*/false);
  ASSERT_TRUE(writer.Begin().ok());
  ASSERT_TRUE(writer.Append(std::vector<uint32_t>(20, 7 | kNot)).ok());
  ASSERT_TRUE(writer.Finish({}).ok());
  task_.set_kind(worker::v1::TASK_KIND_TURN);
  const auto batches = ReadStep(0, 41);
  ASSERT_TRUE(batches.ok()) << batches.status();
  EXPECT_EQ(batches->front().untrained_targets, 8);
  EXPECT_EQ(batches->front().gradient_scale, 1);
}

TEST_F(BatchReaderTest, OtherTrainingDataAreReadAsByANewReader) {
  job_.mutable_spec()->mutable_data()->set_shuffle(true);
  ASSERT_TRUE(ReadStep(0, 401).ok());
  const std::string longer = absl::StrCat(path_, ".longer");
  WriteIds(longer, 401);
  job_.mutable_splits(0)->set_token_file(longer);
  const auto again = ReadStep(1, 401);
  ASSERT_TRUE(again.ok()) << again.status();
  const auto fresh = BatchReader(kPlenty).Read(task_, job_, TableOf(401));
  ASSERT_TRUE(fresh.ok()) << fresh.status();
  EXPECT_EQ(again->front().tokens, fresh->front().tokens);
}

// Eleven examples of two numbers: the example's own, and its negative.
class ExampleBatchesTest : public BatchReaderTest {
 protected:
  static constexpr int kExamples = 11;

  ExampleBatchesTest() {
    std::vector<float> numbers;
    std::vector<int64_t> labels;
    for (int i = 0; i < kExamples; ++i) {
      numbers.push_back(static_cast<float>(i));
      numbers.push_back(static_cast<float>(-i));
      labels.push_back(i % 3);
    }
    const std::string data = path_ + ".data";
    safetensors::WriteTensors(
        data, {safetensors::TensorOf("pixel_values", safetensors::Dtype::kF32,
                                     {kExamples, 2}, numbers),
               safetensors::TensorOf("labels", safetensors::Dtype::kI64,
                                     {kExamples}, labels)});
    table_.examples = ExampleInput{"pixel_values", {2}, 3};
    ExampleRequest request;
    request.cache_dir = path_ + ".cache";
    request.files = {data};
    request.input = *table_.examples;
    TaskControl control;
    const auto prepared = PrepareExamples(request, control);
    EXPECT_TRUE(prepared.ok()) << prepared.status();
    job_.mutable_splits(0)->set_token_file(prepared->path);
    job_.mutable_spec()->mutable_train()->set_context_length(1);
    job_.mutable_spec()->mutable_evaluation()->set_per_device_eval_batch_size(
        4);
  }

  absl::StatusOr<std::vector<HostBatch>> Read() {
    return reader_.Read(task_, job_, table_);
  }

  ModelTable table_;
};

TEST_F(ExampleBatchesTest, ReadsTheExamplesOfAStep) {
  task_.set_step(1);
  const auto batches = Read();
  ASSERT_TRUE(batches.ok()) << batches.status();
  ASSERT_EQ(batches->size(), 1);
  const HostBatch& batch = batches->front();
  EXPECT_EQ(batch.sequences, 2);
  EXPECT_EQ(batch.context, 1);
  EXPECT_TRUE(batch.tokens.empty());
  EXPECT_THAT(batch.examples, ElementsAre(2, -2, 3, -3));
  EXPECT_THAT(batch.targets, ElementsAre(2, 0));
  EXPECT_EQ(batch.gradient_scale, 0.5);
}

TEST_F(ExampleBatchesTest, VisitsEachExampleOnceInAnEpochOfItsOwnOrder) {
  job_.mutable_spec()->mutable_data()->set_shuffle(true);
  std::vector<float> seen;
  for (int step = 0; step < kExamples / 2; ++step) {
    task_.set_step(step);
    const auto batches = Read();
    ASSERT_TRUE(batches.ok()) << batches.status();
    for (size_t i = 0; i < batches->front().examples.size(); i += 2) {
      const float number = batches->front().examples[i];
      EXPECT_EQ(batches->front().targets[i / 2], static_cast<int>(number) % 3);
      seen.push_back(number);
    }
  }
  EXPECT_FALSE(std::is_sorted(seen.begin(), seen.end()));
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::unique(seen.begin(), seen.end()), seen.end());
}

TEST_F(ExampleBatchesTest, OnlyTheFirstLayerTakesTheirNumbers) {
  task_.set_first_layer(1);
  const auto batches = Read();
  ASSERT_TRUE(batches.ok()) << batches.status();
  EXPECT_TRUE(batches->front().examples.empty());
  EXPECT_THAT(batches->front().targets, ElementsAre(0, 1));
}

TEST_F(ExampleBatchesTest, TheLastBatchOfAnEvaluationMayBeShorter) {
  task_.set_kind(worker::v1::TASK_KIND_EVALUATE);
  task_.set_split(worker::v1::SPLIT_TRAIN);
  task_.set_last_micro_batch(3);
  const auto batches = Read();
  ASSERT_TRUE(batches.ok()) << batches.status();
  ASSERT_EQ(batches->size(), 3);
  EXPECT_THAT((*batches)[2].examples, ElementsAre(8, -8, 9, -9, 10, -10));
}

TEST_F(ExampleBatchesTest, RefusesAnotherModelsFile) {
  table_.examples->shape = {3};
  EXPECT_EQ(Read().status().code(), absl::StatusCode::kDataLoss);
  table_.examples->shape = {2};
  table_.examples->class_count = 2;
  task_.set_step(1);
  const absl::Status status = Read().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(status.message(),
              HasSubstr("example 2 has class 2; the model has 2"));
}

TEST_F(BatchReaderTest, EqualJobsShareOneOrder) {
  job_.mutable_spec()->mutable_data()->set_shuffle(true);
  ASSERT_TRUE(ReadStep(0, 41).ok());
  const int64_t bytes = reader_.order_bytes();
  EXPECT_GT(bytes, 10 * 4);
  for (int job = 1; job <= 2000; ++job) {
    job_.set_job_id(job);
    ASSERT_TRUE(ReadStep(0, 41).ok());
    ASSERT_EQ(reader_.order_bytes(), bytes) << job;
  }
  // Five steps are an epoch.
  ASSERT_TRUE(ReadStep(4, 41).ok());
  EXPECT_EQ(reader_.order_bytes(), bytes);
  ASSERT_TRUE(ReadStep(5, 41).ok());
  EXPECT_EQ(reader_.order_bytes(), 2 * bytes);
  job_.mutable_spec()->mutable_train()->set_seed(7);
  ASSERT_TRUE(ReadStep(5, 41).ok());
  EXPECT_EQ(reader_.order_bytes(), 3 * bytes);
}

TEST_F(BatchReaderTest, OrdersThatHaveNoRoomAreMadeAnew) {
  job_.mutable_spec()->mutable_data()->set_shuffle(true);
  constexpr int64_t kRoomForOne = 600;
  BatchReader small(kRoomForOne);
  for (int step = 0; step < 30; ++step) {
    const auto expected = ReadStep(step, 41);
    const auto read = small.Read(task_, job_, TableOf(41));
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->front().tokens, expected->front().tokens);
    EXPECT_LE(small.order_bytes(), kRoomForOne);
  }
}

TEST_F(BatchReaderTest, RefusesAFileForALargerVocabularyAtOnce) {
  const absl::Status status = ReadStep(0, 30).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(),
            absl::StrCat(path_,
                         ": position 2 of window 7 has the token id 30; the "
                         "model's vocab_size is 30"));
}

TEST_F(BatchReaderTest, FindsAnIdThatTheHeaderDenies) {
  OverwriteId(15, 99);
  EXPECT_TRUE(ReadStep(0, 41).ok());
  const absl::Status status = ReadStep(1, 41).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(status.message(),
            absl::StrCat(path_,
                         ": position 3 of window 3 has the token id 99; the "
                         "model's vocab_size is 41"));
}

TEST_F(BatchReaderTest, AFileThatIsCutOffMeanwhileIsAnErrorOfItsOwn) {
  WriteIds(path_, 50001);
  ASSERT_TRUE(ReadStep(0, 50001).ok());
  ASSERT_EQ(truncate(path_.c_str(), TokenHeader::kBytes + 400), 0);
  const absl::Status status = ReadStep(6000, 50001).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  EXPECT_THAT(status.message(), HasSubstr(path_));
}

}  // namespace
}  // namespace hydra
