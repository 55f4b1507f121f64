// The command line and the Python example against real daemons.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/file/scratch_directory.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/small_job.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
namespace v1 = hydra::v1;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kHydra[] = "client/hydra";

class CliTest : public ::testing::Test {
 protected:
  std::string JobFile(const std::string& more = "") {
    const std::string path = directory_ + "/job.yaml";
    WriteFile(path, absl::StrCat(R"(
name: cli
model:
  path: )",
                                 files_.tiny_model,
                                 R"(
data:
  train_files: [train.bin]
  validation_files: [validation.bin]
  format: tokens_u16
train:
  max_steps: 3
  per_device_train_batch_size: 4
  context_length: 32
  learning_rate: 0.001
)",
                                 more));
    return path;
  }
  const std::string directory_ = FreshDirectory();
  const SmallJobFiles files_ = MakeSmallJobFiles(directory_);
};

TEST_F(CliTest, AUsersWayFromSubmitToDownload) {
  Cluster cluster({});
  auto hydra = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(),
                     {kHydra, "--server", cluster.address()});
    return RunProgram(arguments);
  };
  const ProgramResult submitted = hydra(
      {"submit", "-o", "id",
       JobFile("sweep:\n  grid:\n    train.learning_rate: [0.01, 0.001]\n")});
  EXPECT_EQ(submitted.code, 0) << submitted.output;
  EXPECT_EQ(submitted.output, "s1\nj1\nj2\n");
  EXPECT_EQ(hydra({"watch", "s1"}).code, 0);

  const ProgramResult list = hydra({"list", "-o", "json"});
  const auto jobs = nlohmann::json::parse(list.output)["jobs"];
  ASSERT_EQ(jobs.size(), 2);
  EXPECT_EQ(jobs[0]["state"], "JOB_STATE_COMPLETED");
  EXPECT_GT(jobs[0]["validation_perplexity"], 1);

  EXPECT_THAT(hydra({"describe", "j1"}).output, HasSubstr("embedding"));
  const std::string again = directory_ + "/again.yaml";
  WriteFile(again, hydra({"describe", "j1", "--job-file"}).output);
  const ProgramResult valid = hydra({"submit", again, "--validate-only"});
  EXPECT_EQ(valid.code, 0) << ReadFile(again) << valid.output;
  EXPECT_THAT(valid.output, HasSubstr("are free now: it can start at once"));
  EXPECT_THAT(hydra({"logs", "j1"}).output, HasSubstr("validation loss"));
  EXPECT_THAT(hydra({"results", "s1"}).output, HasSubstr("learning_rate=0.01"));
  EXPECT_THAT(hydra({"workers"}).output, HasSubstr("cpu:0"));
  const ProgramResult download =
      hydra({"download", "j2", directory_ + "/model"});
  EXPECT_EQ(download.code, 0) << download.output;
  for (const char* file : {"config.json", "model.safetensors"}) {
    EXPECT_EQ(
        ReadFile(absl::StrCat(directory_, "/model/", file)),
        ReadFile(absl::StrCat(cluster.Job("j2").output_path(), "/", file)));
  }
  EXPECT_EQ(hydra({"describe", "j9"}).code, 3);
  // What is there is kept.
  EXPECT_NE(hydra({"download", "j2", directory_ + "/model"}).code, 0);
}

TEST_F(CliTest, ACloneTrainsTheSameModelUnlessAKeyIsChanged) {
  Cluster cluster({});
  auto hydra = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(),
                     {kHydra, "--server", cluster.address()});
    return RunProgram(arguments);
  };
  auto model_of = [&](const std::string& job) {
    return ReadFile(
        absl::StrCat(cluster.Job(job).output_path(), "/model.safetensors"));
  };
  EXPECT_EQ(hydra({"submit", JobFile()}).code, 0);
  ASSERT_EQ(hydra({"wait", "j1"}).code, 0);
  EXPECT_EQ(hydra({"clone", "j1", "-o", "id"}).output, "s2\nj2\n");
  EXPECT_EQ(hydra({"clone", "j1", "--set", "train.max_steps=4", "--name",
                   "longer", "-o", "id"})
                .output,
            "s3\nj3\n");
  ASSERT_EQ(hydra({"wait", "j2", "j3"}).code, 0);
  EXPECT_EQ(model_of("j2"), model_of("j1"));
  EXPECT_NE(cluster.Job("j2").output_path(), cluster.Job("j1").output_path());
  EXPECT_NE(model_of("j3"), model_of("j1"));
  EXPECT_EQ(cluster.Job("j3").spec().train().max_steps(), 4);
  EXPECT_EQ(cluster.Job("j3").status().name(), "longer");

  // What only the server finds wrong is told as of a job file.
  const ProgramResult wrong =
      hydra({"clone", "j1", "--set", "train.num_train_epochs=1"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.output, HasSubstr("found both"));
  EXPECT_EQ(hydra({"clone", "j1", "--set", "train.num_train_epochs=1", "--set",
                   "train.max_steps=", "--validate-only"})
                .code,
            0);
}

TEST_F(CliTest, ADeletedJobIsGoneForGoodAndItsModelStays) {
  Cluster cluster({});
  auto hydra = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(),
                     {kHydra, "--server", cluster.address()});
    return RunProgram(arguments);
  };
  EXPECT_EQ(hydra({"submit", JobFile("checkpoint: {every_steps: 1}\n")}).code,
            0);
  EXPECT_EQ(hydra({"submit", JobFile()}).code, 0);
  EXPECT_EQ(hydra({"wait", "s1", "s2"}).code, 0);
  const v1::JobDetail job = cluster.Job("j1");
  ASSERT_GT(job.checkpoints_size(), 0);
  const std::string log =
      cluster.state_dir() + "/logs/jobs/j1.00000000000000000001.log";
  ASSERT_TRUE(fs::exists(log));

  // Its last checkpoint may still be written.
  cluster.Await([&] {
    return hydra({"delete", "j1", "-o", "id"}).output == "j1\n";
  });
  for (const char* verb : {"describe", "logs", "delete", "clone"}) {
    EXPECT_EQ(hydra({verb, "j1"}).code, 3) << verb;
  }
  EXPECT_EQ(hydra({"results", "s1"}).code, 3);
  EXPECT_EQ(hydra({"list", "-o", "id"}).output, "j2\n");
  for (const v1::CheckpointInfo& checkpoint : job.checkpoints()) {
    cluster.Await([&] { return !fs::exists(checkpoint.path()); });
  }
  cluster.Await([&] { return !fs::exists(log); });
  EXPECT_TRUE(fs::exists(job.output_path() + "/model.safetensors"));

  cluster.KillDaemon();
  cluster.StartDaemon();
  EXPECT_EQ(hydra({"describe", "j1"}).code, 3);
  EXPECT_EQ(hydra({"delete", "s2"}).output, "deleted j2\n");
  cluster.KillDaemon();
  cluster.StartDaemon();
  EXPECT_EQ(hydra({"list", "-o", "id"}).output, "");
  EXPECT_EQ(hydra({"submit", JobFile(), "-o", "id"}).output, "s3\nj3\n");
  EXPECT_EQ(hydra({"wait", "s3"}).code, 0);
}

TEST_F(CliTest, AJobThatHasNotEndedIsNotDeleted) {
  Cluster cluster({});
  auto hydra = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(),
                     {kHydra, "--server", cluster.address()});
    return RunProgram(arguments);
  };
  std::string text = ReadFile(JobFile());
  const std::string path = directory_ + "/long.yaml";
  WriteFile(path, absl::StrReplaceAll(
                      text, {{"max_steps: 3", "max_steps: 1000000"}}));
  EXPECT_EQ(hydra({"submit", path}).code, 0);
  const ProgramResult refused = hydra({"delete", "s1"});
  EXPECT_NE(refused.code, 0);
  EXPECT_THAT(refused.output, HasSubstr("hydra cancel j1"));
  EXPECT_EQ(hydra({"cancel", "j1"}).code, 0);
  cluster.Await([&] {
    return hydra({"delete", "s1", "-o", "id"}).output == "j1\n";
  });
  EXPECT_EQ(hydra({"list", "-o", "id"}).output, "");
}

// Keys and types, which the client finds, and values, files and model, which
// the server does.
TEST_F(CliTest, EveryMistakeOfAJobFileIsToldInOneAnswerAndNothingIsSubmitted) {
  Cluster cluster({});
  const std::string path = directory_ + "/wrong.yaml";
  WriteFile(path, R"(
train:
  max_steps: 0
  per_device_train_batch_size: 4
  lr: 3
  seed: many
evaluation: {eval_steps: often}
data:
  train_files: [train.bin, nothing.bin]
  format: tokens_u61
model: {path: nowhere}
)");
  const std::vector<std::string> hydra = {kHydra, "--server",
                                          cluster.address()};
  const auto run = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), hydra.begin(), hydra.end());
    return RunProgram(arguments);
  };
  const ProgramResult result = run({"submit", path});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(
      std::vector<std::string>(
          absl::StrSplit(result.output, '\n', absl::SkipEmpty())),
      ElementsAre(
          "hydra: the job file is not valid", StartsWith("train.max_steps: "),
          StartsWith("train.lr: line 5: "), StartsWith("train.seed: line 6: "),
          StartsWith("evaluation.eval_steps: line 7: "),
          AllOf(StartsWith("data.train_files[1]: "), HasSubstr("nothing.bin")),
          StartsWith("data.format: line 10: "),
          AllOf(StartsWith("model.path: "), HasSubstr("nowhere"))));
  EXPECT_EQ(run({"submit", path, "--validate-only"}).output, result.output);
  EXPECT_EQ(run({"list", "-o", "id"}).output, "");

  const ProgramResult alone = RunProgram(
      {"/usr/bin/env", "-C", directory_, fs::absolute(kHydra), "run", path,
       "--device", "cpu:0", "--device-memory", "64MiB", "--pool-size", "64MiB",
       "--hydrad", fs::absolute("scheduler/hydrad")});
  EXPECT_EQ(alone.code, 2);
  EXPECT_THAT(alone.output, HasSubstr(result.output));
  EXPECT_FALSE(fs::exists(directory_ + "/hydra-runs"));
}

// The indented lines below the one that ends with "this checkout:".
std::string ReadmesJobFile() {
  std::string text;
  bool inside = false;
  for (absl::string_view line : absl::StrSplit(ReadFile("README.md"), '\n')) {
    const bool is_text = !line.empty() && !absl::StartsWith(line, "    ");
    if (inside && is_text) break;
    if (inside) absl::StrAppend(&text, line, "\n");
    inside = inside || absl::EndsWith(line, "this checkout:");
  }
  return text;
}

TEST_F(CliTest, APlanSaysWhatTheJobThenNeeds) {
  Cluster cluster({});
  const std::string job_file = JobFile("partition: {cut_points: [1, 3]}\n");
  const auto answer = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(),
                     {kHydra, "--server", cluster.address()});
    arguments.insert(arguments.end(), {"-o", "json"});
    const ProgramResult result = RunProgram(arguments);
    EXPECT_EQ(result.code, 0) << result.output;
    return nlohmann::json::parse(result.output);
  };
  const nlohmann::json plan =
      answer({"plan", job_file, "--device-memory", "64MiB,1GiB"})["jobs"][0];
  EXPECT_EQ(plan["devices"].size(), 2);
  EXPECT_TRUE(cluster.List().empty()) << "nothing is queued";
  const std::string job = answer({"submit", job_file})["jobs"][0]["job_id"];
  const v1::JobDetail trained = cluster.AwaitEnd(job);
  const nlohmann::json& planned = plan["devices"][0];
  EXPECT_EQ(planned["cut_points"], nlohmann::json({1, 3}));
  EXPECT_EQ(planned["pool_demand"]["total_bytes"],
            absl::StrCat(trained.pool_demand().total_bytes()));
  // CPU devices update themselves.
  EXPECT_EQ(planned["promoted_with_device_updates"]["parameters"],
            absl::StrCat(trained.traffic().predicted_promoted().parameters()));
}

TEST_F(CliTest, TheReadmesJobFileIsValidInACheckout) {
  // The README's model needs 270 MB of the pool.
  Cluster::Options options;
  options.settings = {"pool.size_bytes=512MiB"};
  Cluster cluster(options);
  const std::string file = ReadmesJobFile();
  ASSERT_THAT(file, HasSubstr("sweep:"));
  // Its paths count from the folder that it is in.
  fs::copy("examples", directory_ + "/examples", fs::copy_options::recursive);
  WriteFile(directory_ + "/my-sweep.yaml", file);
  const ProgramResult result =
      RunProgram({kHydra, "--server", cluster.address(), "submit",
                  "--validate-only", directory_ + "/my-sweep.yaml"});
  EXPECT_EQ(result.code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("valid"));
}

TEST_F(CliTest, AListOfIdsIsDoneAsFarAsItCanBe) {
  Cluster cluster({});
  hydra::v1::JobSpec spec = SmallJob(files_, {1, 2, 3});
  spec.mutable_train()->set_max_steps(1'000'000);
  const std::string first = cluster.Submit(spec);
  const std::string second = cluster.Submit(spec);
  const ProgramResult result =
      RunProgram({kHydra, "--server", cluster.address(), "cancel", first, "j99",
                  "s99", "nonsense", second});
  EXPECT_EQ(result.code, 2) << "badly written ids are found first";
  EXPECT_THAT(result.output, HasSubstr("cancelled " + first));
  EXPECT_THAT(result.output, HasSubstr("cancelled " + second));
  EXPECT_THAT(result.output, HasSubstr("j99: "));
  EXPECT_THAT(result.output, HasSubstr("s99: "));
  const ProgramResult again = RunProgram(
      {kHydra, "--server", cluster.address(), "cancel", first, "j99"});
  EXPECT_EQ(again.code, 3);
  EXPECT_THAT(again.output, HasSubstr(first + ": nothing to cancel"));
}

TEST_F(CliTest, CancelStopsAJobAndFreesThePool) {
  Cluster cluster({});
  hydra::v1::JobSpec spec = SmallJob(files_, {1, 2, 3});
  spec.mutable_train()->set_max_steps(1'000'000);
  const std::string id = cluster.Submit(spec);
  cluster.AwaitStep(id, 1);
  EXPECT_EQ(
      RunProgram({kHydra, "--server", cluster.address(), "cancel", id}).code,
      0);
  EXPECT_EQ(cluster.AwaitEnd(id).status().state(),
            hydra::v1::JOB_STATE_CANCELLED);
  const ProgramResult info =
      RunProgram({kHydra, "--server", cluster.address(), "info", "-o", "json"});
  EXPECT_EQ(nlohmann::json::parse(info.output)["pool_used_bytes"], "0");
}

TEST_F(CliTest, TheDoctorLooksAtAWholeServer) {
  Cluster cluster({});
  cluster.WorkerPids();
  const ProgramResult doctor =
      RunProgram({kHydra, "--server", cluster.address(), "doctor"});
  for (const char* line :
       {"ok    connection: ", "ok    version: ", "ok    clock: ", "  disk: ",
        "  pool: ", "  processor: ", "ok    worker cpu:0: ready\n"}) {
    EXPECT_THAT(doctor.output, HasSubstr(line));
  }
  EXPECT_THAT(doctor.output, HasSubstr(cluster.state_dir()));
}

TEST_F(CliTest, RunTrainsWithADaemonOfItsOwn) {
  const std::string state = directory_ + "/state";
  const ProgramResult result = RunProgram(
      {kHydra, "run", JobFile(), "--device", "cpu:0", "--device-memory",
       "64MiB", "--pool-size", "256MiB", "--pool-path", directory_ + "/pool",
       "--state-dir", state, "--hydrad", fs::absolute("scheduler/hydrad")});
  EXPECT_EQ(result.code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("cli"));
  EXPECT_TRUE(fs::exists(state + "/outputs/j1-cli/model.safetensors"));
}

TEST_F(CliTest, ThePythonExampleSubmitsWatchesAndReadsResults) {
  Cluster cluster({});
  const std::string stubs = directory_ + "/stubs";
  ASSERT_EQ(RunProgram({"examples/python/make_stubs.sh", stubs}).code, 0);
  const std::string text = directory_ + "/text.txt";
  std::string words;
  for (int i = 0; i < 3000; ++i) absl::StrAppend(&words, "word", i % 7, " ");
  WriteFile(text, words);
  const std::string model = directory_ + "/model";
  fs::create_directories(model);
  for (const char* name : {"vocab.json", "merges.txt"}) {
    WriteFile(absl::StrCat(model, "/", name),
              ReadFile(absl::StrCat("examples/gpt2_wikitext2/gpt2/", name)));
  }
  WriteFile(model + "/config.json",
            ReadFile(files_.wide_model + "/config.json"));
  const ProgramResult result = RunProgram(
      {"/usr/bin/env", "PYTHONPATH=" + stubs, "/usr/bin/python3",
       "examples/python/hydra_sweep.py", "--server", cluster.address(),
       "--model", model, "--init", "random", "--train-file", text,
       "--validation-file", text, "--steps", "2", "--context-length", "16"});
  EXPECT_EQ(result.code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("j2"));
}

}  // namespace
}  // namespace hydra
