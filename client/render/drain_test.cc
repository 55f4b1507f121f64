#include "client/render/drain.h"

#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(RenderDrainedTest, NamesEachDeviceThatGetsNoTasks) {
  v1::DrainResponse response;
  response.add_workers()->set_device("cpu:0");
  EXPECT_EQ(RenderDrained(response), "all devices take tasks\n");
  v1::WorkerStatus& worker = *response.add_workers();
  worker.set_device("cpu:1");
  worker.set_state(v1::WORKER_STATE_READY);
  worker.set_draining(true);
  worker.set_drain_reason("new fan");
  EXPECT_EQ(RenderDrained(response), "cpu:1 is drained: new fan\n");
  worker.set_task("j3 FORWARD shard 0 step 2");
  EXPECT_EQ(RenderDrained(response),
            "cpu:1 is draining: new fan (computes j3 FORWARD shard 0 step "
            "2)\n");
  response.set_maintenance("");
  EXPECT_EQ(RenderDrained(response),
            "the server is in maintenance\n"
            "cpu:1 is draining: new fan (computes j3 FORWARD shard 0 step "
            "2)\n");
}

}  // namespace
}  // namespace hydra
