// As base.h, for units that include gRPC.
#ifndef HYDRA_THIRD_PARTY_PRELUDE_GRPC_H_
#define HYDRA_THIRD_PARTY_PRELUDE_GRPC_H_

#include "grpcpp/grpcpp.h"
#include "third_party/prelude/base.h"

#endif  // HYDRA_THIRD_PARTY_PRELUDE_GRPC_H_
