// What hydrad answers to broken submissions and requests, and that it serves on
// after each. Prints the table of docs/benchmarks.md.

#include "tests/e2e/bad_input.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/file/scratch_directory.h"
#include "tests/e2e/cluster.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr auto kInvalid = grpc::StatusCode::INVALID_ARGUMENT;
constexpr auto kNotFound = grpc::StatusCode::NOT_FOUND;
constexpr auto kExhausted = grpc::StatusCode::RESOURCE_EXHAUSTED;

TEST_F(BadInputTest, WrongValuesAreRefusedWithTheirField) {
  for (const Submission& submission : std::vector<Submission>{
           {"batch size 0",
            [](auto& r) {
              r.mutable_job()->mutable_train()->set_per_device_train_batch_size(
                  0);
            },
            kInvalid, "train.per_device_train_batch_size"},
           {"negative learning rate",
            [](auto& r) {
              r.mutable_job()->mutable_train()->set_learning_rate(-1);
            },
            kInvalid, "train.learning_rate"},
           {"learning rate NaN",
            [](auto& r) {
              r.mutable_job()->mutable_train()->set_learning_rate(std::nan(""));
            },
            kInvalid, "train.learning_rate"},
           {"no steps and no epochs",
            [](auto& r) {
              r.mutable_job()->mutable_train()->clear_max_steps();
            },
            kInvalid, "max_steps"},
           {"dropout 1.5",
            [](auto& r) { r.mutable_job()->mutable_train()->set_dropout(1.5); },
            kInvalid, "train.dropout"},
           {"context over the model's limit",
            [](auto& r) {
              r.mutable_job()->mutable_train()->set_context_length(33);
            },
            kInvalid, "found 33; the model's longest is 32"},
           {"cut point beyond the last layer",
            [](auto& r) {
              r.mutable_job()->mutable_partition()->add_cut_points(4);
            },
            kInvalid, "the model has layers 0 to 3"},
           {"name with a slash",
            [](auto& r) { r.mutable_job()->set_name("../x"); }, kInvalid,
            "name"},
           {"grid over an unknown field",
            [](auto& r) { r.add_grid()->set_field("train.learning_rat"); },
            kInvalid, "learning_rate"},
           {"grid value of the wrong type",
            [](auto& r) {
              v1::GridAxis& axis = *r.add_grid();
              axis.set_field("train.learning_rate");
              axis.add_values("fast");
            },
            kInvalid, "'fast'"},
           {"empty request", [](auto& r) { r.Clear(); }, kInvalid,
            "model.path"},
       }) {
    ExpectRefused(submission);
  }
}

TEST_F(BadInputTest, BrokenModelsAndDataAreRefusedWithTheirFile) {
  const std::string weights = Weights();
  std::string lying = weights;
  lying[0] = '\xff';
  lying[7] = '\x7f';
  auto model = [&](const std::string& file, const std::string& content) {
    const std::string path = ModelWith(file, content);
    return [path](v1::SubmitRequest& r) {
      r.mutable_job()->mutable_model()->set_path(path);
    };
  };
  auto data = [&](const std::string& path) {
    return [path](v1::SubmitRequest& r) {
      r.mutable_job()->mutable_data()->set_train_files(0, path);
    };
  };
  std::string other_shape = ReadFile(files_->tiny_model + "/config.json");
  other_shape =
      absl::StrReplaceAll(other_shape, {{"\"n_embd\": 64", "\"n_embd\": 128"}});
  for (const Submission& submission : std::vector<Submission>{
           {"missing model directory",
            [](auto& r) {
              r.mutable_job()->mutable_model()->set_path("/no/such/model");
            },
            kInvalid, "/no/such/model does not exist"},
           {"no weights in the directory",
            [&](auto& r) {
              r.mutable_job()->mutable_model()->set_path(files_->wide_model);
            },
            kInvalid, "model.safetensors"},
           {"config.json is no JSON", model("config.json", "{"), kInvalid,
            "config.json: line 1, column 2: "},
           {"config.json of another architecture",
            model("config.json", R"({"model_type": "mamba"})"), kInvalid,
            "mamba"},
           {"config.json of a Llama with rotary embeddings scaled as yarn",
            model("config.json", R"({"model_type": "llama",
                "rope_scaling": {"rope_type": "yarn", "factor": 4}})"),
            kInvalid, "rope_scaling.rope_type: found \"yarn\""},
           {"config.json with vocab_size 10^12",
            model("config.json",
                  R"({"model_type": "gpt2", "vocab_size": 1000000000000})"),
            kInvalid, "vocab_size: found 1000000000000"},
           {"safetensors cut short",
            model("model.safetensors", weights.substr(0, weights.size() / 2)),
            kInvalid, "model.path"},
           {"safetensors of 4 bytes", model("model.safetensors", "abcd"),
            kInvalid, "model.path"},
           {"safetensors with a lying header length",
            model("model.safetensors", lying), kInvalid, "model.path"},
           {"weights of another shape", model("config.json", other_shape),
            kInvalid, "has shape"},
           {"missing data file", data("/no/such/data"), kInvalid,
            "data.train_files[0]"},
           {"empty data file", data(FileWith("")), kInvalid, "is empty"},
           {"a directory as data file", data(cluster_->directory()), kInvalid,
            "is not a file"},
           {"text without a vocabulary",
            [](auto& r) {
              r.mutable_job()->mutable_data()->set_format(v1::DATA_FORMAT_TEXT);
            },
            kInvalid, "vocab.json"},
           {"output outside of the roots",
            [](auto& r) {
              r.mutable_job()->mutable_output()->set_output_dir(
                  "/var/elsewhere");
            },
            kInvalid, "outside of where this server writes"},
           {"output that climbs out of the roots",
            [&](auto& r) {
              r.mutable_job()->mutable_output()->set_output_dir(
                  cluster_->directory() + "/../elsewhere");
            },
            kInvalid, "outside of where this server writes"},
           {"output below a file",
            [&](auto& r) {
              r.mutable_job()->mutable_output()->set_output_dir(
                  files_->train_tokens + "/out");
            },
            kInvalid, "cannot write"},
       }) {
    ExpectRefused(submission);
  }
}

TEST_F(BadInputTest, WhatShowsOnlyOnTheWayFailsThatJobAlone) {
  ExpectFails({"token id over the vocabulary",
               [&](auto& r) {
                 r.mutable_job()->mutable_data()->set_train_files(
                     0, FileWith(std::string(2000, '\xff')));
               },
               kInvalid, "65535"});
  ExpectFails({"token file of an odd size",
               [&](auto& r) {
                 r.mutable_job()->mutable_data()->set_train_files(
                     0, FileWith(std::string(2001, '\0')));
               },
               kInvalid, "2001"});
  ExpectFails({"fewer tokens than one step",
               [&](auto& r) {
                 r.mutable_job()->mutable_data()->set_train_files(
                     0, FileWith(std::string(64, '\0')));
               },
               kInvalid, "one step of 8 sequences"});
  const auto rows = [&](absl::string_view content) {
    return [&, content](auto& r) {
      v1::JobSpec& job = *r.mutable_job();
      job.mutable_model()->set_path(files_->wide_model);
      job.mutable_model()->set_init(v1::INITIALIZATION_RANDOM);
      job.mutable_model()->set_tokenizer_path(
          fs::absolute("examples/gpt2_wikitext2/gpt2"));
      job.clear_partition();
      job.mutable_data()->set_format(v1::DATA_FORMAT_JSONL);
      job.mutable_data()->clear_validation_files();
      job.mutable_evaluation()->clear_eval_steps();
      job.mutable_data()->set_train_files(0, FileWith(std::string(content)));
    };
  };
  ExpectFails({"row that is no JSON",
               rows("{\"text\": \"a\"}\n{\"text\": \"b}\n"), kInvalid,
               ": line 2 is no JSON"});
  const Submission array = {"JSON array in place of rows", rows("[\n{}]"),
                            kInvalid, "is no JSON Lines: it begins with '["};
  ExpectRefused(array);
  ExpectFails({"row of a chat, which has no text", rows("{\"messages\": []}\n"),
               kInvalid,
               ": line 1 has no 'text', which data.text_field names; it has "
               "'messages'"});
  ExpectFails(
      {"device too small for one layer",
       [&](auto& r) {
         v1::JobSpec& job = *r.mutable_job();
         // A block of 10 MB, and as much for its gradient.
         job.mutable_model()->set_path(ModelWith(
             "config.json",
             absl::StrReplaceAll(ReadFile(files_->tiny_model + "/config.json"),
                                 {{"\"n_embd\": 64", "\"n_embd\": 448"},
                                  {"\"n_layer\": 2", "\"n_layer\": 1"}})));
         job.mutable_model()->set_init(v1::INITIALIZATION_RANDOM);
         job.mutable_train()->set_optim(v1::OPTIMIZER_SGD);
         job.clear_partition();
       },
       kExhausted, "layer 1 (block) needs more than the device's"});
}

TEST_F(BadInputTest, AJobThatCanNeverFitThePoolIsRefusedWithTheNumbers) {
  ExpectRefused({"pool too small",
                 [&](auto& r) {
                   v1::JobSpec& job = *r.mutable_job();
                   job.mutable_model()->set_path(files_->wide_model);
                   job.mutable_model()->set_init(v1::INITIALIZATION_RANDOM);
                   job.mutable_partition()->clear_cut_points();
                   job.mutable_partition()->add_cut_points(4);
                   job.mutable_train()->set_per_device_train_batch_size(6000);
                 },
                 kExhausted, "bytes of the pool, which can promise"});
}

TEST_F(BadInputTest, UnknownIdsAreNotFound) {
  for (const auto& [id, code, answer] :
       std::vector<std::tuple<std::string, grpc::StatusCode, std::string>>{
           {"j999", kNotFound, "there is no job j999"},
           {"7", kInvalid, "an id such as j7 is needed"},
           {"", kInvalid, "job_id: is needed"},
           {std::string(100000, 'j'), kInvalid, "an id such as j7"}}) {
    grpc::ClientContext context;
    v1::GetJobRequest request;
    request.set_job_id(id);
    v1::GetJobResponse response;
    const grpc::Status status =
        cluster_->stub().GetJob(&context, request, &response);
    EXPECT_EQ(status.error_code(), code);
    EXPECT_THAT(status.error_message(), HasSubstr(answer));
    Report("job id '" + id.substr(0, 10) + "'", status.error_code(),
           status.error_message());
    ExpectServesOn();
  }
}

TEST_F(BadInputTest, ARequestThatIsNoProtobufIsRefused) {
  auto channel = grpc::CreateChannel(cluster_->address(),
                                     grpc::InsecureChannelCredentials());
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  grpc::Slice slice(std::string(64, '\xff'));
  grpc::ByteBuffer request(&slice, 1);
  auto call = stub.PrepareUnaryCall(&context, "/hydra.v1.HydraService/Submit",
                                    request, &queue);
  call->StartCall();
  grpc::ByteBuffer response;
  grpc::Status status;
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  ASSERT_TRUE(queue.Next(&tag, &ok));
  // As gRPC itself answers what it cannot read.
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  Report("64 bytes that are no protobuf", status.error_code(),
         status.error_message());
  ExpectServesOn();
}

TEST_F(BadInputTest, AModelThatWasNotWrittenCannotBeDownloaded) {
  v1::SubmitRequest request = Good();
  request.mutable_job()->mutable_train()->set_max_steps(1);
  request.mutable_job()->mutable_output()->set_save_model(false);
  const std::string id = cluster_->Submit(request).front();
  cluster_->AwaitEnd(id);
  grpc::ClientContext context;
  v1::DownloadRequest download;
  download.set_job_id(id);
  auto reader = cluster_->stub().Download(&context, download);
  v1::DownloadResponse piece;
  EXPECT_FALSE(reader->Read(&piece));
  const grpc::Status status = reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  Report("download without a model", status.error_code(),
         status.error_message());
  ExpectServesOn();
}

class BadStartTest : public BadInputTest {
 protected:
  void ExpectNoStart(const std::string& what,
                     const std::vector<std::string>& settings,
                     const std::string& answer) {
    const std::string directory = FreshDirectory();
    std::vector<std::string> arguments = {
        "scheduler/hydrad", "--device=cpu:0=64MiB",
        "--set=state_dir=" + directory + "/state",
        "--set=pool.path=" + directory + "/pool",
        "--set=pool.size_bytes=64MiB"};
    for (const std::string& setting : settings) {
      arguments.push_back("--set=" + setting);
    }
    const ProgramResult result = RunProgram(arguments);
    EXPECT_NE(result.code, 0);
    EXPECT_THAT(result.output, HasSubstr(answer));
    const size_t line = result.output.find("hydrad: ");
    Report(
        "hydrad: " + what, result.code,
        line == std::string::npos ? result.output : result.output.substr(line));
    ExpectServesOn();
  }
};

TEST_F(BadStartTest, ASecondDaemonDoesNotStart) {
  ExpectNoStart("the pool of a live daemon",
                {"pool.path=" + cluster_->directory() + "/pool"},
                "is owned by a live daemon");
  ExpectNoStart("the state directory of a live daemon",
                {"state_dir=" + cluster_->state_dir()},
                "is owned by a live daemon");
  ExpectNoStart("the socket of a live daemon",
                {"unix_socket=" + cluster_->directory() + "/hydrad.sock"},
                "a live server listens on");
}

TEST_F(BadStartTest, WhatTheMachineCannotGiveIsAnErrorAtStart) {
  ExpectNoStart(
      "a pool larger than the machine",
      {"pool.path=/dev/shm/hydra-too-large", "pool.size_bytes=900TiB"}, "has");
  ExpectNoStart("a pool below its minimum", {"pool.size_bytes=1MiB"},
                "pool.size_bytes");
  ExpectNoStart("an address that is not loopback", {"tcp_address=0.0.0.0:7070"},
                "tcp_address");
  ExpectNoStart("metrics for other machines", {"http.address=0.0.0.0:9464"},
                "http.address");
  ExpectNoStart("an unknown setting", {"pool.sise_bytes=1"}, "pool.sise_bytes");
}

TEST_F(BadStartTest, APortInUseIsAnErrorAtStart) {
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                           &port);
  grpc::AsyncGenericService service;
  builder.RegisterAsyncGenericService(&service);
  auto queue = builder.AddCompletionQueue();
  auto server = builder.BuildAndStart();
  ExpectNoStart("a port for every account, unasked",
                {absl::StrCat("tcp_address=127.0.0.1:", port)}, "insecure_tcp");
  ExpectNoStart(
      "a port in use",
      {absl::StrCat("tcp_address=127.0.0.1:", port), "insecure_tcp=true"},
      "the address is in use");
  server->Shutdown();
  queue->Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue->Next(&tag, &ok)) {
  }
}

}  // namespace
}  // namespace hydra
