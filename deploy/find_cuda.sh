# Sourced by other scripts. cuda_home: the folder of the CUDA toolkit, by
# $CUDA_HOME or the usual place; empty where there is none.
cuda_home=${CUDA_HOME:-/usr/local/cuda}
[ -e "$cuda_home/include/cuda_runtime_api.h" ] || cuda_home=""
