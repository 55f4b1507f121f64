// What becomes of tokenizers, chat templates, rows, adapters and images that
// are wrong: whoever wrote them is told where and what would be right, and the
// daemon and its worker train the next job. Prints rows for the table of
// docs/benchmarks.md.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/file/scratch_directory.h"
#include "common/safetensors/testing/tensor_files.h"
#include "tests/e2e/bad_input.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/small_job.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace fs = std::filesystem;
using safetensors::Dtype;
using safetensors::FileTensor;
using safetensors::TensorOf;
using ::testing::AllOf;
using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr auto kInvalid = grpc::StatusCode::INVALID_ARGUMENT;

// tests/chat/make_chat.py made it.
constexpr char kTraining[] = "tests/chat/testdata/training";

constexpr char kGoodRow[] =
    R"({"messages": [{"role": "user", "content": "Why?"}, )"
    R"({"role": "assistant", "content": "So."}]})"
    "\n";

// Of the fixture's ViT.
constexpr int64_t kNumbers = int64_t{3} * 16 * 16;
constexpr int64_t kImages = 4;

class BadFilesTest : public BadInputTest {
 protected:
  using Spoil = std::function<void(v1::SubmitRequest&)>;

  // A job on conversations that would be right.
  v1::JobSpec Chat(const std::string& rows) {
    v1::JobSpec job = Good().job();
    job.mutable_model()->set_path(chat_model_);
    job.clear_partition();
    v1::DataSpec& data = *job.mutable_data();
    data.set_format(v1::DATA_FORMAT_CHAT);
    data.set_train_files(0, rows);
    data.clear_validation_files();
    job.mutable_evaluation()->clear_eval_steps();
    return job;
  }
  Spoil WithTokenizer(const std::string& file, const std::string& content) {
    const std::string directory = NewPath();
    fs::create_directory(directory);
    CopyTokenizer(directory);
    WriteFile(absl::StrCat(directory, "/", file), content);
    const std::string rows = FileWith(kGoodRow);
    return [=](v1::SubmitRequest& request) {
      *request.mutable_job() = Chat(rows);
      request.mutable_job()->mutable_model()->set_tokenizer_path(directory);
    };
  }
  // A tokenizer.json with something else in it.
  Spoil WithTokenizer(const std::function<void(Json&)>& change) {
    Json json = Json::parse(TokenizerJson());
    change(json);
    return WithTokenizer("tokenizer.json", json.dump());
  }
  // At `path`, on rows that a template can render.
  Spoil WithTemplate(const std::string& path, const std::string& text,
                     bool train_on_prompt = false,
                     const std::string& rows = kGoodRow) {
    WriteFile(path, text);
    const std::string data = FileWith(rows);
    return [=](v1::SubmitRequest& request) {
      *request.mutable_job() = Chat(data);
      v1::DataSpec& spec = *request.mutable_job()->mutable_data();
      spec.set_chat_template(path);
      spec.set_train_on_prompt(train_on_prompt);
    };
  }
  // Rows of this format in the file at `path`, the first of them good ones of
  // chat.
  Spoil WithRows(const std::string& path, const std::string& rows,
                 v1::DataFormat format = v1::DATA_FORMAT_CHAT) {
    WriteFile(path, rows);
    return [=](v1::SubmitRequest& request) {
      *request.mutable_job() = Chat(path);
      request.mutable_job()->mutable_data()->set_format(format);
    };
  }
  Spoil WithImages(const std::string& path,
                   const std::vector<FileTensor>& tensors) {
    safetensors::WriteTensors(path, tensors);
    return [=](v1::SubmitRequest& request) {
      v1::JobSpec& job = *request.mutable_job();
      job.mutable_model()->set_path(vit_model_);
      job.clear_partition();
      job.mutable_train()->clear_context_length();
      v1::DataSpec& data = *job.mutable_data();
      data.set_format(v1::DATA_FORMAT_TENSORS);
      data.set_train_files(0, path);
      data.clear_validation_files();
      job.mutable_evaluation()->clear_eval_steps();
    };
  }
  static std::string TokenizerJson() {
    return ReadFile(absl::StrCat(kTraining, "/tokenizer.json"));
  }
  static void CopyTokenizer(const std::string& directory) {
    for (const char* file : {"tokenizer.json", "tokenizer_config.json"}) {
      WriteFile(absl::StrCat(directory, "/", file),
                ReadFile(absl::StrCat(kTraining, "/", file)));
    }
  }
  static FileTensor Pixels(
      const std::function<void(std::vector<float>&)>& change = [](auto&) {}) {
    std::vector<float> numbers(kImages * kNumbers);
    change(numbers);
    return TensorOf("pixel_values", Dtype::kF32, {kImages, 3, 16, 16}, numbers);
  }
  static FileTensor Labels(const std::vector<int64_t>& labels = {0, 1, 2, 3}) {
    return TensorOf("labels", Dtype::kI64,
                    {static_cast<int64_t>(labels.size())}, labels);
  }

  void ExpectAllRefused(const std::vector<Submission>& submissions) {
    for (const Submission& submission : submissions) {
      ExpectRefused(submission);
      ExpectTrainsOn();
    }
  }
  // And no worker is replaced for it.
  void ExpectAllFail(const std::vector<Submission>& submissions) {
    const int restarts = cluster_->Restarts();
    for (const Submission& submission : submissions) {
      ExpectFails(submission);
      ExpectTrainsOn();
      EXPECT_EQ(cluster_->Restarts(), restarts) << submission.what;
    }
  }

  const std::string folder_ = [] {
    std::string path = NewPath();
    fs::create_directory(path);
    return path;
  }();
  const std::string vit_model_ = CopyOfFixture("vit-tiny", folder_);
  const std::string chat_model_ = [this] {
    std::string model = CopyOfFixture("llama3-tiny", folder_);
    CopyTokenizer(model);
    return model;
  }();
};

TEST_F(BadFilesTest, TokenizersAreRefusedByTheirFileAndPart) {
  const std::string json = TokenizerJson();
  ExpectAllRefused({
      {"tokenizer.json of an unknown model",
       WithTokenizer([](Json& t) { t["model"]["type"] = "Unigram"; }),
       kInvalid,
       "model.tokenizer_path: ",
       {"tokenizer.json: model.type: found \"Unigram\"; BPE and WordPiece are "
        "supported",
        "data.format: tokens_u32"}},
      {"tokenizer.json with a merge of one token",
       WithTokenizer([](Json& t) { t["model"]["merges"][1] = "alone"; }),
       kInvalid,
       "tokenizer.json: model.merges[1]: found \"alone\"; 'alone' is not two "
       "tokens with one space between"},
      {"tokenizer.json with a merge of unknown tokens",
       WithTokenizer([](Json& t) {
         t["model"]["merges"][2] = {"nobody", "!"};
       }),
       kInvalid,
       "tokenizer.json: model.merges[2]: ",
       {"'nobody' is not in the vocabulary"}},
      {"tokenizer.json with a merge that comes twice",
       WithTokenizer([](Json& t) {
         t["model"]["merges"].push_back(t["model"]["merges"][0]);
       }),
       kInvalid,
       "tokenizer.json: model.merges[56]: ",
       {"is given twice"}},
      {"tokenizer.json with two tokens of one id", WithTokenizer([](Json& t) {
         t["model"]["vocab"]["!"] = t["model"]["vocab"]["#"];
       }),
       kInvalid,
       "tokenizer.json: model.vocab: tokens '!' and '#' have the same "
       "id 2"},
      {"tokenizer.json with a negative id",
       WithTokenizer([](Json& t) { t["model"]["vocab"]["!"] = -1; }), kInvalid,
       "tokenizer.json: model.vocab: token '!' has -1 in place of an id of 0 "
       "to "},
      {"tokenizer.json without a byte",
       WithTokenizer([](Json& t) { t["model"]["vocab"].erase("!"); }), kInvalid,
       "tokenizer.json: has no token \"!\", which stands for byte 0x21"},
      {"tokenizer.json with an added token out of order",
       WithTokenizer([](Json& t) { t["added_tokens"][0]["id"] = 400; }),
       kInvalid,
       "tokenizer.json: added_tokens: token '<|im_end|>' has id 400; "
       "transformers gives it 312"},
      {"tokenizer.json nested too deep",
       WithTokenizer("tokenizer.json",
                     absl::StrCat("{\"model\":\n", std::string(10'000, '['),
                                  std::string(10'000, ']'), "}")),
       kInvalid,
       "tokenizer.json: line 2, column 100: nested deeper than the "
       "100 levels allowed"},
      {"tokenizer.json cut short",
       WithTokenizer("tokenizer.json", json.substr(0, json.size() / 2)),
       kInvalid, "tokenizer.json: line "},
      {"tokenizer_config.json of another class",
       WithTokenizer("tokenizer_config.json",
                     R"({"tokenizer_class": "T5Tokenizer"})"),
       kInvalid,
       "tokenizer_config.json: tokenizer_class: found 'T5Tokenizer'; "
       "known are GPT2Tokenizer"},
      {"a template of 200,000 bytes",
       WithTemplate(folder_ + "/long.jinja", std::string(200'000, ' ')),
       kInvalid,
       "data.chat_template: ",
       {"long.jinja has 200000 B, at most 131072 B are allowed"}},
      {"a template that is no UTF-8",
       WithTemplate(folder_ + "/latin.jinja", "{{ messages }}\xe9"),
       kInvalid,
       "data.chat_template: ",
       {"latin.jinja is no template: it is no UTF-8"}},
  });
}

TEST_F(BadFilesTest, TemplatesFailByTheirLineAndTheRows) {
  const std::string path = folder_ + "/mine.jinja";
  const std::string first_row = ": line 1 cannot be rendered by ";
  // One after another: each writes the file.
  const auto expect = [&](const std::string& what, const std::string& text,
                          const std::string& answer,
                          const std::vector<std::string>& more) {
    ExpectAllFail({{what, WithTemplate(path, text), kInvalid, answer, more}});
  };
  expect("a template with a mistake of syntax", "{{ messages }}\n{% for %}",
         path + ": line 2: is no template: Expected an expression",
         {"INVALID_ARGUMENT"});
  expect("a template that does not end",
         "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% "
         "endfor %}",
         path + ": the template takes more than 30s of CPU time", {first_row});
  expect("a template that needs 3 GB of memory",
         "\n{{ 'x' * 3000000000 ~ messages }}",
         "needs more memory than a template may have", {path});
  expect("a template that reaches for Python's insides",
         "{{ messages.__class__.__mro__ }}",
         path +
             ": line 1: access to attribute '__class__' of 'list' object is "
             "unsafe",
         {first_row});
  expect("a template with an undefined variable",
         "{{ messages[0].role }}\n{{ nobody.name }}",
         path + ": line 2: 'nobody' is undefined", {first_row});
  expect("a template that refuses the order of roles",
         "{% if messages[0].role != 'system' %}\n{{ "
         "raise_exception('Conversation roles must alternate') }}{% endif %}",
         path + ": line 2: Conversation roles must alternate", {first_row});
  expect("a template that does not say where answers are",
         "{{ messages | length }}{{ messages }}",
         "messages[1] cannot be told apart",
         {path, first_row, "data.train_on_prompt: true needs none"});
}

TEST_F(BadFilesTest, ATemplateMakesNoMoreTextThanIsTaken) {
  const std::string path = folder_ + "/long.jinja";
  const std::string row = absl::StrCat(
      R"({"messages": [{"role": "user", "content": ")", std::string(3100, 'x'),
      R"("}, {"role": "assistant", "content": "So."}]})", "\n");
  ExpectAllFail(
      {{"a template that makes 279 MB of text",
        WithTemplate(path,
                     "{% for i in range(90000) %}{{ messages[0].content }}{% "
                     "endfor %}",
                     /*train_on_prompt=*/true, row),
        kInvalid,
        path + ": the template makes more than 268435456 bytes of "
               "text"}});
}

TEST_F(BadFilesTest, RowsFailByTheirFileLineAndField) {
  const std::string path = folder_ + "/rows.jsonl";
  const std::string second = absl::StrCat(path, ": line 2 ");
  const auto chat = [&](const std::string& row) {
    return kGoodRow + row + "\n" + kGoodRow;
  };
  const auto with_content = [&](const std::string& content) {
    return chat(absl::StrCat(R"({"messages": [{"role": "user", "content": )",
                             content, "}]}"));
  };
  const auto expect = [&](const std::string& what, const std::string& rows,
                          const std::string& answer,
                          v1::DataFormat format = v1::DATA_FORMAT_CHAT) {
    ExpectAllFail({{what, WithRows(path, rows, format), kInvalid, answer}});
  };
  expect("a row without messages", chat(R"({"prompt": "Why?"})"),
         second +
             "has neither 'messages' nor 'conversations'; it has "
             "'prompt'");
  expect("a row of no messages", chat(R"({"messages": []})"),
         second + "messages: expected a list of messages, found an empty one");
  expect("a row of an unknown speaker",
         chat(R"({"conversations": [{"from": "robot", "value": "Hm."}]})"),
         second +
             "conversations[0].from: expected one of human, user, gpt, "
             "assistant, system, found 'robot'");
  expect("a row without an answer", with_content(R"("Why?")"),
         second + "has no answer: none of its messages is the assistant's");
  expect("a row with content null", with_content("null"),
         second + "messages[0].content: expected a text, found null");
  expect("a row with a number for a text", with_content("17"),
         second + "messages[0].content: expected a text, found a number");
  expect("a row that is no UTF-8", with_content("\"caf\xe9\""),
         second + "is no JSON at its byte ");
  expect("a row with half a surrogate", with_content(R"("\ud83d")"),
         second + "is no JSON at its byte ");
  expect("a row that calls a tool",
         chat(R"({"messages": [{"role": "assistant", "content": "a", )"
              R"("tool_calls": [{"id": 1}]}]})"),
         second + "messages[0]: calls a tool, or is a tool's");
  expect("a row of 100 MB",
         with_content(absl::StrCat("\"", std::string(100'000'000, 'x'), "\"")),
         second + "has more than 67108864 bytes");
  expect("rows of nothing but white space", "\n \n\t\n", path + " has no rows");
  expect("an instruction without an output",
         R"({"instruction": "Say so.", "input": ""})"
         "\n",
         path + ": line 1 has no 'output'; it has 'instruction', 'input'",
         v1::DATA_FORMAT_INSTRUCTION);
  expect("a number where data.text_field is",
         "{\"text\": \"a\"}\n{\"text\": 5}",
         second + "'text': expected a text, found a number",
         v1::DATA_FORMAT_JSONL);
  ExpectAllRefused({{"a file of rows that is empty",
                     WithRows(path, ""),
                     kInvalid,
                     "data.train_files[0]: ",
                     {"is empty"}}});
}

TEST_F(BadFilesTest, AdaptersAreRefusedByTheirField) {
  const auto lora = [](const std::function<void(v1::LoraSpec&)>& change) {
    return [=](v1::SubmitRequest& request) {
      change(*request.mutable_job()->mutable_lora());
    };
  };
  ExpectAllRefused({
      {"adapters of rank 0", lora([](v1::LoraSpec& l) { l.set_r(0); }),
       kInvalid, "lora.r: expected a whole number from 1 to 65536, found 0"},
      {"adapters of a rank above the limit",
       lora([](v1::LoraSpec& l) { l.set_r(65537); }), kInvalid,
       "lora.r: expected a whole number from 1 to 65536, found 65537"},
      {"adapters of an unknown module",
       lora([](v1::LoraSpec& l) { l.add_target_modules("q_proj"); }), kInvalid,
       "lora.target_modules: found 'q_proj', which no linear map of the model "
       "ends in; there are c_attn, c_proj, c_fc; or write all-linear"},
      {"adapters of all modules and one", lora([](v1::LoraSpec& l) {
         l.add_target_modules("c_attn");
         l.add_target_modules("all-linear");
       }),
       kInvalid, "lora.target_modules: all-linear stands alone"},
      {"adapters that drop everything",
       lora([](v1::LoraSpec& l) { l.set_lora_dropout(1); }), kInvalid,
       "lora.lora_dropout: expected a number from 0 to below 1, found 1"},
      {"adapters without a scale",
       lora([](v1::LoraSpec& l) { l.set_lora_alpha(0); }), kInvalid,
       "lora.lora_alpha: expected a finite number above 0, found 0"},
  });
}

// Its sum is of its numbers alone.
TEST_F(BadFilesTest, AnAdapterOfAnotherShapeIsNotGoneOnFrom) {
  v1::JobSpec job = Good().job();
  job.mutable_lora();
  job.mutable_train()->set_max_steps(100'000);
  job.mutable_evaluation()->clear_eval_steps();
  job.mutable_checkpoint()->set_every_steps(5);
  const std::string id = cluster_->Submit(job);
  cluster_->AwaitJob(id, [](const v1::JobDetail& detail) {
    return detail.checkpoints_size() > 0;
  });
  cluster_->KillDaemon();
  cluster_->LosePool();
  int changed = 0;
  for (const auto& entry : fs::recursive_directory_iterator(
           absl::StrCat(cluster_->state_dir(), "/outputs/", id, "-small"))) {
    if (entry.path().filename() != "adapter_model.safetensors") continue;
    std::string file = ReadFile(entry.path().string());
    changed +=
        absl::StrReplaceAll({{"\"shape\":[8,64]", "\"shape\":[64,8]"}}, &file);
    WriteFile(entry.path().string(), file);
  }
  ASSERT_GT(changed, 0);
  cluster_->StartDaemon();
  cluster_->AwaitJob(id, [](const v1::JobDetail& detail) {
    return detail.status().state() == v1::JOB_STATE_PAUSED;
  });
  const std::string reason = cluster_->Job(id).status().reason();
  EXPECT_THAT(reason, AllOf(HasSubstr("adapter_model.safetensors: tensor "),
                            HasSubstr("has shape [64, 8], wanted [8, 64]"),
                            HasSubstr("resume the job to try again")));
  Report("an adapter of another shape (the job is paused)", 0, reason);
  ExpectTrainsOn();
  grpc::ClientContext context;
  v1::CancelRequest cancel;
  cancel.set_job_id(id);
  v1::CancelResponse cancelled;
  EXPECT_TRUE(cluster_->stub().Cancel(&context, cancel, &cancelled).ok());
}

TEST_F(BadFilesTest, ImagesFailByTheirFileAndTensor) {
  const std::string path = folder_ + "/images.safetensors";
  const auto expect = [&](const std::string& what,
                          const std::vector<FileTensor>& tensors,
                          const std::string& answer) {
    ExpectAllFail({{what, WithImages(path, tensors), kInvalid,
                    absl::StrCat(path, ": ", answer)}});
  };
  const std::vector<float> small(kImages * 3 * 8 * 8);
  expect("images of another size",
         {TensorOf("pixel_values", Dtype::kF32, {kImages, 3, 8, 8}, small),
          Labels()},
         "pixel_values: found the shape [4, 3, 8, 8]; the model takes "
         "[examples, 3, 16, 16]");
  const std::vector<double> wide(kImages * kNumbers);
  expect("images of doubles",
         {TensorOf("pixel_values", Dtype::kF64, {kImages, 3, 16, 16}, wide),
          Labels()},
         "pixel_values: found the type F64; F32, F16, BF16 or U8 is needed");
  expect("images with a label out of range", {Pixels(), Labels({0, 10, 2, 3})},
         "labels: example 1 has class 10; the model has classes 0 to 9");
  expect("images with a negative label", {Pixels(), Labels({0, 1, -1, 3})},
         "labels: example 2 has class -1; the model has classes 0 to 9");
  expect("images with a pixel that is no number",
         {Pixels([](std::vector<float>& numbers) {
            numbers[kNumbers + 5] = std::numeric_limits<float>::quiet_NaN();
          }),
          Labels()},
         "pixel_values: number 5 of example 1 is infinite or no number");
  expect("images without labels", {Pixels()},
         "has no tensor labels, which has the class of each example");
  expect("labels without images", {Labels()},
         "has no tensor pixel_values; the model takes [examples, 3, 16, 16]");
  expect("more images than labels", {Pixels(), Labels({0, 1, 2})},
         "pixel_values has 4 examples, and labels 3");
  expect("labels that are no whole numbers",
         {Pixels(), TensorOf("labels", Dtype::kF32, {kImages},
                             std::vector<float>(kImages))},
         "labels: found the type F32; I64 or I32 is needed");
}

}  // namespace
}  // namespace hydra
