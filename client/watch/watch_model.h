#ifndef HYDRA_CLIENT_WATCH_WATCH_MODEL_H_
#define HYDRA_CLIENT_WATCH_WATCH_MODEL_H_

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "google/protobuf/repeated_ptr_field.h"
#include "hydra/v1/hydra.pb.h"

namespace hydra {

// What a watch stream has told so far: the newest status of each job and
// worker. Not thread-safe.
class WatchModel {
 public:
  // Takes in one message. `first` is set for the first message of a stream,
  // which tells about all jobs: others are forgotten.
  void Apply(const v1::WatchResponse& response, bool first);

  // In order of submission.
  std::vector<v1::JobStatus> Jobs() const;

  const google::protobuf::RepeatedPtrField<v1::WorkerStatus>& workers() const {
    return workers_;
  }

  // Why no device can be used: no worker's process could start, several times
  // over. None: one can, or it may be too early to say.
  std::optional<std::string> WhyNoWorkerStarts() const;

  bool AllEnded() const;
  // Whether a job failed or was cancelled.
  bool AnyUnsuccessful() const;

 private:
  // Ids end in a number, so shorter ones are older.
  using IdOrder = std::pair<size_t, std::string>;

  std::map<IdOrder, v1::JobStatus> jobs_;
  google::protobuf::RepeatedPtrField<v1::WorkerStatus> workers_;
};

}  // namespace hydra

#endif  // HYDRA_CLIENT_WATCH_WATCH_MODEL_H_
