#include "scheduler/service/hydra_service.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "common/clock/steady_time.h"
#include "common/file/scratch_directory.h"
#include "common/jobfile/job_file.h"
#include "common/jobfile/mistakes.h"
#include "common/status/error_details.h"
#include "common/status/rpc_status.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "scheduler/core/new_job.h"
#include "scheduler/core/testing/small_job.h"
#include "scheduler/journal/journal.h"
#include "scheduler/journal/memory_record_store.h"
#include "scheduler/journal/record_change.h"
#include "scheduler/journal/tables.h"
#include "scheduler/policy/sharded_lrtf.h"
#include "scheduler/service/client_request.h"

namespace hydra {
namespace {

namespace jv1 = hydra::journal::v1;
namespace v1 = hydra::v1;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr SweepId kOldSweep(5);
constexpr JobId kOldJob(7);

// jobs.db with one sweep of one job that was cancelled long ago.
class OldJobs : public RecordStore {
 public:
  OldJobs() {
    jv1::SweepRecord sweep;
    sweep.add_job_ids(kOldJob.value());
    jv1::JobProgress progress;
    progress.set_state(v1::JOB_STATE_CANCELLED);
    progress.mutable_ended_at()->set_seconds(1);
    const absl::Status written = records_.Apply(
        {MakePut(kSweepsTable, kOldSweep.value(), 0, sweep.SerializeAsString()),
         MakePut(kSubmittedTable, kOldJob.value(), 0, ""),
         MakePut(kProgressTable, kOldJob.value(), 0,
                 progress.SerializeAsString())});
    EXPECT_TRUE(written.ok()) << written;
  }

  void AddSubmitted(JobId job, const NewJob& submitted) {
    EXPECT_TRUE(
        records_
            .Apply({MakePut(kSubmittedTable, job.value(), 0,
                            SubmittedOf(submitted).SerializeAsString())})
            .ok());
  }

  // Not OK: what every reading says.
  absl::Status broken;

  absl::Status Apply(absl::Span<const jv1::Change>) override {
    return absl::OkStatus();
  }
  absl::Status ForEach(int table, RecordVisitor visit) const override {
    return broken.ok() ? records_.ForEach(table, visit) : broken;
  }
  absl::Status ForEachFrom(int table, int64_t a, int64_t first_b,
                           RecordVisitor visit) const override {
    return broken.ok() ? records_.ForEachFrom(table, a, first_b, visit)
                       : broken;
  }

 private:
  MemoryRecordStore records_;
};

// The service in front of a core without workers.
class HydraServiceTest : public ::testing::Test {
 protected:
  HydraServiceTest() {
    core_thread_.Start(&core_, [this] {
      model_.Update(core_, SteadyNow());
      return absl::OkStatus();
    });
    grpc::ServerBuilder builder;
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    stub_ = v1::HydraService::NewStub(server_->InProcessChannel({}));
  }

  v1::HydraService::Stub& stub() { return *stub_; }

  static Core::Options SmallPool() {
    Core::Options options;
    options.pool_bytes = int64_t{64} << 20;
    return options;
  }

  // A call that must not succeed, by its method's name.
  static grpc::Status Call(grpc::GenericStub& stub, const std::string& method,
                           const google::protobuf::Message& request) {
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    const grpc::Slice bytes(request.SerializeAsString());
    const auto call = stub.PrepareUnaryCall(
        &context, method, grpc::ByteBuffer(&bytes, 1), &queue);
    call->StartCall();
    grpc::ByteBuffer response;
    grpc::Status status;
    call->Finish(&response, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    return status;
  }

  // Who makes the calls.
  Caller caller_{1000};
  OldJobs jobs_;
  ShardedLrtf policy_;
  Journal journal_;
  Core core_{SmallPool(), &policy_, &journal_};
  ReadModel model_;
  CoreThread core_thread_;
  const ScratchDirectory scratch_;
  LogStore logs_{LogStore::Options{scratch_.path()}};
  const SubmissionChecker checker_{PathPolicy({}, {}), "/nowhere"};
  const JobHistory history_{&jobs_};
  GroupCommit group_commit_{
      &jobs_,
      {kJobsMetaTable, 0, kLastSequence},
      {[](uint64_t) {}, [](uint64_t, const absl::Status&) {}},
      absl::Seconds(1)};
  SubmissionGate gate_;
  const TraceLog trace_{{}, absl::UnixEpoch()};
  HydraServiceImpl service_{{&core_thread_, &model_, &logs_, &trace_, &checker_,
                             &history_, &group_commit_, &gate_},
                            [this](const std::string&) { return caller_; },
                            {}};
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::HydraService::Stub> stub_;
};

TEST_F(HydraServiceTest, AFailingJournalDoesNotMeanThatThereIsNoSuchJob) {
  v1::GetJobRequest request;
  v1::GetJobResponse response;
  request.set_job_id("j7");
  grpc::ClientContext found;
  EXPECT_TRUE(stub().GetJob(&found, request, &response).ok());
  jobs_.broken = absl::DataLossError("a bad page");
  grpc::ClientContext failed;
  const grpc::Status status = stub().GetJob(&failed, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DATA_LOSS);
  EXPECT_THAT(status.error_message(), HasSubstr("a bad page"));
  v1::GetResultsRequest results;
  v1::GetResultsResponse sweep;
  results.set_sweep_id("s5");
  grpc::ClientContext of_sweep;
  EXPECT_EQ(stub().GetResults(&of_sweep, results, &sweep).error_code(),
            grpc::StatusCode::DATA_LOSS);
}

TEST_F(HydraServiceTest, WatchTellsHowASweepEndedThatTheCoreHasForgotten) {
  v1::WatchRequest request;
  request.set_sweep_id("s5");
  grpc::ClientContext context;
  const auto stream = stub().Watch(&context, request);
  v1::WatchResponse response;
  ASSERT_TRUE(stream->Read(&response));
  ASSERT_EQ(response.jobs_size(), 1);
  EXPECT_EQ(response.jobs(0).job_id(), "j7");
  EXPECT_EQ(response.jobs(0).state(), v1::JOB_STATE_CANCELLED);
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(HydraServiceTest, TracesOfOldJobsHaveNoTasksAndUnknownOnesAreNotFound) {
  v1::TraceRequest request;
  request.set_job_id("j7");
  grpc::ClientContext context;
  const auto stream = stub().Trace(&context, request);
  v1::TraceResponse response;
  ASSERT_TRUE(stream->Read(&response));
  ASSERT_EQ(response.jobs_size(), 1);
  EXPECT_EQ(response.jobs(0).job_id(), "j7");
  EXPECT_FALSE(response.has_begin());
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
  request.set_job_id("j8");
  grpc::ClientContext unknown;
  EXPECT_EQ(stub().Trace(&unknown, request)->Finish().error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST_F(HydraServiceTest, ValidatingLooksAtTheJobWhateverTheRequestId) {
  const auto queued = core_thread_.Ask([](Core& core, absl::Time now) {
    return core.Submit({}, {"known", "", Caller{1000}}, now).status();
  });
  ASSERT_TRUE(queued.has_value() && queued->ok());
  // Nobody waits until it is recorded.
  gate_.Stop();
  v1::SubmitRequest request;
  request.set_request_id("known");
  request.set_validate_only(true);
  v1::SubmitResponse response;
  grpc::ClientContext context;
  EXPECT_EQ(stub().Submit(&context, request, &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(HydraServiceTest, APlanIsOfAWholeJobAndOfDevicesWithMemory) {
  v1::PlanRequest request;
  v1::PlanResponse response;
  grpc::ClientContext empty;
  grpc::Status status = stub().Plan(&empty, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("model.path"));
  request.add_device_memory_bytes(0);
  grpc::ClientContext without_memory;
  status = stub().Plan(&without_memory, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(),
              HasSubstr("device_memory_bytes: found 0"));
}

TEST_F(HydraServiceTest, RefusesALongRequestId) {
  v1::SubmitRequest request;
  request.set_request_id(std::string(129, 'r'));
  v1::SubmitResponse response;
  grpc::ClientContext context;
  const grpc::Status status = stub().Submit(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(),
              HasSubstr("request_id: has 129 bytes; at most 128"));
}

TEST_F(HydraServiceTest, ARequestIdCannotBeUsedForAnotherJob) {
  const auto queued = core_thread_.Ask([](Core& core, absl::Time now) {
    return core.Submit({}, {"known", "another digest", Caller{1000}}, now)
        .status();
  });
  ASSERT_TRUE(queued.has_value() && queued->ok());
  v1::SubmitRequest request;
  request.set_request_id("known");
  request.mutable_job()->set_name("new");
  v1::SubmitResponse response;
  grpc::ClientContext context;
  const grpc::Status status = stub().Submit(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ALREADY_EXISTS);
  EXPECT_THAT(status.error_message(), HasSubstr("sweep s1"));
  // Another caller's id is another one: what it asks for is looked at.
  caller_ = {1001};
  grpc::ClientContext other;
  EXPECT_EQ(stub().Submit(&other, request, &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(HydraServiceTest, ARepeatedSubmissionIsWarnedAsTheFirstOne) {
  NewJob job = SmallJob(1);
  job.warnings = {"a key is not used"};
  jobs_.AddSubmitted(JobId(1), job);
  v1::SubmitRequest request;
  request.set_request_id("known");
  const RequestKey key = *KeyOf(caller_, request);
  const auto queued = core_thread_.Tell([&](Core& core, absl::Time now) {
    const auto submission = core.Submit({job}, key, now);
    core.Recorded(submission->sequence);
    return submission->sequence;
  });
  gate_.Recorded(*queued);
  v1::SubmitResponse response;
  grpc::ClientContext context;
  const grpc::Status status = stub().Submit(&context, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(response.jobs_size(), 1);
  EXPECT_EQ(response.jobs(0).job_id(), "j1");
  ASSERT_EQ(response.warnings_size(), 1);
  EXPECT_EQ(response.warnings(0), "a key is not used");
}

TEST_F(HydraServiceTest, AJobFilesTextIsTheSameSubmissionAsItsMessages) {
  JobFile file = *ParseJobFile(
      "name: a\nmodel: {path: m}\nsweep: {grid: {train.seed: [1, 2]}}\n");
  MakePathsAbsolute("/here", &file);
  v1::SubmitRequest messages;
  messages.set_request_id("known");
  *messages.mutable_job() = file.job;
  messages.mutable_grid()->Assign(file.grid.begin(), file.grid.end());
  const RequestKey key = *KeyOf(caller_, messages);
  jobs_.AddSubmitted(JobId(1), SmallJob(1));
  const auto queued = core_thread_.Tell([&](Core& core, absl::Time now) {
    const auto submission = core.Submit({SmallJob(1)}, key, now);
    core.Recorded(submission->sequence);
    return submission->sequence;
  });
  gate_.Recorded(*queued);
  v1::SubmitRequest text;
  text.set_request_id("known");
  text.set_base_dir("/here");
  text.set_job_file(
      "name: 'a'\n"
      "sweep:\n  grid:\n    train.seed: [1, 2]\n"
      "model:\n  path: ./m\n");
  v1::SubmitResponse response;
  grpc::ClientContext context;
  const grpc::Status status = stub().Submit(&context, text, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.jobs_size(), 1);
  // And of another text it is another one.
  text.set_job_file("name: b\n");
  grpc::ClientContext other;
  const grpc::Status reused = stub().Submit(&other, text, &response);
  EXPECT_EQ(reused.error_code(), grpc::StatusCode::ALREADY_EXISTS);
  EXPECT_EQ(ReasonOf(FromGrpc(reused)), "REQUEST_ID_REUSED");
}

TEST_F(HydraServiceTest, TellsAllThatIsWrongWithAJobFilesText) {
  v1::SubmitRequest request;
  request.set_job_file("train: {max_steps: many}\nmodel: {path: here}\n");
  v1::SubmitResponse response;
  grpc::ClientContext context;
  const grpc::Status status = stub().Submit(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  const Mistakes mistakes = MistakesOf(FromGrpc(status));
  ASSERT_FALSE(mistakes.empty());
  EXPECT_EQ(mistakes.front().field(), "train.max_steps");
  EXPECT_THAT(mistakes.front().description(), HasSubstr("line 1: "));
  EXPECT_THAT(status.error_message(),
              HasSubstr("model.path: expected an absolute path, found 'here'"));
  v1::PlanRequest plan;
  plan.set_job_file("[");
  v1::PlanResponse planned;
  grpc::ClientContext plan_context;
  EXPECT_EQ(stub().Plan(&plan_context, plan, &planned).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(HydraServiceTest, ErrorsTellProgramsTheirCause) {
  const auto reason = [](const grpc::Status& status) {
    return ReasonOf(FromGrpc(status));
  };
  v1::GetJobRequest job;
  job.set_job_id("j99");
  v1::GetJobResponse got;
  grpc::ClientContext job_context;
  EXPECT_EQ(reason(stub().GetJob(&job_context, job, &got)), "JOB_NOT_FOUND");
  v1::GetResultsRequest sweep;
  sweep.set_sweep_id("s99");
  v1::GetResultsResponse results;
  grpc::ClientContext sweep_context;
  EXPECT_EQ(reason(stub().GetResults(&sweep_context, sweep, &results)),
            "SWEEP_NOT_FOUND");
  v1::DownloadRequest download;
  download.set_job_id("j7");
  grpc::ClientContext download_context;
  EXPECT_EQ(reason(stub().Download(&download_context, download)->Finish()),
            "NO_MODEL");
  service_.Stop();
  grpc::ClientContext watch_context;
  const absl::Status stopped =
      FromGrpc(stub().Watch(&watch_context, {})->Finish());
  EXPECT_EQ(ReasonOf(stopped), "NOT_SERVING");
  EXPECT_TRUE(RetryAfter(stopped).has_value());
}

TEST_F(HydraServiceTest, RefusesWhatNoRequestCanMean) {
  const auto refused = [](const grpc::Status& status) {
    return status.error_code() == grpc::StatusCode::INVALID_ARGUMENT;
  };
  v1::ListJobsRequest list;
  list.add_states(static_cast<v1::JobState>(99));
  v1::ListJobsResponse listed;
  grpc::ClientContext list_context;
  EXPECT_TRUE(refused(stub().ListJobs(&list_context, list, &listed)));
  v1::GetJobRequest get;
  get.set_job_id("j07");
  v1::GetJobResponse got;
  grpc::ClientContext get_context;
  EXPECT_TRUE(refused(stub().GetJob(&get_context, get, &got)));
  v1::WatchRequest watch;
  watch.set_interval_ms(-1);
  grpc::ClientContext watch_context;
  EXPECT_TRUE(refused(stub().Watch(&watch_context, watch)->Finish()));
  // An empty id is not all jobs.
  watch.clear_interval_ms();
  watch.set_job_id("");
  grpc::ClientContext empty_context;
  EXPECT_TRUE(refused(stub().Watch(&empty_context, watch)->Finish()));
  v1::ListMetricsRequest metrics;
  metrics.set_job_id("j7");
  metrics.set_first_step(-1);
  v1::ListMetricsResponse measured;
  grpc::ClientContext metrics_context;
  EXPECT_TRUE(
      refused(stub().ListMetrics(&metrics_context, metrics, &measured)));
  grpc::ClientContext trace_context;
  EXPECT_TRUE(refused(stub().Trace(&trace_context, {})->Finish()));
  v1::StreamLogsRequest logs;
  logs.set_job_id("j7");
  logs.set_tail(-1);
  grpc::ClientContext logs_context;
  EXPECT_TRUE(refused(stub().StreamLogs(&logs_context, logs)->Finish()));
  logs.clear_tail();
  logs.set_after(-1);
  grpc::ClientContext after_context;
  EXPECT_TRUE(refused(stub().StreamLogs(&after_context, logs)->Finish()));
}

TEST_F(HydraServiceTest, LogsBeginBehindTheLineThatWasSeenLast) {
  for (int i = 1; i <= 5; ++i) {
    v1::LogLine line;
    line.set_text(std::to_string(i));
    logs_.Append(kOldJob, line);
  }
  const auto numbers = [&](int64_t after, int32_t tail) {
    v1::StreamLogsRequest request;
    request.set_job_id("j7");
    request.set_after(after);
    request.set_tail(tail);
    request.set_follow(true);
    grpc::ClientContext context;
    const auto reader = stub().StreamLogs(&context, request);
    v1::StreamLogsResponse response;
    std::vector<int64_t> sequences;
    while (reader->Read(&response)) {
      EXPECT_EQ(response.dropped_lines(), 0);
      for (const v1::LogLine& line : response.lines()) {
        EXPECT_EQ(line.text(), std::to_string(line.sequence()));
        sequences.push_back(line.sequence());
      }
    }
    EXPECT_TRUE(reader->Finish().ok());
    return sequences;
  };
  EXPECT_THAT(numbers(0, 0), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(numbers(0, 2), ElementsAre(4, 5));
  EXPECT_THAT(numbers(3, 0), ElementsAre(4, 5));
  EXPECT_THAT(numbers(3, 1), ElementsAre(4, 5));
  EXPECT_THAT(numbers(5, 0), IsEmpty());
  // Of a server that lost its disk.
  EXPECT_THAT(numbers(99, 0), IsEmpty());
  EXPECT_THAT(numbers(std::numeric_limits<int64_t>::max(), 0), IsEmpty());
}

// A job that writes faster than its log is read would never let it end.
TEST_F(HydraServiceTest, LogsThatAreNotFollowedEndWhereTheyDidAtFirst) {
  constexpr int kLines = 400;
  const auto append = [&] {
    for (int i = 0; i < kLines; ++i) {
      v1::LogLine line;
      line.set_text(std::string(10'000, 'x'));
      logs_.Append(kOldJob, line);
    }
  };
  append();
  absl::Notification written;
  logs_.WhenWritten([&] { written.Notify(); });
  written.WaitForNotification();
  v1::StreamLogsRequest request;
  request.set_job_id("j7");
  grpc::ClientContext context;
  const auto reader = stub().StreamLogs(&context, request);
  v1::StreamLogsResponse response;
  int64_t newest = 0;
  while (reader->Read(&response)) {
    // The rest waits until it is read: it is more than gRPC takes.
    if (newest == 0) append();
    ASSERT_FALSE(response.lines().empty());
    newest = response.lines().rbegin()->sequence();
  }
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(newest, kLines);
}

// Of a field of a request what has no meaning there; none: all has one, or
// other tests know it.
std::vector<std::function<void(Message*)>> NoMeaning(
    const FieldDescriptor* field) {
  const bool repeated = field->is_repeated();
  if (field->name() == "priority") {
    std::vector<std::function<void(Message*)>> numbers;
    for (const int number : {-1001, 1001}) {
      numbers.push_back([=](Message* message) {
        message->GetReflection()->SetInt32(message, field, number);
      });
    }
    return numbers;
  }
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_ENUM:
      return {[=](Message* message) {
        const auto& set = *message->GetReflection();
        repeated ? set.AddEnumValue(message, field, 99)
                 : set.SetEnumValue(message, field, 99);
      }};
    case FieldDescriptor::CPPTYPE_INT32:
      return {[=](Message* message) {
        message->GetReflection()->SetInt32(message, field, -1);
      }};
    case FieldDescriptor::CPPTYPE_INT64:
      return {[=](Message* message) {
        message->GetReflection()->SetInt64(message, field, -1);
      }};
    case FieldDescriptor::CPPTYPE_STRING:
      break;
    default:
      return {};
  }
  std::vector<std::function<void(Message*)>> texts;
  if (field->name() == "owner" || field->name() == "user") {
    texts.push_back([=](Message* message) {
      message->GetReflection()->SetString(message, field, "no such account");
    });
  }
  if (field->name() == "name") {
    texts.push_back([=](Message* message) {
      message->GetReflection()->SetString(message, field,
                                          std::string(201, 'n'));
    });
  }
  if (!absl::EndsWith(field->name(), "_id") && field->name() != "page_token") {
    return texts;
  }
  for (const char* text : {"7", "07", "j 7", "s-1", "j07", "s07", "J7", "x"}) {
    if (field->name() == "page_token" && text == std::string("7")) continue;
    texts.push_back([=](Message* message) {
      message->GetReflection()->SetString(message, field, text);
    });
  }
  return texts;
}

// Names a job that there is, or the sweep.
void NameTarget(Message* request) {
  for (const auto& [name, id] :
       {std::pair("sweep_id", "s5"), {"job_id", "j7"}}) {
    const FieldDescriptor* field =
        request->GetDescriptor()->FindFieldByName(name);
    if (field == nullptr) continue;
    request->GetReflection()->SetString(request, field, id);
  }
}

TEST_F(HydraServiceTest, EveryFieldOfARequestIsChecked) {
  const auto* service = v1::SubmitRequest::descriptor()->file()->service(0);
  grpc::GenericStub generic(server_->InProcessChannel({}));
  int tried = 0;
  for (int i = 0; i < service->method_count(); ++i) {
    const auto& method = *service->method(i);
    // Of these, see common/jobfile/validate_every_field_test.cc.
    if (method.name() == "Submit" || method.name() == "Plan") continue;
    const auto& type = *method.input_type();
    for (int j = 0; j < type.field_count(); ++j) {
      for (const auto& spoil : NoMeaning(type.field(j))) {
        const std::unique_ptr<Message> request(
            google::protobuf::MessageFactory::generated_factory()
                ->GetPrototype(&type)
                ->New());
        NameTarget(request.get());
        spoil(request.get());
        const grpc::Status status =
            Call(generic,
                 absl::StrCat("/", service->full_name(), "/", method.name()),
                 *request);
        EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
        EXPECT_EQ(MistakesOf(FromGrpc(status)).size(), 1u)
            << method.name() << ": " << request->ShortDebugString();
        ++tried;
      }
    }
  }
  EXPECT_GT(tried, 100);
}

TEST_F(HydraServiceTest, CancellingManyJobsLeavesTimeBetweenItsTurns) {
  const auto submitted = core_thread_.Tell([](Core& core, absl::Time now) {
    auto submission =
        core.Submit(std::vector<NewJob>(201, SmallJob(1)), {}, now);
    if (submission.ok()) core.Recorded(submission->sequence);
    return submission;
  });
  ASSERT_TRUE(submitted.has_value() && submitted->ok());
  v1::CancelRequest request;
  request.set_sweep_id(SweepName((*submitted)->sweep));
  v1::CancelResponse response;
  grpc::ClientContext context;
  const absl::Time start = SteadyNow();
  EXPECT_TRUE(stub().Cancel(&context, request, &response).ok());
  EXPECT_EQ(response.cancelled_job_ids_size(), 201);
  // Three turns with 40 ms from each to the next.
  EXPECT_GE(SteadyNow() - start, absl::Milliseconds(80));
}

TEST_F(HydraServiceTest, OneUserHasABoundedNumberOfStreams) {
  struct Stream {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<v1::WatchResponse>> reader;
  };
  std::vector<std::unique_ptr<Stream>> streams;
  grpc::Status last;
  v1::WatchResponse response;
  while (streams.size() < 1000) {
    auto& stream = streams.emplace_back(std::make_unique<Stream>());
    stream->reader = stub().Watch(&stream->context, {});
    if (!stream->reader->Read(&response)) {
      last = stream->reader->Finish();
      break;
    }
  }
  EXPECT_EQ(streams.size(), 65);
  EXPECT_EQ(last.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(last.error_message(), HasSubstr("64 streams open"));
  EXPECT_EQ(ReasonOf(FromGrpc(last)), "TOO_MANY_CALLS");
  service_.Stop();
  const grpc::Status stopped = streams.front()->reader->Finish();
  EXPECT_EQ(stopped.error_code(), grpc::StatusCode::UNAVAILABLE);
  for (size_t i = 1; i < 64; ++i) streams[i]->reader->Finish();
}

}  // namespace
}  // namespace hydra
