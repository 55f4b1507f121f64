// How far forecasts of jobs' ends are off, on recorded mixes of jobs that the
// core itself then decides on in a simulated world:
//
//   bazel run //scheduler/sim:forecast_error -- --first 1 --seeds 5

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>

#include "absl/time/time.h"
#include "glog/logging.h"
#include "scheduler/sim/forecast_mix.h"

namespace hydra {
namespace {

int Main(int argc, char** argv) {
  ForecastMix mix;
  int seeds = 1;
  CLI::App app("Compares forecasts with what the core does.");
  app.add_option("--first", mix.seed, "the first seed")->capture_default_str();
  app.add_option("--seeds", seeds, "how many")->capture_default_str();
  app.add_option("--jobs", mix.jobs, "a multiple of ten")
      ->capture_default_str()
      ->check(CLI::Range(10, 10'000));
  app.add_option("--devices", mix.devices, "devices")
      ->capture_default_str()
      ->check(CLI::Range(1, 64));
  CLI11_PARSE(app, argc, argv);
  mix.jobs -= mix.jobs % 10;
  for (int i = 0; i < seeds; ++i, ++mix.seed) {
    for (const ForecastErrors& errors : MeasureForecasts(mix)) {
      std::printf(
          "seed %llu, %d devices, after %5.0f s: %3lld of %d jobs are there, "
          "the last ends %5.0f s later; %lld have no forecast; the finish is "
          "off by %4.1f%% in the median, by at most %5.1f%% for nine tenths\n",
          static_cast<unsigned long long>(mix.seed), mix.devices,
          absl::ToDoubleSeconds(errors.made_at),
          static_cast<long long>(errors.jobs), mix.jobs,
          absl::ToDoubleSeconds(errors.until_end),
          static_cast<long long>(errors.without), 100 * errors.median,
          100 * errors.ninetieth);
    }
  }
  return 0;
}

}  // namespace
}  // namespace hydra

int main(int argc, char** argv) {
  google::InitGoogleLogging(argv[0]);
  FLAGS_logtostderr = true;
  return hydra::Main(argc, argv);
}
