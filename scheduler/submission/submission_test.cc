#include "scheduler/submission/submission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/file/file_user.h"
#include "common/file/scratch_directory.h"
#include "common/gzip/testing/gzip.h"
#include "common/model/gpt2_table.h"
#include "common/safetensors/writer.h"
#include "common/tokenizer/chat_template.h"
#include "common/tokenizer/testing/bert_tokenizer.h"
#include "scheduler/core/new_job.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

constexpr char kConfig[] = R"({
  "model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "n_embd": 4,
  "n_head": 2, "n_layer": 1, "n_positions": 16, "vocab_size": 300,
  "torch_dtype": "float16"
})";
constexpr char kPointer[] =
    "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";

class SubmissionTest : public ::testing::Test {
 protected:
  SubmissionTest() {
    folder_.MakeDirectory("model");
    folder_.Write("model/config.json", kConfig);
    WriteWeights({});
    folder_.Write("train.tokens", std::string(400, '\x01'));
    job_.mutable_model()->set_path(folder_.PathOf("model"));
    job_.mutable_data()->add_train_files(folder_.PathOf("train.tokens"));
    job_.mutable_data()->set_format(v1::DATA_FORMAT_TOKENS_U16);
    job_.mutable_train()->set_max_steps(1);
    job_.mutable_train()->set_per_device_train_batch_size(1);
    job_.mutable_train()->set_learning_rate(0.1);
  }

  // The model's, and more of them.
  void WriteWeights(const std::vector<safetensors::TensorSpec>& more) {
    std::vector<safetensors::TensorSpec> specs = more;
    for (const ParameterBlock& block :
         BuildGpt2Table(*ParseGpt2Config(kConfig)).parameter_blocks) {
      for (const TensorEntry& tensor : block.tensors) {
        specs.push_back({tensor.name, safetensors::Dtype::kF16, tensor.shape});
      }
    }
    auto writer = *safetensors::Writer::Create(
        folder_.PathOf("model/model.safetensors"), specs);
    for (const safetensors::TensorSpec& spec : specs) {
      int64_t bytes = safetensors::DtypeBits(spec.dtype) / 8;
      for (int64_t dimension : spec.shape) bytes *= dimension;
      const std::string data(bytes, '\0');
      ASSERT_TRUE(writer->Append(spec.name, data.data(), bytes).ok());
    }
    ASSERT_TRUE(writer->Finish().ok());
  }

  absl::StatusOr<std::vector<NewJob>> Check(
      const std::vector<v1::GridAxis>& grid = {}) {
    v1::SubmitRequest request;
    *request.mutable_job() = job_;
    request.mutable_grid()->Assign(grid.begin(), grid.end());
    return SubmissionChecker(PathPolicy({}, {folder_.path()}), folder_.path())
        .Check(request);
  }
  // "field: description"
  std::vector<std::string> Refusal(const std::vector<v1::GridAxis>& grid = {}) {
    std::vector<std::string> lines;
    for (const Mistake& mistake : MistakesOf(Check(grid).status())) {
      lines.push_back(
          absl::StrCat(mistake.field(), ": ", mistake.description()));
    }
    return lines;
  }

  ScratchDirectory folder_;
  v1::JobSpec job_;
};

TEST_F(SubmissionTest, TakesAGoodJobWithoutAWord) {
  const auto jobs = Check();
  ASSERT_TRUE(jobs.ok()) << jobs.status();
  EXPECT_THAT(jobs->front().warnings, IsEmpty());
  EXPECT_EQ(jobs->front().spec.train().context_length(), 16);
}

TEST_F(SubmissionTest, TheTrainedModelsConfigSaysFp32) {
  const auto jobs = Check();
  ASSERT_TRUE(jobs.ok()) << jobs.status();
  EXPECT_THAT(*jobs->front().model_config_json,
              HasSubstr("\"torch_dtype\": \"float32\""));
}

TEST_F(SubmissionTest, TheTrainedModelsConfigSaysWhatIsTrainedIsOf) {
  v1::GridAxis axis;
  axis.set_field("model.trained_dtype");
  axis.add_values("bfloat16");
  axis.add_values("float32");
  const auto jobs = Check({axis});
  ASSERT_TRUE(jobs.ok()) << jobs.status();
  ASSERT_EQ(jobs->size(), 2);
  EXPECT_THAT(*jobs->front().model_config_json,
              HasSubstr("\"torch_dtype\": \"bfloat16\""));
  EXPECT_TRUE(jobs->front().table->HasMasters());
  EXPECT_THAT(*jobs->back().model_config_json,
              HasSubstr("\"torch_dtype\": \"float32\""));
  EXPECT_FALSE(jobs->back().table->HasMasters());
}

TEST_F(SubmissionTest, ReportsRangesFilesModelAndGridInOneAnswer) {
  job_.mutable_model()->set_path(folder_.PathOf("nowhere"));
  job_.mutable_data()->set_train_files(0, folder_.PathOf("nothing"));
  job_.mutable_train()->set_max_steps(-1);
  job_.mutable_train()->set_context_length(0);
  job_.mutable_output()->set_output_dir("/elsewhere");
  v1::GridAxis axis;
  axis.set_field("train.learning_rate");
  axis.add_values("fast");
  EXPECT_THAT(
      Refusal({axis}),
      UnorderedElementsAre(
          HasSubstr("train.learning_rate: "), HasSubstr("train.max_steps: "),
          HasSubstr("train.context_length: "), HasSubstr("output.output_dir: "),
          AllOf(HasSubstr("data.train_files[0]: "), HasSubstr("nothing")),
          AllOf(HasSubstr("model.path: "), HasSubstr("nowhere"))));
}

TEST_F(SubmissionTest, AdaptersThatDoNotFitTheModelAreNamed) {
  job_.mutable_lora()->add_target_modules("c_attn");
  const auto jobs = Check();
  ASSERT_TRUE(jobs.ok()) << jobs.status();
  EXPECT_TRUE(jobs->front().table->lora.has_value());
  EXPECT_LT(jobs->front().table->TrainedBytes(),
            jobs->front().table->ParameterBytes());
  job_.mutable_lora()->add_target_modules("q_proj");
  EXPECT_THAT(std::string(Check().status().message()),
              AllOf(HasSubstr("lora.target_modules: found 'q_proj'"),
                    HasSubstr("there are c_attn, c_proj, c_fc")));
  job_.mutable_lora()->set_r(-1);
  EXPECT_THAT(std::string(Check().status().message()),
              HasSubstr("lora.r: expected a whole number from 1"));
}

TEST_F(SubmissionTest, PatternsThatDoNotFitTheModelAreNamed) {
  job_.mutable_model()->add_frozen("*.h.0.*");
  const auto jobs = Check();
  ASSERT_TRUE(jobs.ok()) << jobs.status();
  EXPECT_TRUE(jobs->front().table->parameter_blocks[2].frozen);
  job_.mutable_model()->set_frozen(0, "*.h.0.*.weight");
  const auto in_part = Check();
  ASSERT_TRUE(in_part.ok()) << in_part.status();
  EXPECT_EQ(in_part->front().table->parameter_blocks.back().divided_from, 2);
  job_.mutable_model()->set_frozen(0, "*.h.77.*");
  EXPECT_THAT(std::string(Check().status().message()),
              HasSubstr("model.frozen: '*.h.77.*' matches no tensor"));
}

TEST_F(SubmissionTest, AFileThatIsNamedTwiceIsReportedOnce) {
  const std::string missing = folder_.PathOf("nothing");
  job_.mutable_data()->set_train_files(0, missing);
  job_.mutable_data()->add_train_files(missing);
  job_.mutable_data()->add_validation_files(missing);
  EXPECT_THAT(Refusal(), ElementsAre(HasSubstr("data.train_files[0]: ")));
}

TEST_F(SubmissionTest, DataThatIsSomethingElseIsRefusedByItsName) {
  job_.mutable_data()->set_train_files(
      0, folder_.Write("train.npy", "\x93NUMPY\x01"));
  EXPECT_THAT(Refusal(), ElementsAre(HasSubstr("a NumPy .npy file")));
  // Ids may begin like anything short.
  job_.mutable_data()->set_train_files(
      0, folder_.Write("ids", "\x1f\x8b\x08\x01"));
  EXPECT_TRUE(Check().ok());
  job_.mutable_data()->set_train_files(
      0, folder_.Write("ids.gz", "\x1f\x8b\x08\x01"));
  EXPECT_THAT(Refusal(), ElementsAre(HasSubstr("has no ids but is gzip data")));
  job_.mutable_data()->set_format(v1::DATA_FORMAT_TEXT);
  job_.mutable_data()->set_train_files(0, folder_.Write("text", kPointer));
  EXPECT_THAT(Refusal(), Contains(HasSubstr("git lfs pull")));
}

// What is in a packed file is looked at, as far as its first bytes tell.
TEST_F(SubmissionTest, PackedTextIsText) {
  folder_.Write("model/tokenizer.json",
                R"({"pre_tokenizer": {"type": "BertPreTokenizer"},
                    "model": {"type": "WordPiece", "unk_token": "[UNK]",
                              "vocab": {"[UNK]": 0}}})");
  v1::DataSpec& data = *job_.mutable_data();
  data.set_format(v1::DATA_FORMAT_TEXT);
  const auto write = [&](absl::string_view content) {
    data.set_train_files(0, folder_.Write("train.gz", content));
  };
  write(Gzip("some text\n"));
  EXPECT_TRUE(Check().ok()) << Check().status();
  write(Gzip(Gzip("some text\n")));
  EXPECT_THAT(Refusal(), ElementsAre(HasSubstr("is no text but gzip data")));
  write(Gzip(std::string(257, 'x') + "ustar"));
  EXPECT_THAT(Refusal(), ElementsAre(HasSubstr("is no text but a tar")));
  write("\x1f\x8b\x08\x01 and so on, and on");
  EXPECT_THAT(Refusal(), ElementsAre(AllOf(HasSubstr("data.train_files[0]: "),
                                           HasSubstr("train.gz: its gzip data "
                                                     "are damaged at byte"))));
  data.set_format(v1::DATA_FORMAT_JSONL);
  write(Gzip("[1]"));
  EXPECT_THAT(Refusal(), Contains(HasSubstr("is no JSON Lines")));
}

TEST_F(SubmissionTest, ATokenizerIsReadBeforeTheJobRuns) {
  job_.mutable_data()->set_format(v1::DATA_FORMAT_TEXT);
  EXPECT_THAT(Refusal(), ElementsAre(AllOf(HasSubstr("model.tokenizer_path: "),
                                           HasSubstr("vocab.json"))));
  folder_.Write("model/vocab.json", kPointer);
  folder_.Write("model/merges.txt", "#version: 0.2\n");
  EXPECT_THAT(Refusal(), ElementsAre(HasSubstr("vocab.json is a Git LFS")));
  folder_.Write("model/vocab.json", R"({"a": 0})");
  EXPECT_THAT(Refusal(), ElementsAre(HasSubstr("stands for byte 0x00")));
}

TEST_F(SubmissionTest, ATokenizerJsonThatHydraDoesNotKnowIsRefusedByItsPart) {
  job_.mutable_data()->set_format(v1::DATA_FORMAT_TEXT);
  folder_.Write("model/tokenizer.json", R"({"model": {"type": "Unigram"}})");
  EXPECT_THAT(
      Refusal(),
      ElementsAre(AllOf(HasSubstr("model.tokenizer_path: "),
                        HasSubstr("tokenizer.json: model.type: found \"Uni"),
                        HasSubstr("data.format: tokens_u32"))));
  folder_.Write("model/tokenizer.json", "{\n\n  oops");
  EXPECT_THAT(Refusal(), ElementsAre(HasSubstr("tokenizer.json: line 3")));
  folder_.Write("model/tokenizer.json",
                R"({"pre_tokenizer": {"type": "BertPreTokenizer"},
                    "model": {"type": "WordPiece", "unk_token": "[UNK]",
                              "vocab": {"[UNK]": 0, "one": 1}}})");
  EXPECT_THAT(Refusal(), IsEmpty());
}

TEST_F(SubmissionTest, ConversationsNeedATemplateBeforeTheJobRuns) {
  folder_.Write("model/tokenizer.json",
                R"({"pre_tokenizer": {"type": "BertPreTokenizer"},
                    "model": {"type": "WordPiece", "unk_token": "[UNK]",
                              "vocab": {"[UNK]": 0}}})");
  folder_.Write("rows.jsonl", R"({"messages": []})");
  v1::DataSpec& data = *job_.mutable_data();
  data.set_train_files(0, folder_.PathOf("rows.jsonl"));
  data.set_format(v1::DATA_FORMAT_CHAT);
  EXPECT_THAT(Refusal(),
              ElementsAre(AllOf(HasSubstr("data.chat_template: "),
                                HasSubstr("tokenizer has no chat template"))));
  data.set_chat_template(folder_.PathOf("none.jinja"));
  EXPECT_THAT(Refusal(), ElementsAre(AllOf(HasSubstr("data.chat_template: "),
                                           HasSubstr("none.jinja"))));
  folder_.Write("a.jinja", "{{ messages }}");
  data.set_chat_template(folder_.PathOf("a.jinja"));
  const auto jobs = Check();
  ASSERT_TRUE(jobs.ok()) << jobs.status();
  EXPECT_TRUE(jobs->front().spec.data().has_packing());
  EXPECT_FALSE(jobs->front().spec.data().train_on_prompt());
  // It is kept, in the record too.
  EXPECT_EQ(*jobs->front().chat_template, "{{ messages }}");
  EXPECT_EQ(SubmittedOf(jobs->front()).chat_template(), "{{ messages }}");
  folder_.Write("a.jinja", std::string(200'000, ' '));
  EXPECT_THAT(Refusal(), ElementsAre(AllOf(HasSubstr("data.chat_template: "),
                                           HasSubstr("131072"))));
  // The tokenizer's own lies where the tokenizer lies.
  folder_.Write("model/tokenizer_config.json", R"({"chat_template": "x"})");
  data.clear_chat_template();
  ASSERT_TRUE(Check().ok()) << Check().status();
  EXPECT_EQ(*Check()->front().chat_template, "");
  folder_.Write("model/tokenizer_config.json", "{}");
  // Instructions have Alpaca's, which needs a token that ends answers.
  data.set_format(v1::DATA_FORMAT_INSTRUCTION);
  EXPECT_THAT(Refusal(), ElementsAre(AllOf(HasSubstr("data.chat_template: "),
                                           HasSubstr("no eos_token"))));
  folder_.Write("model/tokenizer_config.json", R"({"eos_token": "[UNK]"})");
  ASSERT_TRUE(Check().ok()) << Check().status();
  EXPECT_EQ(*Check()->front().chat_template, AlpacaTemplate().text);
  // An array of rows.
  folder_.Write("rows.jsonl", "[1]");
  EXPECT_THAT(Refusal(), ElementsAre(HasSubstr("is no JSON Lines")));
}

TEST_F(SubmissionTest, ABertNeedsItsSpecialTokensAndItsFormats) {
  folder_.MakeDirectory("bert");
  folder_.Write("bert/config.json", R"({
    "model_type": "bert", "architectures": ["BertForMaskedLM"],
    "vocab_size": 50, "hidden_size": 4, "num_hidden_layers": 1,
    "num_attention_heads": 2, "intermediate_size": 8,
    "max_position_embeddings": 16})");
  folder_.Write("text.txt", "w1 w2 w3");
  job_.mutable_model()->set_path(folder_.PathOf("bert"));
  job_.mutable_model()->set_init(v1::INITIALIZATION_RANDOM);
  job_.mutable_data()->set_train_files(0, folder_.PathOf("text.txt"));
  EXPECT_THAT(Refusal(),
              ElementsAre(HasSubstr("data.format: found tokens_u16, but a "
                                    "BertForMaskedLM guesses tokens")));
  // No other model's formats are named.
  job_.mutable_data()->set_format(v1::DATA_FORMAT_TENSORS);
  EXPECT_THAT(Refusal(),
              Contains(AllOf(HasSubstr("data.format: found tensors, but a "
                                       "BertForMaskedLM guesses tokens"),
                             HasSubstr("set it to text, or jsonl"),
                             Not(HasSubstr("files of ids")))));
  job_.mutable_data()->set_format(v1::DATA_FORMAT_TEXT);
  folder_.Write("bert/tokenizer.json",
                R"({"pre_tokenizer": {"type": "BertPreTokenizer"},
                    "model": {"type": "WordPiece", "unk_token": "[UNK]",
                              "vocab": {"[UNK]": 0, "w1": 1}}})");
  EXPECT_THAT(Refusal(),
              ElementsAre(HasSubstr("names no cls_token and sep_token"),
                          HasSubstr("names no mask_token")));
  folder_.Write("bert/tokenizer.json", BertTokenizerJson(50));
  const auto jobs = Check();
  ASSERT_TRUE(jobs.ok()) << jobs.status();
  EXPECT_EQ(jobs->front().spec.train().mlm_probability(), 0.15);
  EXPECT_EQ(jobs->front().spec.train().context_length(), 16);
  job_.mutable_train()->set_context_length(4);
  EXPECT_THAT(Refusal(), ElementsAre(HasSubstr("at least 5 are needed")));
}

TEST_F(SubmissionTest, WarnsOfWhatIsNotUsed) {
  WriteWeights({{"score.weight", safetensors::Dtype::kF32, {2, 4}}});
  const auto jobs = Check();
  ASSERT_TRUE(jobs.ok()) << jobs.status();
  EXPECT_THAT(
      jobs->front().warnings,
      ElementsAre(AllOf(HasSubstr("score.weight"), HasSubstr("not used"))));
}

TEST_F(SubmissionTest, WarnsOfAnOutputFolderThatOthersMayChange) {
  const std::string shared = folder_.PathOf("shared");
  folder_.MakeDirectory("shared");
  ASSERT_EQ(chmod(shared.c_str(), 0770), 0);
  job_.mutable_output()->set_output_dir(shared + "/models");
  const auto jobs = Check();
  ASSERT_TRUE(jobs.ok()) << jobs.status();
  EXPECT_THAT(jobs->front().warnings,
              ElementsAre(HasSubstr(shared + " has mode 0770")));
}

TEST_F(SubmissionTest, AConfigThatIsSomethingElseIsCalledByItsName) {
  folder_.Write("model/config.json", kPointer);
  EXPECT_THAT(Refusal(),
              ElementsAre(HasSubstr("config.json is a Git LFS pointer")));
  folder_.Write("model/config.json", "{\n  \"n_embd\": 4,\n}");
  EXPECT_THAT(
      Refusal(),
      ElementsAre(HasSubstr("config.json: line 2, column 14: a comma")));
}

TEST_F(SubmissionTest, WithoutHydraFilesNoJobIsMistaken) {
  SetFileBroker(folder_.PathOf("none"));
  v1::SubmitRequest request;
  *request.mutable_job() = job_;
  const absl::Status status =
      SubmissionChecker(PathPolicy({}, {folder_.path()}), folder_.path())
          .Check(request, /*owner=*/0x7ffffff0)
          .status();
  SetFileBroker("");
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("try again later"));
}

}  // namespace
}  // namespace hydra
