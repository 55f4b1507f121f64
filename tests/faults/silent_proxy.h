#ifndef HYDRA_TESTS_FAULTS_SILENT_PROXY_H_
#define HYDRA_TESTS_FAULTS_SILENT_PROXY_H_

#include <atomic>
#include <thread>
#include <utility>
#include <vector>

namespace hydra {

// A port of the loopback interface that nobody listens on at the moment.
int FreePort();

// Hands TCP connections on to another port, until it goes silent: then neither
// side hears of the other any more, not even that it is gone. Not thread-safe.
class SilentProxy {
 public:
  // Of 127.0.0.1.
  explicit SilentProxy(int target_port);
  // Closes everything.
  ~SilentProxy();

  int port() const { return port_; }
  // For ever; returns when nothing is on its way any more.
  void GoSilent();

 private:
  void Loop();
  void Accept();
  // False: one of the two is gone.
  static bool Forward(int from, int to);

  const int target_port_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  // Client and server, each in both orders.
  std::vector<std::pair<int, int>> ways_;
  std::thread thread_;
};

}  // namespace hydra

#endif  // HYDRA_TESTS_FAULTS_SILENT_PROXY_H_
