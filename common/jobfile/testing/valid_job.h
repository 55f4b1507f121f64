#ifndef HYDRA_COMMON_JOBFILE_TESTING_VALID_JOB_H_
#define HYDRA_COMMON_JOBFILE_TESTING_VALID_JOB_H_

#include "hydra/v1/job.pb.h"

namespace hydra {

// A job that says what it must, and no more.
inline hydra::v1::JobSpec ValidJob() {
  hydra::v1::JobSpec job;
  job.mutable_model()->set_path("/models/gpt2");
  job.mutable_data()->add_train_files("/data/train.txt");
  job.mutable_train()->set_max_steps(10);
  job.mutable_train()->set_per_device_train_batch_size(8);
  job.mutable_train()->set_learning_rate(1e-4);
  return job;
}

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_TESTING_VALID_JOB_H_
