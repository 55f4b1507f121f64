// Tells ThreadSanitizer what absl::Mutex does. The distribution's Abseil is not
// instrumented, so that its locks, which are no pthread mutexes, go unseen and
// everything that they guard looks like a race. The linker (--wrap) sends the
// calls of our code through here.
//
// Only what our code calls is wrapped, but for absl::Notification: its users
// need gRPC, which cannot run under ThreadSanitizer either.

#include <sanitizer/tsan_interface.h>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace {

using absl::Condition;
using absl::Mutex;

// From its constructor to its destructor, ThreadSanitizer looks at nothing that
// this thread does, so Abseil may evaluate other threads' conditions meanwhile.

class Locking {
 public:
  explicit Locking(Mutex* mutex) : mutex_(mutex) {
    __tsan_mutex_pre_lock(mutex_, 0);
  }
  ~Locking() { __tsan_mutex_post_lock(mutex_, 0, 0); }

 private:
  Mutex* const mutex_;
};

class Unlocking {
 public:
  explicit Unlocking(Mutex* mutex) : mutex_(mutex) {
    __tsan_mutex_pre_unlock(mutex_, 0);
  }
  ~Unlocking() { __tsan_mutex_post_unlock(mutex_, 0); }

 private:
  Mutex* const mutex_;
};

// Waiting gives the mutex back and takes it again.
class Waiting {
 public:
  explicit Waiting(Mutex* mutex) : locking_(GivenBack(mutex)) {}

 private:
  static Mutex* GivenBack(Mutex* mutex) {
    Unlocking unlocking(mutex);
    return mutex;
  }

  Locking locking_;
};

}  // namespace

extern "C" {

// --wrap sends calls of a symbol to __wrap_symbol, and those of __real_symbol
// to what the symbol was.
#define LOCK _ZN4absl7debian35Mutex4LockEv
#define UNLOCK _ZN4absl7debian35Mutex6UnlockEv
#define AWAIT _ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE
#define AWAIT_TIMEOUT \
  _ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE
#define AWAIT_DEADLINE \
  _ZN4absl7debian35Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE
#define JOIN(prefix, symbol) prefix##symbol
#define REAL(symbol) JOIN(__real_, symbol)
#define WRAP(symbol) JOIN(__wrap_, symbol)

void REAL(LOCK)(Mutex*);
void REAL(UNLOCK)(Mutex*);
void REAL(AWAIT)(Mutex*, const Condition&);
bool REAL(AWAIT_TIMEOUT)(Mutex*, const Condition&, absl::Duration);
bool REAL(AWAIT_DEADLINE)(Mutex*, const Condition&, absl::Time);

void WRAP(LOCK)(Mutex* mutex) {
  Locking locking(mutex);
  REAL(LOCK)(mutex);
}

void WRAP(UNLOCK)(Mutex* mutex) {
  Unlocking unlocking(mutex);
  REAL(UNLOCK)(mutex);
}

void WRAP(AWAIT)(Mutex* mutex, const Condition& condition) {
  Waiting waiting(mutex);
  REAL(AWAIT)(mutex, condition);
}

bool WRAP(AWAIT_TIMEOUT)(Mutex* mutex, const Condition& condition,
                         absl::Duration timeout) {
  Waiting waiting(mutex);
  return REAL(AWAIT_TIMEOUT)(mutex, condition, timeout);
}

bool WRAP(AWAIT_DEADLINE)(Mutex* mutex, const Condition& condition,
                          absl::Time deadline) {
  Waiting waiting(mutex);
  return REAL(AWAIT_DEADLINE)(mutex, condition, deadline);
}

}  // extern "C"
