#ifndef HYDRA_CLIENT_PAGE_PAGE_ELSEWHERE_H_
#define HYDRA_CLIENT_PAGE_PAGE_ELSEWHERE_H_

#include <string>

namespace hydra {

// For somebody who reaches the server at `address`, which is no unix socket of
// this machine: what to run, here and there, to see the page that it serves at
// `socket_path` there. Pure.
std::string HowToReachPage(const std::string& address,
                           const std::string& socket_path);

}  // namespace hydra

#endif  // HYDRA_CLIENT_PAGE_PAGE_ELSEWHERE_H_
