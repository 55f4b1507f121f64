// A BERT that guesses masked tokens, and one that classifies texts: the same
// bits however they are cut, what clients see of them, and what is said of data
// that does not fit them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/file/scratch_directory.h"
#include "common/safetensors/reader.h"
#include "common/tokenizer/testing/bert_tokenizer.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/every_partition.h"
#include "tests/e2e/outcome.h"
#include "tests/e2e/small_job.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

using ::testing::AllOf;
using ::testing::HasSubstr;

// Of the fixture's model.
constexpr int64_t kVocabulary = 512;
constexpr int kClasses = 3;
constexpr int kWordsOfAClass = 20;

// A text of words of its class.
std::string Text(int row_class, int words, std::mt19937& random) {
  std::string text;
  for (int i = 0; i < words; ++i) {
    absl::StrAppend(&text, i > 0 ? " " : "", "w",
                    kWordsOfAClass * row_class +
                        static_cast<int>(random() % kWordsOfAClass));
  }
  return text;
}

// Some have more words than the model has positions.
std::string LabeledRows(int count, uint32_t seed) {
  std::mt19937 random(seed);
  std::string rows;
  for (int i = 0; i < count; ++i) {
    const int row_class = static_cast<int>(random() % kClasses);
    const int words = i % 10 == 0 ? 40 : 1 + static_cast<int>(random() % 12);
    const std::string label = i % 2 == 0 ? absl::StrCat(row_class)
                                         : absl::StrCat("\"c", row_class, "\"");
    absl::StrAppend(&rows, "{\"text\": \"", Text(row_class, words, random),
                    "\", \"label\": ", label, "}\n");
  }
  return rows;
}

std::string CsvRows(int count, uint32_t seed) {
  std::mt19937 random(seed);
  std::string rows = "label,first,second\n";
  for (int i = 0; i < count; ++i) {
    const int row_class = static_cast<int>(random() % kClasses);
    absl::StrAppend(&rows, row_class, ",\"", Text(row_class, 3, random),
                    ",\nand\",", Text(row_class, i % 7, random), "\r\n");
  }
  return rows;
}

class BertTest : public ::testing::Test {
 protected:
  BertTest() {
    WriteFile(model_ + "/tokenizer.json", BertTokenizerJson(kVocabulary));
    WriteFile(train_, LabeledRows(60, 1));
    WriteFile(validation_, LabeledRows(21, 2));
    std::mt19937 random(3);
    WriteFile(text_, Text(1, 1500, random));
    WriteFile(validation_text_, Text(1, 200, random));
  }

  // The checkpoint of masked tokens as the begin of a classification.
  void UseClassifier() const {
    nlohmann::json config =
        nlohmann::json::parse(ReadFile(model_ + "/config.json"));
    config["architectures"] =
        nlohmann::json::array({"BertForSequenceClassification"});
    config["id2label"] = {{"0", "c0"}, {"1", "c1"}, {"2", "c2"}};
    config["label2id"] = {{"c0", 0}, {"c1", 1}, {"c2", 2}};
    WriteFile(model_ + "/config.json", config.dump());
  }

  // Six steps of AdamW.
  v1::JobSpec Job() const { return SixSteps("bert", model_); }

  v1::JobSpec MaskedJob() const {
    v1::JobSpec spec = Job();
    spec.mutable_data()->add_train_files(text_);
    spec.mutable_data()->add_validation_files(validation_text_);
    return spec;
  }

  v1::JobSpec ClassJob() const {
    UseClassifier();
    v1::JobSpec spec = Job();
    spec.mutable_data()->set_format(v1::DATA_FORMAT_LABELED);
    spec.mutable_data()->add_train_files(train_);
    spec.mutable_data()->add_validation_files(validation_);
    return spec;
  }

  void ExpectTheBitsOfPlainTraining(const v1::JobSpec& spec) const {
    hydra::ExpectTheBitsOfPlainTraining(spec, /*layers=*/4, /*data=*/"");
  }

  std::string ErrorOf(Cluster& cluster, const v1::JobSpec& spec) const {
    v1::SubmitRequest request;
    *request.mutable_job() = spec;
    grpc::ClientContext context;
    v1::SubmitResponse response;
    const grpc::Status status =
        cluster.stub().Submit(&context, request, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    return status.error_message();
  }

  const std::string directory_ = FreshDirectory();
  const std::string model_ = CopyOfFixture("bert-tiny", directory_);
  const std::string train_ = directory_ + "/train.jsonl";
  const std::string validation_ = directory_ + "/validation.jsonl";
  const std::string text_ = directory_ + "/text.txt";
  const std::string validation_text_ = directory_ + "/validation.txt";
};

TEST_F(BertTest, MaskedTokensAreTheSameInEveryPartition) {
  v1::JobSpec spec = MaskedJob();
  // Several epochs, each with masks of its own.
  spec.mutable_train()->set_context_length(24);
  spec.mutable_train()->set_max_steps(20);
  ExpectTheBitsOfPlainTraining(spec);
}

TEST_F(BertTest, SoTheyAreWithDropoutClippingAndRounds) {
  v1::JobSpec spec = MaskedJob();
  spec.mutable_train()->set_dropout(0.1);
  spec.mutable_train()->set_max_grad_norm(0.5);
  spec.mutable_train()->set_micro_batches_per_round(1);
  spec.mutable_train()->set_mlm_probability(0.3);
  ExpectTheBitsOfPlainTraining(spec);
}

TEST_F(BertTest, ClassesOfTextsAreTheSameInEveryPartition) {
  ExpectTheBitsOfPlainTraining(ClassJob());
}

TEST_F(BertTest, SoTheyAreOfTwoTextsWithDropoutClippingAndRounds) {
  v1::JobSpec spec = ClassJob();
  WriteFile(train_, CsvRows(60, 1));
  WriteFile(validation_, CsvRows(21, 2));
  spec.mutable_data()->set_format(v1::DATA_FORMAT_CSV);
  spec.mutable_data()->set_text_field("first");
  spec.mutable_data()->set_text_pair_field("second");
  spec.mutable_train()->set_dropout(0.1);
  spec.mutable_train()->set_max_grad_norm(0.5);
  spec.mutable_train()->set_micro_batches_per_round(1);
  spec.mutable_train()->set_label_smoothing_factor(0.1);
  ExpectTheBitsOfPlainTraining(spec);
}

TEST_F(BertTest, AdaptersAreTheSameInOnePieceAndInMany) {
  v1::JobSpec spec = MaskedJob();
  spec.mutable_lora()->set_r(3);
  spec.mutable_lora()->set_lora_dropout(0.1);
  spec.mutable_lora()->add_target_modules("all-linear");
  ExpectTheBitsOfPlainTraining(spec);
}

TEST_F(BertTest, FrozenFirstLayersAreTheSameInOnePieceAndInMany) {
  v1::JobSpec spec = ClassJob();
  spec.mutable_model()->add_frozen("bert.embeddings.*");
  spec.mutable_model()->add_frozen("bert.encoder.layer.0.*");
  ExpectTheBitsOfPlainTraining(spec);
}

// And other parts of the embeddings' and the heads' blocks.
TEST_F(BertTest, BiasesAndNormsAloneAreTheSameInOnePieceAndInMany) {
  v1::JobSpec masked = MaskedJob();
  for (const char* pattern :
       {"bert.embeddings.*embeddings.weight", "bert.encoder.*.dense.weight",
        "bert.encoder.*.self.*.weight", "cls.predictions.*.dense.weight"}) {
    masked.mutable_model()->add_frozen(pattern);
  }
  ExpectTheBitsOfPlainTraining(masked);
  v1::JobSpec classifying = ClassJob();
  classifying.mutable_model()->add_frozen("bert.embeddings.LayerNorm.*");
  classifying.mutable_model()->add_frozen("bert.encoder.*.attention.*");
  ExpectTheBitsOfPlainTraining(classifying);
}

TEST_F(BertTest, AdafactorIsTheSameInOnePieceAndInMany) {
  v1::JobSpec spec = MaskedJob();
  spec.mutable_train()->set_optim(v1::OPTIMIZER_ADAFACTOR);
  ExpectTheBitsOfPlainTraining(spec);
}

TEST_F(BertTest, WhatIsFrozenInInt8IsTheSameInOnePieceAndInMany) {
  v1::JobSpec adapted = MaskedJob();
  adapted.mutable_lora()->add_target_modules("all-linear");
  adapted.mutable_model()->set_frozen_dtype(v1::PARAMETER_TYPE_INT8);
  ExpectTheBitsOfPlainTraining(adapted);
  v1::JobSpec classifying = ClassJob();
  classifying.mutable_model()->add_frozen("bert.embeddings.*");
  classifying.mutable_model()->add_frozen("bert.encoder.layer.0.*");
  classifying.mutable_model()->set_frozen_dtype(v1::PARAMETER_TYPE_INT8);
  ExpectTheBitsOfPlainTraining(classifying);
}

TEST_F(BertTest, ProductsOfBFloat16AreTheSameInOnePieceAndInMany) {
  v1::JobSpec spec = MaskedJob();
  spec.mutable_train()->set_bf16(true);
  ExpectTheBitsOfPlainTraining(spec);
}

TEST_F(BertTest, ProductsOfFloat16AreTheSameInOnePieceAndInMany) {
  v1::JobSpec spec = MaskedJob();
  spec.mutable_train()->set_fp16(true);
  ExpectTheBitsOfPlainTraining(spec);
}

TEST_F(BertTest, AccuracyIsWhatClientsSee) {
  Cluster cluster({});
  v1::JobSpec spec = ClassJob();
  spec.mutable_train()->set_max_steps(100);
  spec.mutable_train()->set_dropout(0);
  spec.mutable_data()->add_test_files(validation_);
  const v1::JobDetail job = RunCompleted(cluster, spec);
  // By chance it were a third.
  EXPECT_GT(job.status().validation_accuracy(), 0.6);
  EXPECT_EQ(job.status().test_accuracy(), job.status().validation_accuracy());
  EXPECT_FALSE(job.status().has_validation_perplexity());
  ASSERT_GE(job.evaluations_size(), 2);
  for (const v1::EvaluationMetrics& evaluation : job.evaluations()) {
    EXPECT_EQ(evaluation.tokens(), 21);
    EXPECT_TRUE(evaluation.has_accuracy());
  }
  const auto client = [&](const std::vector<std::string>& arguments) {
    std::vector<std::string> command = {"client/hydra", "--server",
                                        cluster.address()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    const ProgramResult result = RunProgram(command);
    EXPECT_EQ(result.code, 0) << result.output;
    return result.output;
  };
  const std::string accuracy =
      absl::StrFormat("%.4f", job.status().validation_accuracy());
  EXPECT_THAT(client({"list", "--all"}),
              AllOf(HasSubstr("VAL ACC"), HasSubstr(accuracy)));
  EXPECT_THAT(client({"results", job.status().sweep_id()}),
              AllOf(HasSubstr("VAL ACC"), HasSubstr("TEST ACC")));
  EXPECT_THAT(client({"describe", job.status().job_id()}),
              AllOf(HasSubstr("accuracy " + accuracy), HasSubstr("ACCURACY")));
}

TEST_F(BertTest, ADaemonKilledOnTheWayGoesOnWithTheSameMasks) {
  v1::JobSpec spec = MaskedJob();
  spec.mutable_partition()->add_cut_points(2);
  Cluster undisturbed({});
  const v1::JobDetail whole = RunCompleted(undisturbed, spec);
  Cluster cluster({});
  const std::string job = cluster.Submit(spec);
  cluster.AwaitStep(job, 3);
  cluster.KillDaemon();
  cluster.StartDaemon();
  EXPECT_EQ(Difference(OutcomeOf(cluster.AwaitEnd(job)), OutcomeOf(whole)), "");
}

TEST_F(BertTest, TheTrainedDirectoryIsAsTransformersWritesIt) {
  Cluster cluster({});
  const auto shapes_in = [](const std::string& directory) {
    std::map<std::string, std::vector<int64_t>> shapes;
    const auto reader =
        safetensors::Reader::Open(directory + "/model.safetensors");
    EXPECT_TRUE(reader.ok()) << reader.status();
    for (const safetensors::TensorInfo& tensor : reader->table().tensors()) {
      shapes[tensor.name] = tensor.shape;
    }
    return shapes;
  };
  v1::JobSpec masked = MaskedJob();
  masked.mutable_train()->set_max_steps(1);
  const std::string trained = RunCompleted(cluster, masked).output_path();
  EXPECT_EQ(shapes_in(trained), shapes_in(model_));
  EXPECT_EQ(nlohmann::json::parse(ReadFile(trained + "/config.json")),
            nlohmann::json::parse(ReadFile(model_ + "/config.json")));
  EXPECT_EQ(ReadFile(trained + "/tokenizer.json"),
            ReadFile(model_ + "/tokenizer.json"));

  v1::JobSpec classifying = ClassJob();
  classifying.mutable_train()->set_max_steps(1);
  const std::string classifier =
      RunCompleted(cluster, classifying).output_path();
  auto expected = shapes_in(model_);
  for (auto tensor = expected.begin(); tensor != expected.end();) {
    tensor = tensor->first.rfind("cls.", 0) == 0 ? expected.erase(tensor)
                                                 : std::next(tensor);
  }
  expected["bert.pooler.dense.weight"] = {64, 64};
  expected["bert.pooler.dense.bias"] = {64};
  expected["classifier.weight"] = {kClasses, 64};
  expected["classifier.bias"] = {kClasses};
  EXPECT_EQ(shapes_in(classifier), expected);
  EXPECT_EQ(nlohmann::json::parse(ReadFile(classifier + "/config.json")),
            nlohmann::json::parse(ReadFile(model_ + "/config.json")));
}

TEST_F(BertTest, WhatDoesNotGoTogetherIsRefused) {
  Cluster cluster({});
  v1::JobSpec spec = MaskedJob();
  spec.mutable_data()->set_format(v1::DATA_FORMAT_LABELED);
  EXPECT_THAT(ErrorOf(cluster, spec),
              HasSubstr("data.format: found labeled, but a BertForMaskedLM "
                        "guesses tokens that are hidden from it"));
  spec = MaskedJob();
  spec.mutable_train()->set_context_length(4);
  EXPECT_THAT(ErrorOf(cluster, spec),
              HasSubstr("train.context_length: found 4; special tokens"));
  spec = ClassJob();
  spec.mutable_data()->set_format(v1::DATA_FORMAT_JSONL);
  EXPECT_THAT(ErrorOf(cluster, spec),
              HasSubstr("data.format: found jsonl, but a "
                        "BertForSequenceClassification learns classes"));
  spec = ClassJob();
  spec.mutable_train()->set_mlm_probability(0.2);
  EXPECT_THAT(ErrorOf(cluster, spec),
              HasSubstr("train.mlm_probability: found 0.2, but"));
  // The checkpoint has no classifier, and adapters do not train it.
  spec = ClassJob();
  spec.mutable_lora()->set_r(2);
  EXPECT_THAT(ErrorOf(cluster, spec),
              HasSubstr("lora: the weights lack bert.pooler.dense.weight"));
  spec = ClassJob();
  spec.mutable_model()->add_frozen("classifier.weight");
  EXPECT_THAT(ErrorOf(cluster, spec),
              HasSubstr("model.frozen: the weights lack classifier.weight"));
  spec = ClassJob();
  spec.mutable_model()->set_path(CopyOfFixture("gpt2-tiny", directory_));
  EXPECT_THAT(ErrorOf(cluster, spec),
              HasSubstr("data.format: found labeled, but a GPT2LMHeadModel "
                        "does not classify texts"));
}

TEST_F(BertTest, RowsThatAreWrongFailTheJobWithTheirPlace) {
  Cluster cluster({});
  v1::JobSpec spec = ClassJob();
  const auto reason_of = [&](const std::string& rows) {
    WriteFile(train_, rows);
    const v1::JobDetail job = cluster.Run(spec);
    EXPECT_EQ(job.status().state(), v1::JOB_STATE_FAILED);
    return job.status().reason();
  };
  EXPECT_THAT(
      reason_of(LabeledRows(20, 4) + "{\"text\": \"w1\", \"label\": \"c3\"}\n"),
      HasSubstr("train.jsonl: line 21 'label': found 'c3'"));
  EXPECT_THAT(reason_of(LabeledRows(20, 4) + "{\"text\": \"w1\"}\n"),
              HasSubstr("train.jsonl: line 21 has no 'label'"));
  EXPECT_THAT(reason_of(LabeledRows(5, 4)),
              HasSubstr("the training split has 5 rows"));
}

}  // namespace
}  // namespace hydra
