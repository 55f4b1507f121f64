#ifndef HYDRA_SCHEDULER_CORE_SENT_CONTEXTS_H_
#define HYDRA_SCHEDULER_CORE_SENT_CONTEXTS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "common/ids/ids.h"

namespace hydra {

// Which jobs' contexts a worker keeps, so that messages carry those alone that
// it lacks: a job's specification may take a megabyte.
//
// A message names all contexts that the worker keeps from then on. One that is
// left out has lost its number for good, so that an old report that still lists
// it tells nothing wrong. Pure bookkeeping; not thread-safe.
class SentContexts {
 public:
  // Of jobs that the worker has no task of now, so many contexts are kept with
  // the others: jobs come back to a hand.
  static constexpr size_t kKept = 16;

  // The next message needs the job's context, which says `content` (a text that
  // stands for all that may change of it). Its number; `*last_number` is
  // counted up for a new one.
  uint64_t Need(JobId job, const std::string& content, uint64_t* last_number);
  // Whether the worker's newest report listed it, so that it need not be sent.
  bool Has(JobId job) const;
  // The next message is complete. The contexts that it names, ascending.
  std::vector<uint64_t> EndMessage();
  // The worker's newest report lists these.
  void Reported(absl::Span<const uint64_t> numbers);
  // Those whose contexts the worker keeps, or is about to.
  std::vector<JobId> Jobs() const;
  // What the worker has is not known: its stream is a new one.
  void Forget() { by_job_.clear(); }

 private:
  struct Entry {
    uint64_t number = 0;
    std::string content;
    bool reported = false;
    // The newest message that needed it.
    uint64_t needed_in = 0;
  };

  std::map<JobId, Entry> by_job_;
  uint64_t message_ = 1;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_SENT_CONTEXTS_H_
