// A head whose table comes to the device in ranges of rows, against one that is
// held whole.

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "worker/device/testing/test_device.h"
#include "worker/exec/task_runner.h"
#include "worker/exec/testing/tiny_job.h"

namespace hydra {
namespace {

using worker::v1::BLOCK_KIND_PARAMETERS;
using worker::v1::SPLIT_VALIDATION;
using worker::v1::TaskReport;

constexpr int64_t kPlenty = int64_t{32} << 20;
// The logits of 128 tokens alone take more.
constexpr int64_t kTooLittleForTheTable = int64_t{9} << 20;
// Which has no gradient beside it.
constexpr int64_t kTooLittleForAFrozenTable = int64_t{8} << 20;
constexpr int64_t kTableBytes = int64_t{20000} * 16 * 4;

// Three ranges, two slices of tokens.
TinyJob::Options WideVocabulary() {
  TinyJob::Options options;
  options.vocabulary = 20000;
  options.width = 16;
  options.layers = 2;
  options.sequences = 4;
  options.context = 40;
  return options;
}

struct Outcome {
  std::vector<double> losses;
  std::vector<std::byte> state;
  // Of the last step's TURN.
  int64_t promoted_bytes = 0;
  std::vector<int> skipped;
};

// One at a time: LibTorch allocates from one device.
class Training {
 public:
  Training(const TinyJob::Options& options, int64_t limit_bytes)
      : job_(options, testing::TempDir()),
        device_(NewTestDevice(limit_bytes)),
        runner_(device_.get(), job_.pool().AsHostRange()) {
    // The head alone, and beside a block.
    job_.SetCuts({1, options.tied ? 3 : 2});
    job_.Prepare();
    job_.Init(runner_);
  }

  TinyJob& job() { return job_; }

  void Step() {
    // Nothing is left on the device that the next step could use.
    runner_.cache().DropAll();
    const std::vector<TaskReport> reports = job_.StepReports(runner_);
    outcome_.losses.push_back(TinyJob::MeanLoss(reports));
    for (const TaskReport& report : reports) {
      for (int block : report.pass().skipped_blocks()) {
        outcome_.skipped.push_back(block);
      }
      if (report.pass().loss_tokens() == 0) continue;
      outcome_.promoted_bytes = report.cost().promoted_bytes();
    }
  }

  void OverlappedStep() {
    outcome_.losses.push_back(job_.OverlappedStep(runner_));
  }

  Outcome End() {
    job_.Finish();
    outcome_.losses.push_back(job_.Evaluate(runner_, SPLIT_VALIDATION));
    outcome_.state = job_.State();
    return outcome_;
  }

 private:
  TinyJob job_;
  const std::unique_ptr<Device> device_;
  TaskRunner runner_;
  Outcome outcome_;
};

void ExpectSame(const Outcome& actual, const Outcome& expected) {
  EXPECT_EQ(actual.losses, expected.losses);
  EXPECT_EQ(actual.skipped, expected.skipped);
  EXPECT_TRUE(actual.state == expected.state) << "parameters or state differ";
}

struct Case {
  bool tied;
  int micro_batches;
  hydra::v1::Optimizer optimizer;
  hydra::v1::UpdatePlace update_place;
  double max_grad_norm = 0;
};

TinyJob::Options OptionsOf(const Case& of) {
  TinyJob::Options options = WideVocabulary();
  options.tied = of.tied;
  options.micro_batches = of.micro_batches;
  options.optimizer = of.optimizer;
  options.update_place = of.update_place;
  options.max_grad_norm = of.max_grad_norm;
  return options;
}

class StreamedHeadTest : public testing::TestWithParam<Case> {
 protected:
  static TinyJob::Options Options() { return OptionsOf(GetParam()); }
};

TEST_P(StreamedHeadTest, GivesTheBitsOfATableThatIsHeldWhole) {
  const auto train = [](int64_t limit_bytes) {
    Training training(Options(), limit_bytes);
    training.Step();
    training.Step();
    return training.End();
  };
  const Outcome expected = train(kPlenty);
  const Outcome actual = train(kTooLittleForTheTable);
  ExpectSame(actual, expected);
  for (double loss : expected.losses) EXPECT_TRUE(std::isfinite(loss));
  // Twice for each micro-batch, where it was held once for all.
  EXPECT_GT(actual.promoted_bytes, expected.promoted_bytes + kTableBytes / 2);
}

TEST_P(StreamedHeadTest, GivesThemWhileTasksOverlap) {
  const auto train = [](int64_t limit_bytes) {
    Training training(Options(), limit_bytes);
    training.OverlappedStep();
    training.OverlappedStep();
    return training.End();
  };
  ExpectSame(train(kTooLittleForTheTable), train(kPlenty));
}

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (bool tied : {true, false}) {
    for (int micro_batches : {1, 2}) {
      for (auto optimizer :
           {hydra::v1::OPTIMIZER_ADAMW, hydra::v1::OPTIMIZER_SGD}) {
        for (auto place :
             {hydra::v1::UPDATE_PLACE_HOST, hydra::v1::UPDATE_PLACE_DEVICE}) {
          cases.push_back({tied, micro_batches, optimizer, place});
        }
      }
      cases.push_back({tied, micro_batches, hydra::v1::OPTIMIZER_ADAMW,
                       hydra::v1::UPDATE_PLACE_HOST, /*max_grad_norm=*/0.5});
    }
  }
  return cases;
}

// Of a frozen one no gradient leaves.
class StreamedHeadFrozenTest
    : public testing::TestWithParam<hydra::v1::ParameterType> {};

TEST_P(StreamedHeadFrozenTest, GivesTheBitsOfATableThatIsHeldWhole) {
  const int64_t table_bytes =
      GetParam() == hydra::v1::PARAMETER_TYPE_FLOAT32    ? kTableBytes
      : GetParam() == hydra::v1::PARAMETER_TYPE_BFLOAT16 ? kTableBytes / 2
                                                         : kTableBytes / 4;
  for (const bool tied : {true, false}) {
    for (const int micro_batches : {1, 2}) {
      TinyJob::Options options = WideVocabulary();
      options.tied = tied;
      options.micro_batches = micro_batches;
      options.lora.emplace().set_r(4);
      options.frozen_dtype = GetParam();
      const auto train = [&options](int64_t limit_bytes, bool overlapped) {
        Training training(options, limit_bytes);
        for (int i = 0; i < 2; ++i) {
          overlapped ? training.OverlappedStep() : training.Step();
        }
        return training.End();
      };
      const Outcome expected = train(kPlenty, /*overlapped=*/false);
      ExpectSame(train(kTooLittleForAFrozenTable, /*overlapped=*/true),
                 expected);
      const Outcome actual =
          train(kTooLittleForAFrozenTable, /*overlapped=*/false);
      ExpectSame(actual, expected);
      EXPECT_GT(actual.promoted_bytes,
                expected.promoted_bytes + table_bytes / 2);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, StreamedHeadFrozenTest,
                         testing::Values(hydra::v1::PARAMETER_TYPE_FLOAT32,
                                         hydra::v1::PARAMETER_TYPE_BFLOAT16,
                                         hydra::v1::PARAMETER_TYPE_INT8));

// Its gradient goes where the new masters will be.
TEST(StreamedHeadMastersTest, GivesTheBitsOfATableThatIsHeldWhole) {
  for (const Case& of : Cases()) {
    // Tied, another shard updates it.
    if (of.tied &&
        (of.micro_batches == 1 || of.optimizer == hydra::v1::OPTIMIZER_SGD)) {
      continue;
    }
    TinyJob::Options options = OptionsOf(of);
    options.trained_dtype = hydra::v1::PARAMETER_TYPE_BFLOAT16;
    SCOPED_TRACE(absl::StrCat(
        of.tied ? "tied, " : "untied, ", of.micro_batches, ", ",
        hydra::v1::Optimizer_Name(of.optimizer), ", ",
        hydra::v1::UpdatePlace_Name(of.update_place), ", ", of.max_grad_norm));
    const auto train = [&options](int64_t limit_bytes, bool overlapped) {
      Training training(options, limit_bytes);
      for (int i = 0; i < 2; ++i) {
        overlapped ? training.OverlappedStep() : training.Step();
      }
      return training.End();
    };
    const Outcome expected = train(kPlenty, /*overlapped=*/false);
    const Outcome actual = train(kTooLittleForTheTable, /*overlapped=*/false);
    ExpectSame(actual, expected);
    EXPECT_GT(actual.promoted_bytes, expected.promoted_bytes + kTableBytes / 4);
    if (of.micro_batches == 1) continue;
    ExpectSame(train(kTooLittleForTheTable, /*overlapped=*/true), expected);
    options.micro_batches_per_round = 1;
    ExpectSame(train(kTooLittleForTheTable, /*overlapped=*/false), expected);
  }
}

// The table's gradient comes from one round's version and goes to the next
// one's.
TEST(StreamedHeadRoundsTest, GiveTheBitsOfATableThatIsHeldWholeInOneRound) {
  for (const Case& of : Cases()) {
    if (of.micro_batches == 1) continue;
    TinyJob::Options options = OptionsOf(of);
    options.micro_batches = 3;
    const auto train = [&options](int64_t limit_bytes, bool overlapped) {
      Training training(options, limit_bytes);
      for (int i = 0; i < 2; ++i) {
        overlapped ? training.OverlappedStep() : training.Step();
      }
      return training.End();
    };
    const Outcome expected = train(kPlenty, /*overlapped=*/false);
    for (int micro_batches_per_round : {1, 2}) {
      options.micro_batches_per_round = micro_batches_per_round;
      ExpectSame(train(kTooLittleForTheTable,
                       /*overlapped=*/micro_batches_per_round == 1),
                 expected);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, StreamedHeadTest, testing::ValuesIn(Cases()), [](const auto& info) {
      const Case& of = info.param;
      return absl::StrCat(
          of.optimizer == hydra::v1::OPTIMIZER_SGD ? "Sgd" : "AdamW",
          of.tied ? "Tied" : "Untied", of.micro_batches,
          of.max_grad_norm > 0 ? "Clipped" : "",
          of.update_place == hydra::v1::UPDATE_PLACE_HOST ? "Host" : "Device");
    });

// Where the table has room for itself alone, and its shard is longer: as cut
// for a smaller device, or by a person.
TEST(StreamedHeadMemoryTest, AShardThatHasNoRoomForTheWholeTableStreamsIt) {
  TinyJob::Options options = WideVocabulary();
  options.layers = 30;
  constexpr int64_t kForTheTableAlone = int64_t{13800} << 10;
  const auto train = [&](const std::vector<int>& cuts, int64_t limit_bytes,
                         std::vector<std::string>* log) {
    Training training(options, limit_bytes);
    training.job().SetCuts(cuts);
    training.Step();
    training.Step();
    const Outcome outcome = training.End();
    for (const std::string& line : training.job().log().lines) {
      if (absl::StrContains(line, "table in ranges")) log->push_back(line);
    }
    return outcome;
  };
  std::vector<std::string> log;
  const Outcome whole = train({1}, kPlenty, &log);
  ExpectSame(train({1, 31}, kForTheTableAlone, &log), whole);
  EXPECT_TRUE(log.empty());
  ExpectSame(train({1}, kForTheTableAlone, &log), whole);
  // What was learned is kept for the second step.
  EXPECT_EQ(log.size(), 1);
}

// One element of the table's gradient at its end is no number: by then the
// ranges before it are updated.
TEST(StreamedHeadSkipTest, ABadRangeAtTheEndSkipsTheWholeBlock) {
  TinyJob::Options options = WideVocabulary();
  options.tied = false;
  constexpr int kHeadTable = 5;
  for (auto type : {hydra::v1::PARAMETER_TYPE_FLOAT32,
                    hydra::v1::PARAMETER_TYPE_BFLOAT16}) {
    options.trained_dtype = type;
    // Of two bytes an element, the second one of a float becomes infinite.
    const int row_floats =
        type == hydra::v1::PARAMETER_TYPE_FLOAT32 ? 16 : 16 / 2;
    std::vector<Outcome> outcomes;
    for (int64_t limit : {kPlenty, kTooLittleForTheTable}) {
      Training training(options, limit);
      training.Step();
      // Its logits are infinite, so nothing is a number.
      training.job().Slot(BLOCK_KIND_PARAMETERS,
                          kHeadTable)[19990 * row_floats] =
          std::numeric_limits<float>::infinity();
      const std::vector<std::byte> before = training.job().State();
      training.Step();
      outcomes.push_back(training.End());
      EXPECT_TRUE(outcomes.back().state == before);
      EXPECT_EQ(outcomes.back().skipped.size(), 6);
    }
    EXPECT_EQ(outcomes[1].skipped, outcomes[0].skipped);
  }
}

// The loss is infinite, and every gradient that the arithmetic makes is finite.
TEST(StreamedHeadSkipTest, AnInfiniteLossSpoilsTheTablesGradientToo) {
  for (auto [tied, micro_batches_per_round] :
       {std::pair(true, 0), {false, 0}, {true, 1}, {false, 1}}) {
    TinyJob::Options options = WideVocabulary();
    options.tied = tied;
    options.micro_batches = 2;
    options.micro_batches_per_round = micro_batches_per_round;
    const int norm = 4;
    const int table = tied ? 0 : 5;
    for (int64_t limit : {kPlenty, kTooLittleForTheTable}) {
      SCOPED_TRACE(absl::StrCat(tied ? "tied, " : "untied, ", limit, ", ",
                                micro_batches_per_round));
      Training training(options, limit);
      training.Step();
      // The normalized input is (-10, 0, ..., 0), and so the logits of all
      // tokens that occur are -infinity.
      const absl::Span<float> norms =
          training.job().Slot(BLOCK_KIND_PARAMETERS, norm);
      std::fill(norms.begin(), norms.end(), 0.0f);
      norms[16] = -10;
      const absl::Span<float> rows =
          training.job().Slot(BLOCK_KIND_PARAMETERS, table);
      for (int row = 0; row < 10000; ++row) rows[row * 16] = 3e38f;
      const std::vector<std::byte> before = training.job().State();
      training.Step();
      const Outcome outcome = training.End();
      EXPECT_TRUE(outcome.state == before);
      EXPECT_EQ(outcome.skipped.size(), tied ? 5 : 6);
    }
  }
}

}  // namespace
}  // namespace hydra
