#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/clock/steady_time.h"
#include "common/file/scratch_directory.h"
#include "common/status/quota_status.h"
#include "common/status/rpc_status.h"
#include "scheduler/journal/journal.h"
#include "scheduler/journal/memory_record_store.h"
#include "scheduler/journal/tables.h"
#include "scheduler/policy/sharded_lrtf.h"
#include "scheduler/service/hydra_service.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

constexpr char kConfig[] = R"({
  "model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "n_embd": 4,
  "n_head": 2, "n_layer": 1, "n_positions": 16, "vocab_size": 300})";

// The service in front of a core whose submissions are recorded at once, and
// whose users may have ten jobs.
class QuotaRaceTest : public ::testing::Test {
 protected:
  QuotaRaceTest() {
    folder_.MakeDirectory("model");
    folder_.Write("model/config.json", kConfig);
    folder_.Write("train.tokens", std::string(400, '\x01'));
    core_thread_.Start(&core_, [this] {
      journal_.pool_changes();
      for (const Journal::Entry& entry : journal_.TakeEntries()) {
        core_thread_.Post(
            [this, sequence = entry.sequence](Core& core, absl::Time) {
              core.Recorded(sequence);
              gate_.Recorded(sequence);
            });
      }
      core_.TakeActions();
      model_.Update(core_, SteadyNow());
      return absl::OkStatus();
    });
    grpc::ServerBuilder builder;
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    stub_ = v1::HydraService::NewStub(server_->InProcessChannel({}));
  }

  static Core::Options TenJobs() {
    Core::Options options;
    options.pool_bytes = int64_t{64} << 20;
    options.quotas.each.queued_jobs = 10;
    return options;
  }
  v1::SubmitRequest OneJob() const {
    v1::SubmitRequest request;
    v1::JobSpec& job = *request.mutable_job();
    job.mutable_model()->set_path(folder_.PathOf("model"));
    job.mutable_model()->set_init(v1::INITIALIZATION_RANDOM);
    job.mutable_data()->add_train_files(folder_.PathOf("train.tokens"));
    job.mutable_data()->set_format(v1::DATA_FORMAT_TOKENS_U16);
    job.mutable_train()->set_max_steps(1);
    job.mutable_train()->set_per_device_train_batch_size(1);
    job.mutable_train()->set_learning_rate(0.1);
    return request;
  }
  grpc::Status Submit(const v1::SubmitRequest& request) {
    grpc::ClientContext context;
    v1::SubmitResponse response;
    return stub_->Submit(&context, request, &response);
  }

  ScratchDirectory folder_;
  MemoryRecordStore jobs_;
  ShardedLrtf policy_;
  Journal journal_;
  Core core_{TenJobs(), &policy_, &journal_};
  ReadModel model_;
  SubmissionGate gate_;
  CoreThread core_thread_;
  const ScratchDirectory scratch_;
  LogStore logs_{{scratch_.PathOf("logs")}};
  const SubmissionChecker checker_{PathPolicy({}, {folder_.path()}),
                                   folder_.path()};
  const JobHistory history_{&jobs_};
  GroupCommit group_commit_{
      &jobs_,
      {kJobsMetaTable, 0, kLastSequence},
      {[](uint64_t) {}, [](uint64_t, const absl::Status&) {}},
      absl::Seconds(1)};
  const TraceLog trace_{{}, absl::UnixEpoch()};
  HydraServiceImpl service_{{&core_thread_, &model_, &logs_, &trace_, &checker_,
                             &history_, &group_commit_, &gate_},
                            [](const std::string&) { return Caller{1000}; },
                            {}};
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::HydraService::Stub> stub_;
};

TEST_F(QuotaRaceTest, OfAHundredSubmissionsAtOnceExactlyTenAreTaken) {
  const v1::SubmitRequest request = OneJob();
  std::atomic<int> taken = 0;
  std::atomic<int> refused = 0;
  std::vector<std::thread> users;
  for (int i = 0; i < 100; ++i) {
    users.emplace_back([&] {
      const grpc::Status status = Submit(request);
      if (status.ok()) {
        ++taken;
      } else if (QuotaSubjectOf(FromGrpc(status)) == "user:1000") {
        ++refused;
      } else {
        ADD_FAILURE() << status.error_message();
      }
    });
  }
  for (std::thread& user : users) user.join();
  EXPECT_EQ(taken, 10);
  EXPECT_EQ(refused, 90);
  // What ends makes room again.
  const auto cancelled = core_thread_.Tell([](Core& core, absl::Time now) {
    return core.Cancel({JobId(1), JobId(2)}, false, now).size();
  });
  EXPECT_EQ(cancelled, 2);
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(Submit(request).ok());
  EXPECT_EQ(Submit(request).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(QuotaRaceTest, APriorityIsAWholeNumberWithinItsBounds) {
  ASSERT_TRUE(Submit(OneJob()).ok());
  v1::SetPriorityRequest request;
  request.set_job_id("j1");
  for (int priority : {-1001, 1001}) {
    request.set_priority(priority);
    grpc::ClientContext context;
    v1::SetPriorityResponse response;
    EXPECT_EQ(stub_->SetPriority(&context, request, &response).error_code(),
              grpc::StatusCode::INVALID_ARGUMENT);
  }
  request.set_priority(-1000);
  grpc::ClientContext context;
  v1::SetPriorityResponse response;
  EXPECT_TRUE(stub_->SetPriority(&context, request, &response).ok());
  ASSERT_EQ(response.changed_job_ids_size(), 1);
  EXPECT_EQ(response.changed_job_ids(0), "j1");
  v1::ListJobsResponse listed;
  grpc::ClientContext list_context;
  ASSERT_TRUE(
      stub_->ListJobs(&list_context, v1::ListJobsRequest(), &listed).ok());
  ASSERT_EQ(listed.jobs_size(), 1);
  EXPECT_EQ(listed.jobs(0).priority(), -1000);
}

}  // namespace
}  // namespace hydra
