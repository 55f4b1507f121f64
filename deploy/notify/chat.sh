#!/bin/sh
# A program for `notify` in hydrad.yaml: writes to a chat when a sweep has ended
# or a job failed. /etc/hydra/chat_url has the address of the chat's webhook,
# which takes JSON with a "text" (Slack, Mattermost and others do). Needs curl
# and python3, and hydrad.service must be let out to that address: systemctl
# edit hydrad, [Service], IPAddressAllow=...
set -eu
case $HYDRA_EVENT in
  failed) text="${HYDRA_JOB_ID} ${HYDRA_JOB_NAME:-} of ${HYDRA_OWNER:-somebody} failed: ${HYDRA_REASON:-}" ;;
  sweep_ended)
    text="${HYDRA_SWEEP_ID} ${HYDRA_JOB_NAME:-} of ${HYDRA_OWNER:-somebody} has ended:"
    text="$text ${HYDRA_COMPLETED_JOBS} completed, ${HYDRA_FAILED_JOBS} failed, ${HYDRA_CANCELLED_JOBS} cancelled"
    ;;
  *) exit 0 ;;
esac
printf %s "$text" | python3 -c 'import json, sys; print(json.dumps({"text": sys.stdin.read()}))' |
  curl --silent --show-error --fail --max-time 30 --header 'Content-Type: application/json' --data-binary @- "$(cat /etc/hydra/chat_url)"
