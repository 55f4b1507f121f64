#ifndef HYDRA_WORKER_EXEC_WHOLE_READS_H_
#define HYDRA_WORKER_EXEC_WHOLE_READS_H_

#include <vector>

#include "common/model/model_table.h"
#include "hydra/worker/v1/worker.pb.h"

namespace hydra {

// Pure: the versions that a pass promotes as a whole, in the order in which it
// does: its input, its parameters, and gradients, micro-batch after
// micro-batch. Not what it reads in ranges, when it updates or of
// `streamed_block`, see StreamedBlock, nor blocks that the model does not have.
// None for tasks that are no passes.
std::vector<worker::v1::BlockVersion> WholeReads(const worker::v1::Task& task,
                                                 const ModelTable& table,
                                                 int streamed_block);

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_WHOLE_READS_H_
