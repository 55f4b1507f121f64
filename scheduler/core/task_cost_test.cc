#include "scheduler/core/task_cost.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status/proto_time.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;

absl::Time At(int seconds) { return absl::FromUnixSeconds(1000 + seconds); }

// A task that begins at 10 on a device that was free at 4, and takes 3 s.
TaskTrace Task() {
  TaskTrace task;
  task.kind = wv1::TASK_KIND_FORWARD;
  task.device_free_at = At(4);
  task.handed_out_at = At(4);
  task.begun_at = At(10);
  task.ended_at = At(13);
  task.copy = absl::Seconds(1);
  return task;
}

// "IDLE 5-9", one for each wait.
std::vector<std::string> Waits(const TaskTrace& task) {
  std::vector<std::string> waits;
  for (const DeviceWait& wait : WaitsBefore(task)) {
    waits.push_back(absl::StrCat(
        v1::DeviceWaitKind_Name(wait.kind).substr(sizeof("DEVICE_WAIT_KIND")),
        " ", (wait.begin - At(0)) / absl::Seconds(1), "-",
        (wait.end - At(0)) / absl::Seconds(1)));
  }
  return waits;
}

using Texts = std::vector<std::string>;

TEST(TaskCostTest, ADeviceWaitsForWhatItHasNotBeenTold) {
  struct Case {
    int handed_out;
    absl::Time idle_since;
    Texts waits;
  };
  for (const Case& each : std::vector<Case>{
           // It was in the worker's hand when the device became free.
           {3, absl::InfiniteFuture(), {"WORKER 4-10"}},
           {4, At(2), {"WORKER 4-10"}},
           // The report of the task before brought it about.
           {6, absl::InfiniteFuture(), {"DAEMON 4-6", "DAEMON 6-10"}},
           // There was nothing, from the turn that took that report on.
           {9, At(5), {"DAEMON 4-5", "IDLE 5-9", "DAEMON 9-10"}},
           // The clocks of worker and daemon differ.
           {12, At(3), {"IDLE 4-10"}},
           {12, At(11), {"DAEMON 4-10"}},
       }) {
    TaskTrace task = Task();
    task.handed_out_at = At(each.handed_out);
    task.idle_since = each.idle_since;
    EXPECT_EQ(Waits(task), each.waits) << each.handed_out;
  }
  TaskTrace first = Task();
  first.device_free_at = absl::InfinitePast();
  EXPECT_EQ(Waits(first), Texts{});
  TaskTrace at_once = Task();
  at_once.begun_at = at_once.device_free_at;
  EXPECT_EQ(Waits(at_once), Texts{});
}

TEST(TaskCostTest, TotalsHaveAllOfADevicesTime) {
  v1::JobTotals totals;
  TaskTrace task = Task();
  task.handed_out_at = At(9);
  task.idle_since = At(5);
  AddDeviceTime(task, totals);
  task.handed_out_at = At(4);
  AddDeviceTime(task, totals);
  task.kind = wv1::TASK_KIND_PREPARE;
  AddDeviceTime(task, totals);
  EXPECT_EQ(FromProto(totals.device()), absl::Seconds(6));
  EXPECT_EQ(FromProto(totals.copy()), absl::Seconds(2));
  EXPECT_EQ(FromProto(totals.wait_for_server()), absl::Seconds(2));
  EXPECT_EQ(FromProto(totals.idle()), absl::Seconds(4));
  EXPECT_EQ(FromProto(totals.between_tasks()), absl::Seconds(6));
}

TEST(TaskCostTest, TotalsOfTwoJobsAddUpInEveryField) {
  v1::JobTotals totals;
  const auto* reflection = totals.GetReflection();
  const auto* fields = totals.GetDescriptor();
  // Twice in each field.
  v1::JobTotals one;
  for (int i = 0; i < fields->field_count(); ++i) {
    const auto* field = fields->field(i);
    if (field->cpp_type() ==
        google::protobuf::FieldDescriptor::CPPTYPE_DOUBLE) {
      reflection->SetDouble(&one, field, i + 1);
    } else if (field->message_type() == nullptr) {
      reflection->SetInt64(&one, field, i + 1);
    } else {
      auto* duration = static_cast<google::protobuf::Duration*>(
          reflection->MutableMessage(&one, field));
      duration->set_seconds(i + 1);
    }
  }
  AddTotals(one, totals);
  EXPECT_EQ(totals.SerializeAsString(), one.SerializeAsString());
  AddTotals(one, totals);
  EXPECT_EQ(totals.tasks(), 2);
  EXPECT_EQ(totals.between_tasks().seconds(),
            2 * one.between_tasks().seconds());
}

TEST(TaskCostTest, ATraceIsWhatWasHandedOutAndWhatItsReportSays) {
  OutstandingTask task;
  task.worker = WorkerId(2);
  task.handed_out_at = At(1);
  task.task.kind = wv1::TASK_KIND_EVALUATE;
  task.task.split = wv1::SPLIT_TEST;
  task.task.layers = {2, 5};
  wv1::TaskCost cost;
  *cost.mutable_begun() = ToProto(At(2));
  *cost.mutable_wall() = ToProto(absl::Seconds(3));
  *cost.mutable_copy() = ToProto(absl::Milliseconds(5));
  cost.set_cached_bytes(77);
  const TaskTrace trace = TraceOf(JobId(9), task, cost);
  EXPECT_EQ(trace.job, JobId(9));
  EXPECT_EQ(trace.worker, WorkerId(2));
  EXPECT_EQ(trace.split, wv1::SPLIT_TEST);
  EXPECT_EQ(trace.layers.last, 5);
  EXPECT_EQ(trace.begun_at, At(2));
  EXPECT_EQ(trace.ended_at, At(5));
  EXPECT_EQ(trace.copy, absl::Milliseconds(5));
  EXPECT_EQ(trace.cached_bytes, 77);
}

TEST(TaskCostTest, EnergyIsAddedUpWhereItIsKnown) {
  v1::JobTotals totals;
  AddCost(wv1::TaskCost(), totals);
  EXPECT_FALSE(totals.has_energy_joules());
  wv1::TaskCost cost;
  cost.set_energy_joules(2.5);
  AddCost(cost, totals);
  AddCost(wv1::TaskCost(), totals);
  v1::JobTotals sweep;
  AddTotals(totals, sweep);
  AddTotals(totals, sweep);
  EXPECT_DOUBLE_EQ(totals.energy_joules(), 2.5);
  EXPECT_DOUBLE_EQ(sweep.energy_joules(), 5);
}

}  // namespace
}  // namespace hydra
