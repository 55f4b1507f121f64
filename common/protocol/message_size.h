#ifndef HYDRA_COMMON_PROTOCOL_MESSAGE_SIZE_H_
#define HYDRA_COMMON_PROTOCOL_MESSAGE_SIZE_H_

namespace hydra {

// The largest message between hydrad and its workers, for both sides. The
// largest hand has fourteen tasks (lookahead 8, two more on a device with
// memory of its own, and three that are computed); of a job with 65,536
// micro-batches each names three boundaries of some 32 bytes for every one of
// them, 6.3 MB in all; and none of their fourteen jobs' contexts, of little
// more than a megabyte each, is known to the worker: some 105 MB.
inline constexpr int kMaxWorkerMessageBytes = 128 << 20;

}  // namespace hydra

#endif  // HYDRA_COMMON_PROTOCOL_MESSAGE_SIZE_H_
