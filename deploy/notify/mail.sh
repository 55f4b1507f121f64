#!/bin/sh
# A program for `notify` in hydrad.yaml: mails a job's owner when a sweep has
# ended, and when a job failed or the server paused it, by the mail server of
# this machine. Needs curl. Mail programs that need rights of their own
# (sendmail of Postfix, say) do not work below hydrad.service.
set -eu
case $HYDRA_EVENT in
  failed | paused | sweep_ended) ;;
  *) exit 0 ;;
esac
to=${HYDRA_OWNER:-root}
{
  echo "From: Hydra <hydra@localhost>"
  echo "To: <$to@localhost>"
  echo "Subject: ${HYDRA_JOB_ID:-$HYDRA_SWEEP_ID} ${HYDRA_JOB_NAME:-} $HYDRA_EVENT"
  echo "Content-Type: text/plain; charset=utf-8"
  echo
  env | grep '^HYDRA_' | sort
} | curl --silent --show-error --max-time 30 --mail-from hydra@localhost --mail-rcpt "$to@localhost" \
  --upload-file - smtp://127.0.0.1
