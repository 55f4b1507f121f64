// A job that trains on text by a tokenizer.json trains on the ids that it says.

#include "common/tokenizer/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/file/scratch_directory.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/outcome.h"
#include "tests/e2e/small_job.h"
#include "worker/data/text_tokenizer.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
namespace v1 = hydra::v1;

constexpr char kTestdata[] = "tests/tokenizers/testdata/";

// More than the daemon's workers read at once.
std::string LongText() {
  std::string texts;
  for (const auto& hex :
       nlohmann::json::parse(ReadFile(absl::StrCat(kTestdata, "texts.json")))) {
    absl::StrAppend(&texts, absl::HexStringToBytes(hex.get<std::string>()),
                    " ");
  }
  std::string text;
  while (text.size() < (5 << 19)) text += texts;
  return text;
}

class TokenizerTest : public testing::TestWithParam<const char*> {
 protected:
  TokenizerTest() {
    const SmallJobFiles files = MakeSmallJobFiles(folder_.path());
    spec_ = SmallJob(files, {2});
    const std::string model = folder_.PathOf("model");
    folder_.MakeDirectory("model");
    WriteFile(model + "/config.json",
              absl::StrReplaceAll(ReadFile(files.wide_model + "/config.json"),
                                  {{"50257", "2000"}, {"50256", "0"}}));
    WriteFile(model + "/tokenizer.json", Json());
    spec_.mutable_model()->set_path(model);
    spec_.mutable_model()->set_init(v1::INITIALIZATION_RANDOM);
    spec_.mutable_data()->clear_validation_files();
    spec_.clear_evaluation();
  }

  static std::string Json() {
    return ReadFile(absl::StrCat(kTestdata, GetParam(), ".tokenizer.json"));
  }

  // As the job file has `format`, on `content`.
  v1::JobSpec On(const std::string& content, v1::DataFormat format) {
    v1::JobSpec spec = spec_;
    spec.mutable_data()->set_format(format);
    spec.mutable_data()->set_train_files(
        0, folder_.Write(absl::StrCat("data", format), content));
    return spec;
  }

  ScratchDirectory folder_;
  v1::JobSpec spec_;
};

// The ids of the whole text, as little-endian uint32.
std::string IdsOf(const std::string& text, const std::string& json) {
  TokenizerFiles files;
  files.tokenizer_json = TokenizerFile{"tokenizer.json", json};
  auto tokenizer = ParseTokenizer(files);
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.status();
  std::vector<uint32_t> ids;
  TextTokenizer(*std::move(tokenizer)).Encode(text, &ids);
  return std::string(reinterpret_cast<const char*>(ids.data()),
                     ids.size() * sizeof(ids[0]));
}

TEST_P(TokenizerTest, AJobTrainsOnItsIdsAndKeepsItsFile) {
  const std::string text = LongText();
  Cluster cluster({});
  const v1::JobDetail on_text = cluster.Run(On(text, v1::DATA_FORMAT_TEXT));
  const v1::JobDetail on_ids =
      cluster.Run(On(IdsOf(text, Json()), v1::DATA_FORMAT_TOKENS_U32));
  ASSERT_EQ(on_text.status().state(), v1::JOB_STATE_COMPLETED)
      << on_text.status().DebugString();
  EXPECT_EQ(OutcomeOf(on_text).losses.size(), 6);
  EXPECT_EQ(Difference(OutcomeOf(on_text), OutcomeOf(on_ids)), "");
  EXPECT_EQ(ReadFile(on_text.output_path() + "/tokenizer.json"), Json());
}

TEST_P(TokenizerTest, AJobTrainsOnTheRowsOfJsonLines) {
  const std::string config = R"({"eos_token": "<|endoftext|>"})";
  WriteFile(spec_.model().path() + "/tokenizer_config.json", config);
  TokenizerFiles files;
  files.tokenizer_json = TokenizerFile{"tokenizer.json", Json()};
  files.tokenizer_config_json = TokenizerFile{"tokenizer_config.json", config};
  TextTokenizer tokenizer(*ParseTokenizer(files));
  std::string rows;
  std::vector<uint32_t> ids;
  for (int i = 0; rows.size() < (5 << 19); ++i) {
    const std::string body =
        i % 97 == 0 ? "" : absl::StrCat("Row ", i, ", \xc3\xa9t\xc3\xa9. ");
    absl::StrAppend(&rows,
                    nlohmann::json{{"text", "not this"}, {"body", body}}.dump(),
                    "\n");
    if (body.empty()) continue;
    tokenizer.Encode(body, &ids);
    ids.push_back(tokenizer.end_of_text_id().value());
  }
  const std::string raw(reinterpret_cast<const char*>(ids.data()),
                        ids.size() * sizeof(ids[0]));
  v1::JobSpec on_rows = On(rows, v1::DATA_FORMAT_JSONL);
  on_rows.mutable_data()->set_text_field("body");
  Cluster cluster({});
  const v1::JobDetail job = cluster.Run(on_rows);
  ASSERT_EQ(job.status().state(), v1::JOB_STATE_COMPLETED)
      << job.status().DebugString();
  EXPECT_EQ(
      Difference(OutcomeOf(job),
                 OutcomeOf(cluster.Run(On(raw, v1::DATA_FORMAT_TOKENS_U32)))),
      "");
}

INSTANTIATE_TEST_SUITE_P(Kind, TokenizerTest,
                         testing::Values("llama2", "qwen2", "bert_uncased"),
                         [](const auto& info) {
                           return std::string(info.param);
                         });

}  // namespace
}  // namespace hydra
