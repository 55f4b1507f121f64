// A library for LD_PRELOAD: the wall clock is off by as many seconds as the
// file that CLOCK_JUMP_FILE names says, and right while there is no such file.
// The kernel is told its own time: whoever waits until a time waits as long as
// if the machine's clock had been set.

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

namespace {

template <typename Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

long Offset() {
  static const char* const path = getenv("CLOCK_JUMP_FILE");
  if (path == nullptr) return 0;
  const int saved_errno = errno;
  long offset = 0;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    char text[32] = {};
    if (read(fd, text, sizeof(text) - 1) > 0) offset = atol(text);
    close(fd);
  }
  errno = saved_errno;
  return offset;
}

// What the kernel's clock will say at `time`; never negative, which the kernel
// refuses: a deadline may be 0, and be over at once.
timespec RealTime(timespec time) {
  time.tv_sec -= Offset();
  if (time.tv_sec < 0) time = {};
  return time;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, struct timespec* time) {
  static auto* const next = Next<int(clockid_t, timespec*)>("clock_gettime");
  const int result = next(clock, time);
  if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += Offset();
  return result;
}

int gettimeofday(struct timeval* time, void* zone) {
  static auto* const next = Next<int(timeval*, void*)>("gettimeofday");
  const int result = next(time, zone);
  if (result == 0) time->tv_sec += Offset();
  return result;
}

time_t time(time_t* out) {
  timespec now = {};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}

int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                           const struct timespec* deadline) {
  static auto* const next =
      Next<int(pthread_cond_t*, pthread_mutex_t*, const timespec*)>(
          "pthread_cond_timedwait");
  const timespec real = RealTime(*deadline);
  return next(condition, mutex, &real);
}

// How Abseil's mutexes wait.
long syscall(long number, ...) {
  static auto* const next = Next<long(long, ...)>("syscall");
  va_list list;
  va_start(list, number);
  long a[6];
  for (long& argument : a) argument = va_arg(list, long);
  va_end(list);
  timespec real = {};
  const bool until_wall_time =
      number == SYS_futex && a[3] != 0 && (a[1] & FUTEX_CLOCK_REALTIME) != 0;
  if (until_wall_time) {
    real = RealTime(*reinterpret_cast<timespec*>(a[3]));
    a[3] = reinterpret_cast<long>(&real);
  }
  return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

}  // extern "C"
