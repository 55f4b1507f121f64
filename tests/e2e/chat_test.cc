// Training on conversations gives the losses that transformers gives on the
// same rows with labels of -100, and the same bits however the model is cut.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"
#include "common/tokenizer/chat_template.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/outcome.h"
#include "tests/e2e/small_job.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace fs = std::filesystem;
using Json = nlohmann::json;

// tests/chat/make_chat.py made it.
constexpr char kTraining[] = "tests/chat/testdata/training";

class ChatJobTest : public ::testing::Test {
 protected:
  ChatJobTest() {
    for (const char* file : {"tokenizer.json", "tokenizer_config.json"}) {
      fs::copy_file(absl::StrCat(kTraining, "/", file),
                    absl::StrCat(model_, "/", file));
    }
    for (const char* file : {"train.jsonl", "validation.jsonl"}) {
      fs::copy_file(absl::StrCat(kTraining, "/", file),
                    absl::StrCat(folder_, "/", file));
    }
    v1::DataSpec& data = *spec_.mutable_data();
    data.add_train_files(folder_ + "/train.jsonl");
    data.add_validation_files(folder_ + "/validation.jsonl");
    data.set_format(v1::DATA_FORMAT_CHAT);
    spec_.set_name("chat");
    spec_.mutable_model()->set_path(model_);
    v1::TrainSpec& train = *spec_.mutable_train();
    train.set_max_steps(expected_["steps"]);
    train.set_per_device_train_batch_size(expected_["batch"]);
    train.set_gradient_accumulation_steps(expected_["accumulated"]);
    train.set_context_length(expected_["context"]);
    train.set_optim(v1::OPTIMIZER_ADAMW);
    train.set_learning_rate(expected_["learning_rate"]);
    train.set_weight_decay(expected_["weight_decay"]);
  }

  v1::JobDetail Run(Cluster& cluster) const {
    v1::JobDetail job = cluster.Run(spec_);
    EXPECT_EQ(job.status().state(), v1::JOB_STATE_COMPLETED)
        << job.status().reason();
    return job;
  }

  // The rows as transformers has them, for the plain program: padded, or
  // packed.
  std::string RowsFile(bool packed) const {
    const size_t context = expected_["context"];
    std::vector<int32_t> ids;
    for (const Json& row : expected_["rows"]) {
      std::vector<int32_t> marked;
      for (size_t i = 0; i < row[0].size(); ++i) {
        const int32_t id = row[0][i];
        marked.push_back(row[1][i] == 1 ? id : ~id);
      }
      if (!packed) {
        marked.resize(std::min(marked.size(), context));
        marked.resize(context + 1, ~0);
      }
      ids.insert(ids.end(), marked.begin(), marked.end());
    }
    const std::string path = folder_ + "/rows.bin";
    WriteFile(path, {reinterpret_cast<const char*>(ids.data()),
                     ids.size() * sizeof(ids[0])});
    return path;
  }

  void ExpectTheBitsOfPlainTraining(bool packed) {
    Cluster::Options options;
    // The second one has copies that take time, and the host's updates.
    options.devices = {"cpu:0=64MiB", "cpu:1=64MiB,link=0.05"};
    Cluster cluster(options);
    const v1::JobDetail whole = Run(cluster);
    EXPECT_EQ(DifferenceToPlainTraining(whole, model_, RowsFile(packed),
                                        /*token_bytes=*/4, !packed),
              "");
    for (const std::vector<int>& cuts :
         {std::vector<int>{2}, std::vector<int>{1, 2, 3, 4}}) {
      spec_.clear_partition();
      for (int cut : cuts) spec_.mutable_partition()->add_cut_points(cut);
      // In rounds of one micro-batch, of which each has the scale of all.
      spec_.mutable_train()->set_micro_batches_per_round(cuts.size() > 1 ? 1
                                                                         : 2);
      EXPECT_EQ(Difference(OutcomeOf(Run(cluster)), OutcomeOf(whole)), "");
    }
  }

  const std::string folder_ = FreshDirectory();
  const std::string model_ = CopyOfFixture("llama3-tiny", folder_);
  const Json expected_ =
      Json::parse(ReadFile(absl::StrCat(kTraining, "/expected.json")));
  v1::JobSpec spec_;
};

TEST_F(ChatJobTest, LossesAreThoseOfTransformers) {
  spec_.mutable_data()->set_shuffle(false);
  Cluster cluster({});
  const v1::JobDetail job = Run(cluster);
  const Outcome outcome = OutcomeOf(job);
  const auto losses = expected_["losses"].get<std::vector<double>>();
  ASSERT_EQ(outcome.losses.size(), losses.size());
  for (size_t i = 0; i < losses.size(); ++i) {
    EXPECT_NEAR(outcome.losses[i].second, losses[i], 1e-5) << "step " << i;
  }
  ASSERT_EQ(job.evaluations_size(), 1);
  const v1::EvaluationMetrics& validation = job.evaluations(0);
  EXPECT_NEAR(validation.loss(), expected_["validation_loss"].get<double>(),
              1e-5);
  EXPECT_NEAR(validation.perplexity(), std::exp(validation.loss()), 1e-9);
  // Those that are trained on alone.
  EXPECT_EQ(validation.tokens(), expected_["validation_tokens"]);
  // What was cut is told.
  const std::string cut =
      absl::StrCat("of 24 rows, ", expected_["cut_rows"].get<int>(),
                   " are longer than train.context_length, 48 tokens");
  bool is_told = false;
  for (const std::string& warning : job.warnings()) {
    is_told = is_told || absl::StrContains(warning, cut);
  }
  EXPECT_TRUE(is_told) << job.DebugString();
}

TEST_F(ChatJobTest, EveryPartitionGivesTheBitsOfPlainTraining) {
  ExpectTheBitsOfPlainTraining(/*packed=*/false);
}

TEST_F(ChatJobTest, PackedRowsDoSoToo) {
  spec_.mutable_data()->set_packing(true);
  ExpectTheBitsOfPlainTraining(/*packed=*/true);
}

TEST_F(ChatJobTest, ItsTemplateStaysThoughTheFileGoes) {
  const std::string path = folder_ + "/mine.jinja";
  const std::string text =
      "{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration "
      "%}{% endfor %}";
  WriteFile(path, text);
  spec_.mutable_data()->set_chat_template(path);
  Cluster cluster({});
  const std::string id = cluster.Submit(spec_);
  WriteFile(path, "{{ raise_exception('it changed') }}");
  // It is among the job's records.
  cluster.KillDaemon();
  cluster.LosePool();
  cluster.StartDaemon();
  const v1::JobDetail job = cluster.AwaitEnd(id);
  ASSERT_EQ(job.status().state(), v1::JOB_STATE_COMPLETED)
      << job.status().reason();
  EXPECT_EQ(ReadFile(job.output_path() + "/chat_template.jinja"), text);
}

// A model that was trained on Alpaca's prompt brings it along, and instructions
// become the very same tokens by it.
TEST_F(ChatJobTest, AlpacasPromptGoesAlongAndRendersTheSame) {
  fs::remove(model_ + "/tokenizer_config.json");
  WriteFile(model_ + "/tokenizer_config.json",
            R"({"eos_token": "<|im_end|>"})");
  // Its own beginning is longer than the model's context.
  WriteFile(folder_ + "/train.jsonl",
            R"({"system": "S ", "instruction": "Say so.", "output": "So."})"
            "\n");
  spec_.mutable_data()->clear_validation_files();
  spec_.mutable_data()->set_format(v1::DATA_FORMAT_INSTRUCTION);
  spec_.mutable_train()->set_per_device_train_batch_size(1);
  spec_.mutable_train()->set_gradient_accumulation_steps(1);
  spec_.mutable_train()->set_context_length(64);
  spec_.mutable_train()->set_max_steps(1);
  Cluster cluster({});
  const v1::JobDetail first = Run(cluster);
  EXPECT_TRUE(ReadFile(first.output_path() + "/chat_template.jinja") ==
              AlpacaTemplate().text);
  const std::string written = folder_ + "/written";
  fs::create_directory(written);
  for (const char* file :
       {"tokenizer.json", "tokenizer_config.json", "chat_template.jinja"}) {
    fs::copy_file(absl::StrCat(first.output_path(), "/", file),
                  absl::StrCat(written, "/", file));
  }
  spec_.mutable_model()->set_tokenizer_path(written);
  const v1::JobDetail second = Run(cluster);
  EXPECT_EQ(Difference(OutcomeOf(second), OutcomeOf(first)), "");
  // Its name follows from what is rendered, and how.
  int prepared = 0;
  for (const auto& entry :
       fs::directory_iterator(cluster.state_dir() + "/tokens")) {
    prepared += entry.path().extension() == ".tokens";
  }
  EXPECT_EQ(prepared, 1);
}

TEST_F(ChatJobTest, ARowThatIsWrongEndsTheJobWithItsFileAndLine) {
  const std::string file = folder_ + "/train.jsonl";
  WriteFile(file,
            absl::StrCat(ReadFile(file),
                         R"({"messages": [{"role": "user", "content": "?"}]})",
                         "\n"));
  Cluster cluster({});
  const v1::JobDetail job = cluster.Run(spec_);
  EXPECT_EQ(job.status().state(), v1::JOB_STATE_FAILED);
  EXPECT_TRUE(absl::StrContains(job.status().reason(), "train.jsonl: line 25"))
      << job.status().reason();
}

}  // namespace
}  // namespace hydra
