#ifndef HYDRA_SCHEDULER_HTTP_PAGE_H_
#define HYDRA_SCHEDULER_HTTP_PAGE_H_

#include "scheduler/http/http_response.h"

namespace hydra {

// The page to look at: one HTML file with its style and script inside, and a
// policy that lets these two alone be used, and this server alone be asked.
HttpResponse PageResponse();

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_HTTP_PAGE_H_
