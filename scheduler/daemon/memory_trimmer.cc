#include "scheduler/daemon/memory_trimmer.h"

#include <malloc.h>

namespace hydra {

MemoryTrimmer::MemoryTrimmer(absl::Duration every)
    : thread_([this, every] {
        do {
          malloc_trim(/*pad=*/0);
        } while (!stopped_.WaitFor(every));
      }) {}

MemoryTrimmer::~MemoryTrimmer() {
  stopped_.Notify();
  thread_.join();
}

}  // namespace hydra
