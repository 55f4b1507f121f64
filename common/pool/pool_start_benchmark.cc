// How long a pool takes to come up: the daemon's Create, a worker's Open, and
// the first write to every page, which no start pays but the first tasks do.

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/pool/pool_file.h"

namespace hydra {
namespace {

// How long `work` takes, per GiB.
template <typename Work>
double SecondsPerGib(double gib, Work work) {
  const absl::Time start = absl::Now();
  work();
  return absl::ToDoubleSeconds(absl::Now() - start) / gib;
}

absl::Status Measure(const PoolFile::CreateOptions& options) {
  const double gib = options.size_bytes / double{1 << 30};
  absl::StatusOr<std::unique_ptr<PoolFile>> pool;
  const double create =
      SecondsPerGib(gib, [&] { pool = PoolFile::Create(options); });
  if (!pool.ok()) return pool.status();
  (*pool)->RemoveOnClose();

  absl::StatusOr<std::unique_ptr<PoolFile>> worker;
  const double open = SecondsPerGib(gib, [&] {
    worker = PoolFile::Open(options.path, (*pool)->instance_id());
  });
  if (!worker.ok()) return worker.status();
  const auto write_all = [](const PoolFile& file) {
    const absl::Span<std::byte> data =
        file.Range(file.data_offset(), file.size_bytes() - file.data_offset());
    std::memset(data.data(), 1, data.size());
  };
  const double first = SecondsPerGib(gib, [&] { write_all(**worker); });
  const double again = SecondsPerGib(gib, [&] { write_all(**worker); });
  const double other = SecondsPerGib(gib, [&] { write_all(**pool); });
  std::printf("%8.3f %8.6f %12.3f %12.3f %12.3f\n", create, open, first, again,
              other);
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  PoolFile::CreateOptions options;
  double gib = 1;
  int runs = 3;
  CLI::App app("Times the start of a pool");
  app.add_option("--path", options.path, "The pool's file")->required();
  app.add_option("--gib", gib, "Its size in GiB")->capture_default_str();
  app.add_option("--runs", runs, "How often")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  options.size_bytes = static_cast<int64_t>(gib * (1 << 30));

  std::printf("seconds per GiB, pool of %.2f GiB at %s\n", gib,
              options.path.c_str());
  std::printf("%8s %8s %12s %12s %12s\n", "create", "open", "first write",
              "2nd write", "by owner");
  for (int run = 0; run < runs; ++run) {
    const absl::Status status = Measure(options);
    if (!status.ok()) {
      std::fprintf(stderr, "%s\n", status.ToString().c_str());
      return 1;
    }
  }
  return 0;
}

}  // namespace
}  // namespace hydra

int main(int argc, char** argv) { return hydra::Main(argc, argv); }
