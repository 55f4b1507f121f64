#include "scheduler/daemon/job_paths.h"

#include "scheduler/daemon/journal_files.h"

namespace hydra {

std::vector<std::string> ReadRoots(const config::v1::DaemonConfig& config) {
  return {config.read_roots().begin(), config.read_roots().end()};
}

PathPolicy PathsOf(const config::v1::DaemonConfig& config,
                   const std::string& outputs) {
  return PathPolicy(
      ReadRoots(config),
      {config.output_roots().begin(), config.output_roots().end()}, outputs);
}

std::vector<std::string> OwnFiles(const config::v1::DaemonConfig& config,
                                  const std::string& config_path) {
  std::vector<std::string> files = {config.state_dir(), config.pool().path()};
  for (const char* suffix : {"", "-journal", "-wal", "-shm"}) {
    files.push_back(PoolJournalPath(config) + suffix);
  }
  if (!config_path.empty()) files.push_back(config_path);
  return files;
}

}  // namespace hydra
