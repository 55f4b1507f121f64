// What TensorBoard itself reads of a job that was killed and went back to a
// checkpoint. Skipped where no Python has tensorboard.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/e2e/cluster.h"
#include "tests/faults/fault_fixture.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

class TensorBoardTest : public FaultTest {
 protected:
  void SetUp() override {
    if (Run({"-c", "import tensorboard"}).code != 0) {
      GTEST_SKIP() << "HYDRA_TEST_PYTHON names no Python with tensorboard";
    }
  }

  static ProgramResult Run(const std::vector<std::string>& arguments) {
    const char* const python = std::getenv("HYDRA_TEST_PYTHON");
    std::vector<std::string> command = {
        "/usr/bin/env", "PYTHONDONTWRITEBYTECODE=1",
        python == nullptr || *python == '\0' ? "/usr/bin/python3" : python,
        "-W", "ignore"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return RunProgram(command);
  }
};

// Compares each curve with metrics.jsonl, in single precision.
constexpr char kCompare[] = R"(
import json, struct, sys
from tensorboard.backend.event_processing import event_accumulator

def single(number):
    return struct.unpack('f', struct.pack('f', number))[0]

lines = [json.loads(line) for line in open(sys.argv[1] + '/metrics.jsonl')]
wanted = {}
for line in lines:
    group = {None: 'train', 'validation': 'eval'}.get(line.get('split'), line.get('split'))
    for key, name in (('train_loss', 'loss'), ('loss', 'loss'), ('perplexity', 'perplexity'),
                      ('learning_rate', 'learning_rate'), ('grad_norm', 'grad_norm')):
        if key in line:
            wanted.setdefault(group + '/' + name, []).append((line['step'], single(line[key])))
read = event_accumulator.EventAccumulator(sys.argv[1], size_guidance={event_accumulator.SCALARS: 0})
read.Reload()
for tag, curve in wanted.items():
    found = [(event.step, event.value) for event in read.Scalars(tag)]
    assert found == curve, (tag, found, curve)
print('compared', len(wanted), 'curves,', len(wanted['train/loss']), 'steps')
)";

TEST_F(TensorBoardTest, ShowsOneCurveOfAJobThatWentBack) {
  v1::JobSpec spec = LongSpec();
  spec.mutable_output()->set_tensorboard(true);
  spec.mutable_train()->set_max_grad_norm(1);
  spec.mutable_checkpoint()->set_every_steps(5);
  Cluster cluster(TwoDevices());
  const std::string id = cluster.Submit(spec);
  cluster.AwaitJob(id, [](const v1::JobDetail& detail) {
    return detail.checkpoints_size() > 0;
  });
  const v1::JobDetail before = cluster.Job(id);
  cluster.AwaitStep(id, before.status().step() + 2);
  // Some of the curve is there that is undone now.
  cluster.Await([&] {
    std::ifstream file(before.output_path() + "/metrics.jsonl");
    std::string line;
    return static_cast<bool>(std::getline(file, line));
  });
  cluster.KillDaemon();
  cluster.LosePool();
  cluster.StartDaemon();
  const v1::JobDetail job = cluster.AwaitEnd(id);
  ASSERT_EQ(job.status().state(), v1::JOB_STATE_COMPLETED)
      << job.status().reason();
  // All is written when the daemon has ended.
  cluster.StopDaemon();
  const ProgramResult compared = Run({"-c", kCompare, job.output_path()});
  EXPECT_EQ(compared.code, 0) << compared.output;
  EXPECT_TRUE(absl::StrContains(
      compared.output, absl::StrCat(" curves, ", kLongSteps, " steps")))
      << compared.output;
  cluster.StartDaemon();
}

}  // namespace
}  // namespace hydra
