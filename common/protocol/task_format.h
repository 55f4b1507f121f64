#ifndef HYDRA_COMMON_PROTOCOL_TASK_FORMAT_H_
#define HYDRA_COMMON_PROTOCOL_TASK_FORMAT_H_

#include <cstdint>

namespace hydra {

// WorkerReport.task_format of this version's workers. A worker may be of an
// earlier version, since it outlives its daemon; then it gets no tasks, and is
// replaced. To be raised with whatever tasks may ask for, and with whatever
// changes the bits that they make. 2: families beside GPT-2, schedules, JSON
// Lines, an order of products that no number of threads changes. 3: frozen
// blocks, adapters, conversations, tokens that are not trained on, rows that
// are sequences. 4: frozen blocks of two bytes an element, products of
// bfloat16, batches of rows that are as long as their longest row. 5: templates
// of conversations, and their day, that come with the job; blocks of which a
// part is frozen, Adafactor; folders of pictures; trained blocks of bfloat16
// with masters; sequences that are taken whole, with their lengths beside them
// at each cut; ResNets, and what batch norms remember; layers whose code is
// their user's. 6: products of float16, losses that are scaled, frozen blocks of
// int8. What tasks of one format hand on inside of a step, those of another
// cannot read.
inline constexpr uint32_t kTaskFormat = 6;

}  // namespace hydra

#endif  // HYDRA_COMMON_PROTOCOL_TASK_FORMAT_H_
