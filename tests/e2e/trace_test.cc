// What `hydra trace` writes is all of the devices' time, and of the jobs'
// bytes.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/status/proto_time.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/small_job.h"

namespace hydra {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

// [begin, end) in nanoseconds.
struct Slice {
  int64_t begin;
  int64_t end;
};

int64_t Nanoseconds(const json& microseconds) {
  return std::llround(microseconds.get<double>() * 1000);
}

Slice SliceOf(const json& event) {
  const int64_t begin = Nanoseconds(event.at("ts"));
  return {begin, begin + Nanoseconds(event.at("dur"))};
}

struct Sums {
  int64_t tasks = 0;
  int64_t promoted_bytes = 0;
  int64_t demoted_bytes = 0;
  int64_t cached_bytes = 0;
  absl::Duration device;
  absl::Duration copy;
};

// The slices of a whole trace.
struct Trace {
  explicit Trace(const json& file) {
    for (const json& event : file.at("traceEvents")) {
      if (event.at("ph") == "i") instants.push_back(event.at("name"));
      if (event.at("ph") != "X") continue;
      const bool prepares = event.at("name").get<std::string>().find(
                                " PREPARE") != std::string::npos;
      if (event.at("cat") == "task" && !prepares) {
        devices[event.at("pid").get<int>()].push_back(SliceOf(event));
      } else if (event.at("cat") == "wait") {
        devices[event.at("pid").get<int>()].push_back(SliceOf(event));
      }
      if (event.at("cat") == "task") AddToJob(event, prepares);
    }
    for (auto& [device, slices] : devices) {
      std::sort(
          slices.begin(), slices.end(),
          [](const Slice& a, const Slice& b) { return a.begin < b.begin; });
    }
  }

  void AddToJob(const json& event, bool prepares) {
    const json& arguments = event.at("args");
    EXPECT_EQ(arguments.at("outcome"), "committed");
    const std::string job = arguments.at("job");
    Sums& sums = jobs[job.substr(0, job.find(' '))];
    ++sums.tasks;
    sums.promoted_bytes += arguments.at("promoted_bytes").get<int64_t>();
    sums.demoted_bytes += arguments.at("demoted_bytes").get<int64_t>();
    sums.cached_bytes += arguments.at("cached_bytes").get<int64_t>();
    if (prepares) return;
    const Slice slice = SliceOf(event);
    sums.device += absl::Nanoseconds(slice.end - slice.begin);
    sums.copy += absl::Milliseconds(arguments.at("copy_ms").get<double>());
  }

  // Tasks and waits of a device, in their order.
  std::map<int, std::vector<Slice>> devices;
  std::map<std::string, Sums> jobs;
  std::vector<std::string> instants;
};

TEST(TraceTest, HasAllOfTheDevicesTimeAndOfTheJobsBytes) {
  const std::string directory = FreshDirectory();
  const SmallJobFiles files = MakeSmallJobFiles(directory);
  Cluster cluster(TwoDevices());
  v1::SubmitRequest request;
  *request.mutable_job() = SmallJob(files, {1, 3});
  v1::GridAxis& axis = *request.add_grid();
  axis.set_field("train.learning_rate");
  axis.add_values("0.01");
  axis.add_values("0.001");
  const std::vector<std::string> ids = cluster.Submit(request);
  ASSERT_EQ(ids.size(), 2);
  for (const std::string& id : ids) cluster.AwaitEnd(id);

  const std::string path = directory + "/trace.json";
  const ProgramResult written =
      RunProgram({"client/hydra", "--server", cluster.address(), "trace", "s1",
                  "-o", path});
  ASSERT_EQ(written.code, 0) << written.output;
  std::ifstream file(path);
  const Trace trace(json::parse(file));

  for (const auto& [device, slices] : trace.devices) {
    ASSERT_FALSE(slices.empty());
    for (size_t i = 1; i < slices.size(); ++i) {
      // Each begins where the one before ends.
      EXPECT_NEAR(slices[i].begin, slices[i - 1].end, 2)
          << "device " << device << ", slice " << i;
    }
  }
  absl::Duration device;
  for (const std::string& id : ids) {
    const v1::JobTotals totals = cluster.Job(id).totals();
    const Sums& sums = trace.jobs.at(id);
    EXPECT_EQ(sums.tasks, totals.tasks());
    EXPECT_EQ(sums.promoted_bytes, totals.promoted_bytes());
    EXPECT_EQ(sums.demoted_bytes, totals.demoted_bytes());
    EXPECT_EQ(sums.cached_bytes, totals.cached_bytes());
    EXPECT_GT(totals.promoted_bytes(), 0);
    EXPECT_NEAR(absl::ToDoubleSeconds(sums.device),
                absl::ToDoubleSeconds(FromProto(totals.device())), 1e-6);
    EXPECT_NEAR(absl::ToDoubleSeconds(sums.copy),
                absl::ToDoubleSeconds(FromProto(totals.copy())), 1e-6);
    EXPECT_GT(sums.copy, absl::ZeroDuration());
    EXPECT_LT(sums.copy, sums.device);
    EXPECT_EQ(std::count(trace.instants.begin(), trace.instants.end(),
                         absl::StrCat(id, " admitted")),
              1);
    device += FromProto(totals.device());
  }
  // The same numbers, in shares.
  v1::GetResultsRequest sweep;
  sweep.set_sweep_id("s1");
  v1::GetResultsResponse results;
  grpc::ClientContext context;
  ASSERT_TRUE(cluster.stub().GetResults(&context, sweep, &results).ok());
  EXPECT_EQ(FromProto(results.totals().device()), device);
  EXPECT_THAT(RunProgram({"client/hydra", "--server", cluster.address(),
                          "results", "s1"})
                  .output,
              HasSubstr("% computing, "));
}

}  // namespace
}  // namespace hydra
