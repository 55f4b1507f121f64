#include "client/render/lists.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(RenderSubmittedTest, ShowsTheSweepThenItsJobs) {
  v1::SubmitResponse response;
  response.set_sweep_id("s4");
  v1::JobStatus* job = response.add_jobs();
  job->set_job_id("j9");
  job->set_name("gpt2");
  job->add_parameters("optim=sgd");
  EXPECT_EQ(RenderSubmitted(response, 0, false),
            "s4\n"
            "JOB  NAME  PARAMETERS\n"
            "j9   gpt2  optim=sgd\n");
}

TEST(RenderSubmittedTest, SaysThatAJobFileIsValidWhenNothingWasQueued) {
  v1::SubmitResponse response;
  response.add_jobs()->set_name("gpt2");
  EXPECT_THAT(RenderSubmitted(response, 0, false),
              StartsWith("valid: 1 job(s)\n"));
  response.mutable_largest_pool_demand()->set_total_bytes(3 << 20);
  EXPECT_THAT(RenderSubmitted(response, 0, false),
              StartsWith("valid: 1 job(s); the largest takes at least 3.0 MiB "
                         "of the pool\n"));
}

TEST(RenderRoomTest, SaysHowManyJobsCanStartAtOnce) {
  v1::SubmitResponse response;
  v1::GetServerInfoResponse server;
  server.set_pool_bytes(int64_t{10} << 30);
  server.set_pool_reserved_bytes(int64_t{5} << 30);
  EXPECT_EQ(RenderRoom(response, server), "") << "nothing is known";
  response.add_jobs();
  response.mutable_largest_pool_demand()->set_total_bytes(int64_t{1} << 30);
  EXPECT_EQ(RenderRoom(response, server),
            "of the pool 4.0 GiB are free now: it can start at once\n");
  for (int i = 0; i < 3; ++i) response.add_jobs();
  EXPECT_EQ(RenderRoom(response, server),
            "of the pool 4.0 GiB are free now: all can start at once\n");
  response.add_jobs();
  EXPECT_EQ(RenderRoom(response, server),
            "of the pool 4.0 GiB are free now: room for about 4 at once; the "
            "others wait for them\n");
  server.set_pool_reserved_bytes(int64_t{10} << 30);
  EXPECT_EQ(RenderRoom(response, server),
            "of the pool 0 B are free now: none has room yet\n");
}

TEST(RenderJobsTest, SaysWhyAJobIsPending) {
  v1::ListJobsResponse response;
  v1::JobStatus* job = response.add_jobs();
  job->set_job_id("j1");
  job->set_state(v1::JOB_STATE_PENDING);
  job->set_phase(v1::JOB_PHASE_ADMISSION);
  job->set_reason("needs 6.0 GiB of the pool");
  const std::string text = RenderJobs(response, 0, false, absl::UTCTimeZone());
  EXPECT_THAT(text, HasSubstr("pending"));
  EXPECT_THAT(text, HasSubstr("admission"));
  EXPECT_THAT(text, HasSubstr("needs 6.0 GiB of the pool"));
}

TEST(RenderJobsTest, ShowsOwnersWhereThereAreSeveral) {
  v1::ListJobsResponse response;
  v1::JobStatus* mine = response.add_jobs();
  mine->set_job_id("j1");
  mine->set_name("gpt2");
  mine->set_owner("alice");
  EXPECT_THAT(RenderJobs(response, 0, false, absl::UTCTimeZone()),
              Not(HasSubstr("OWNER")));
  v1::JobStatus* others = response.add_jobs();
  others->set_job_id("j2");
  others->set_sweep_id("s2");
  others->set_owner("bob");
  others->set_state(v1::JOB_STATE_RUNNING);
  others->set_withheld(true);
  const std::string text = RenderJobs(response, 0, false, absl::UTCTimeZone());
  EXPECT_THAT(text, ContainsRegex("JOB +SWEEP +OWNER +NAME"));
  EXPECT_THAT(text, ContainsRegex("j1 +alice +gpt2"));
  EXPECT_THAT(text, ContainsRegex("j2 +s2 +bob +.bob's. +running +- +- +-"));
}

// On the day of 2026-12-01 in UTC.
v1::ListJobsResponse TwoWithForecasts() {
  v1::ListJobsResponse response;
  v1::JobStatus* running = response.add_jobs();
  running->set_job_id("j41");
  running->set_sweep_id("s5");
  running->set_name("gpt2-03");
  running->set_state(v1::JOB_STATE_RUNNING);
  running->set_phase(v1::JOB_PHASE_TRAIN);
  running->set_step(62);
  running->set_total_steps(100);
  running->set_train_loss(3.412);
  running->set_tokens_per_second(18250);
  running->mutable_remaining()->set_seconds(600);
  // 14:20 of the same day.
  running->mutable_forecast_end()->set_seconds(1'796'134'800);
  v1::JobStatus* waiting = response.add_jobs();
  *waiting = *running;
  waiting->set_job_id("j42");
  waiting->set_state(v1::JOB_STATE_PENDING);
  waiting->set_reason("waits for a device: number 3 of its user's jobs");
  // Two days later.
  waiting->mutable_forecast_end()->set_seconds(1'796'134'800 + 2 * 86'400);
  return response;
}

TEST(RenderJobsTest, SaysWhenJobsEndWithTheDateWhereThatIsNotToday) {
  const absl::Time now = absl::FromUnixSeconds(1'796'084'400);
  v1::ListJobsResponse response = TwoWithForecasts();
  const auto render = [&](int width) {
    return RenderJobs(response, width, false, absl::UTCTimeZone(), now);
  };
  EXPECT_THAT(render(0), ContainsRegex("62/100 +~14:20 +3.4120"));
  EXPECT_THAT(render(0), ContainsRegex("62/100 +~Dec 3 14:20 +3.4120"));
  EXPECT_THAT(render(0), HasSubstr("ENDS"));
  EXPECT_THAT(render(0), Not(HasSubstr("10m00s")))
      << "what it has left alone says little of when it ends";
  for (const int width : {80, 120}) {
    EXPECT_THAT(render(width), HasSubstr("~14:20")) << width;
    EXPECT_THAT(render(width), HasSubstr("~Dec 3 14:20")) << width;
  }
  response.mutable_jobs(0)->clear_forecast_end();
  EXPECT_THAT(render(0), ContainsRegex("62/100 +- +3.4120"));
}

TEST(RenderJobsTest, APausedJobIsInNoPhase) {
  v1::ListJobsResponse response;
  v1::JobStatus* job = response.add_jobs();
  job->set_state(v1::JOB_STATE_PAUSED);
  job->set_phase(v1::JOB_PHASE_PREPARE);
  const std::string text = RenderJobs(response, 0, false, absl::UTCTimeZone());
  EXPECT_THAT(text, HasSubstr("paused"));
  EXPECT_THAT(text, Not(HasSubstr("prepare")));
}

TEST(RenderJobsTest, AModelOfImagesIsAsFastAsItsExamples) {
  v1::ListJobsResponse response;
  v1::JobStatus* images = response.add_jobs();
  images->set_tokens_per_second(310.4);
  images->set_counts_examples(true);
  const auto render = [&] {
    return RenderJobs(response, 0, false, absl::UTCTimeZone());
  };
  EXPECT_THAT(render(), HasSubstr("EXAMPLES/S"));
  EXPECT_THAT(render(), ContainsRegex(" 310 "));
  EXPECT_THAT(render(), Not(HasSubstr("TOKENS/S")));
  response.add_jobs()->set_tokens_per_second(2468);
  EXPECT_THAT(render(), HasSubstr("RATE"));
  EXPECT_THAT(render(), HasSubstr("310 examples/s"));
  EXPECT_THAT(render(), HasSubstr("2468 tokens/s"));
  response.mutable_jobs()->DeleteSubrange(0, 1);
  EXPECT_THAT(render(), HasSubstr("TOKENS/S"));
}

TEST(RenderWorkersTest, ShowsTheShareOfTimeThatADeviceWasBusy) {
  v1::ListWorkersResponse response;
  v1::WorkerStatus* worker = response.add_workers();
  worker->set_device("cpu:0");
  worker->set_state(v1::WORKER_STATE_READY);
  worker->mutable_busy()->set_seconds(9);
  worker->mutable_attached()->set_seconds(10);
  worker->set_computing(0.84);
  worker->set_promoting(0.31);
  worker->set_memory_limit_bytes(1 << 30);
  worker->set_task("j3 FORWARD shard 0 step 2");
  const std::string text = RenderWorkers(response, 0, false);
  EXPECT_THAT(text, ContainsRegex("90% +84% +31% +- +"));
  EXPECT_THAT(text, HasSubstr("1.0 GiB"));
  EXPECT_THAT(text, HasSubstr("j3 FORWARD shard 0 step 2"));
}

TEST(RenderWorkersTest, ShowsGpusWhereADriverTellsOfOne) {
  v1::ListWorkersResponse response;
  response.add_workers()->set_device("cuda:0");
  EXPECT_THAT(RenderWorkers(response, 0, false), Not(HasSubstr("GPU")));
  v1::GpuStatus& gpu = *response.add_workers()->mutable_gpu();
  gpu.set_use(0.87);
  gpu.set_power_watts(311.6);
  gpu.set_memory_used_bytes(int64_t{31} << 30);
  gpu.set_memory_total_bytes(int64_t{40} << 30);
  const std::string text = RenderWorkers(response, 0, false);
  EXPECT_THAT(text, HasSubstr("GPU MEMORY"));
  EXPECT_THAT(text, HasSubstr("87%, 312 W  31.0 GiB of 40.0 GiB"));
  EXPECT_THAT(text, ContainsRegex("cuda:0 .* -  +-"));
}

TEST(RenderWorkersTest, ShowsWhyAWorkerCannotStart) {
  v1::ListWorkersResponse response;
  v1::WorkerStatus* worker = response.add_workers();
  worker->set_device("cpu:0");
  worker->set_state(v1::WORKER_STATE_RESTARTING);
  worker->set_reason("cannot start: ended with code 127");
  EXPECT_THAT(RenderWorkers(response, 0, false),
              HasSubstr("cannot start: ended with code 127"));
}

TEST(RenderServerInfoTest, ShowsThePool) {
  v1::GetServerInfoResponse info;
  info.set_version("1.2.3");
  info.set_pool_bytes(int64_t{8} << 30);
  const std::string text = RenderServerInfo(info, absl::UTCTimeZone());
  EXPECT_THAT(text, HasSubstr("1.2.3"));
  EXPECT_THAT(text, HasSubstr("8.0 GiB"));
}

TEST(RenderServerInfoTest, ShowsWhereThePageIsIfThereIsOne) {
  v1::GetServerInfoResponse info;
  EXPECT_THAT(RenderServerInfo(info, absl::UTCTimeZone()),
              Not(HasSubstr("page")));
  info.set_http_socket("/run/hydra/http.sock");
  info.set_http_address("127.0.0.1:9464");
  EXPECT_THAT(RenderServerInfo(info, absl::UTCTimeZone()),
              HasSubstr("page            unix:/run/hydra/http.sock, see hydra "
                        "ui\nmetrics         http://127.0.0.1:9464/metrics\n"));
}

}  // namespace
}  // namespace hydra
