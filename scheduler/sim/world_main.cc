// Runs many simulated worlds, and says how many events they had. Every
// violation of what must always hold ends the program with the seed that shows
// it:
//
//   bazel run //scheduler/sim:world_main -- --first 1 --seeds 10000

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/time/time.h"
#include "common/clock/steady_time.h"
#include "glog/logging.h"
#include "scheduler/sim/rough_world.h"

namespace hydra {
namespace {

// Users pause, resume and cancel in every third world, the power fails in every
// other third.
World::Options OptionsOf(uint64_t seed) {
  World::Options options = RoughWorld(seed);
  if (seed % 3 == 1) options.meddling = 0.05;
  if (seed % 3 == 2) {
    options.power_cut = 0.003;
    options.checkpoint_damage = 0.1;
  }
  return options;
}

// One or two jobs of one step, and more faults for each event: what fails here
// is short to follow.
World::Options SmallOptionsOf(uint64_t seed) {
  World::Options options = OptionsOf(seed);
  options.workers = 1 + seed % 2;
  options.crash = 0.05;
  options.daemon_crash = 0.02;
  if (options.power_cut > 0) options.power_cut = 0.01;
  return options;
}

uint64_t current_seed = 0;

// What always comes before the end when something is wrong.
void FailWithSeed() {
  std::fprintf(stderr, "seed %llu\n",
               static_cast<unsigned long long>(current_seed));
  std::abort();
}

int Main(int argc, char** argv) {
  uint64_t first = 1;
  uint64_t seeds = 1000;
  bool small = false;
  CLI::App app("Runs simulated worlds until something is wrong.");
  app.add_option("--first", first, "the first seed")->capture_default_str();
  app.add_option("--seeds", seeds, "how many")->capture_default_str();
  app.add_flag("--small", small, "small worlds, with more faults each");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  int64_t events = 0;
  int64_t starts = 0;
  int64_t checkpoints = 0;
  const absl::Time begin = SteadyNow();
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    current_seed = seed;
    World world(small ? SmallOptionsOf(seed) : OptionsOf(seed));
    if (small) {
      world.Submit(1 + seed % 2, 1);
    } else {
      world.Submit(1 + seed % 5, 1 + seed % 7);
    }
    world.RunUntilJobsEnd();
    events += world.events();
    starts += world.daemon_starts();
    checkpoints += world.checkpoints_written();
  }
  const double seconds = absl::ToDoubleSeconds(SteadyNow() - begin);
  std::printf(
      "%llu worlds, nothing wrong: %lld events (%.0f/s), %.0f worlds/s, "
      "%lld starts of the daemon, %lld checkpoints\n",
      static_cast<unsigned long long>(seeds), static_cast<long long>(events),
      events / seconds, seeds / seconds, static_cast<long long>(starts),
      static_cast<long long>(checkpoints));
  return 0;
}

}  // namespace
}  // namespace hydra

int main(int argc, char** argv) {
  google::InitGoogleLogging(argv[0]);
  FLAGS_logtostderr = true;
  google::InstallFailureFunction(&hydra::FailWithSeed);
  return hydra::Main(argc, argv);
}
