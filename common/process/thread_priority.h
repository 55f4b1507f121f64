#ifndef HYDRA_COMMON_PROCESS_THREAD_PRIORITY_H_
#define HYDRA_COMMON_PROCESS_THREAD_PRIORITY_H_

namespace hydra {

// From now on the calling thread has a tenth of the share of a core that the
// process's other threads, and training, would have: it takes what they leave,
// and more only where nobody else wants it. The process's own niceness counts
// on top of it. Cheap after the first time; there is no way back.
void StepBack();

}  // namespace hydra

#endif  // HYDRA_COMMON_PROCESS_THREAD_PRIORITY_H_
