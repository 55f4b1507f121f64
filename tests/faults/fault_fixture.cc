#include "tests/faults/fault_fixture.h"

#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "glog/logging.h"
#include "tests/e2e/call.h"

namespace hydra {

namespace fs = std::filesystem;

namespace {

using Stub = v1::HydraService::Stub;

template <typename Request>
Request For(const std::string& job) {
  Request request;
  request.set_job_id(job);
  return request;
}

}  // namespace

FaultTest::FaultTest() : files_(MakeSmallJobFiles(FreshDirectory())) {
  spec_ = SmallJob(files_, {1, 2, 3});
  spec_.mutable_train()->set_max_steps(kSteps);
}

v1::JobSpec FaultTest::LongSpec() const {
  v1::JobSpec spec = spec_;
  spec.mutable_train()->set_max_steps(kLongSteps);
  spec.mutable_evaluation()->set_eval_steps(kLongSteps / 3);
  return spec;
}

Cluster::Options FaultTest::Options(const std::string& fail_points) {
  Cluster::Options options = TwoDevices();
  if (!fail_points.empty()) {
    options.environment = {"HYDRA_FAIL_POINTS=" + fail_points};
  }
  return options;
}

Cluster::Options FaultTest::Preloading(const std::string& library,
                                       const std::string& environment) {
  // AddressSanitizer wants to be the first library, but not for a reason that
  // matters here.
  const char* const asan = std::getenv("ASAN_OPTIONS");
  Cluster::Options options = TwoDevices();
  options.environment = {
      absl::StrCat("LD_PRELOAD=",
                   fs::absolute("tests/faults/" + library).string()),
      environment,
      absl::StrCat("ASAN_OPTIONS=verify_asan_link_order=0:",
                   asan == nullptr ? "" : asan)};
  return options;
}

std::string FaultTest::Marker() { return FreshDirectory() + "/marker"; }

std::vector<std::string> FaultTest::SubmitEqualJobs(Cluster& cluster,
                                                    const v1::JobSpec& job,
                                                    int count) {
  v1::SubmitRequest request;
  *request.mutable_job() = job;
  v1::GridAxis& axis = *request.add_grid();
  // When it is measured does not change what is trained.
  axis.set_field("evaluation.eval_steps");
  for (int i = 1; i <= count; ++i) axis.add_values(absl::StrCat(10 + i));
  return cluster.Submit(request);
}

void FaultTest::Cancel(v1::HydraService::Stub& stub, const std::string& job) {
  Call(stub, &Stub::Cancel, For<v1::CancelRequest>(job));
}

void FaultTest::Pause(v1::HydraService::Stub& stub, const std::string& job) {
  Call(stub, &Stub::Pause, For<v1::PauseRequest>(job));
}

void FaultTest::Resume(v1::HydraService::Stub& stub, const std::string& job) {
  Call(stub, &Stub::Resume, For<v1::ResumeRequest>(job));
}

std::string FaultTest::LogOf(Cluster& cluster, const std::string& job) {
  grpc::ClientContext context;
  v1::StreamLogsRequest request;
  request.set_job_id(job);
  const auto reader = cluster.stub().StreamLogs(&context, request);
  std::string log;
  v1::StreamLogsResponse response;
  while (reader->Read(&response)) {
    for (const v1::LogLine& line : response.lines()) {
      absl::StrAppend(&log, line.text(), "\n");
    }
  }
  return log;
}

const Outcome& FaultTest::Undisturbed(bool is_long) {
  auto run = [this](const v1::JobSpec& spec) {
    Cluster cluster(Options());
    const v1::JobDetail job = cluster.Run(spec);
    CHECK_EQ(job.status().state(), v1::JOB_STATE_COMPLETED);
    return OutcomeOf(job);
  };
  if (is_long) {
    static const Outcome& outcome = *new Outcome(run(LongSpec()));
    return outcome;
  }
  static const Outcome& outcome = *new Outcome(run(spec_));
  return outcome;
}

bool FaultTest::ExpectExact(const v1::JobDetail& job) {
  EXPECT_EQ(job.status().state(), v1::JOB_STATE_COMPLETED)
      << job.status().reason();
  if (job.status().state() != v1::JOB_STATE_COMPLETED) return false;
  const bool is_long = job.spec().train().max_steps() == kLongSteps;
  const v1::JobSpec like = is_long ? LongSpec() : spec_;
  Outcome outcome = OutcomeOf(job);
  if (job.spec().evaluation().eval_steps() != like.evaluation().eval_steps()) {
    outcome.evaluations = Undisturbed(is_long).evaluations;
  }
  const std::string difference = Difference(outcome, Undisturbed(is_long));
  EXPECT_EQ(difference, "") << "from an undisturbed run";
  return difference.empty();
}

void FaultTest::Row(const std::string& id, const std::string& injected,
                    const std::string& seen,
                    std::optional<absl::Duration> recovered,
                    std::optional<bool> exact) {
  std::string row = absl::StrCat(id, ": injected ", injected, ", seen ", seen);
  if (recovered.has_value()) {
    absl::StrAppend(&row, ", recovered in ",
                    absl::ToInt64Milliseconds(*recovered), " ms");
  }
  if (exact.has_value()) {
    absl::StrAppend(&row, ", exact ", *exact ? "yes" : "no");
  }
  std::printf("%s\n", row.c_str());
  std::fflush(stdout);
}

absl::Duration FaultTest::Time(Cluster& cluster,
                               const std::function<bool()>& done) {
  const absl::Time start = absl::Now();
  cluster.Await(done);
  return absl::Now() - start;
}

absl::Duration FaultTest::Since(const std::string& marker) {
  struct stat info = {};
  PCHECK(stat(marker.c_str(), &info) == 0) << marker;
  return absl::Now() - absl::TimeFromTimespec(info.st_mtim);
}

}  // namespace hydra
