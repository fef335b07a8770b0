# sched_heartbeat NAME SECONDS [ok|error]
# Says that the job NAME, which beats every SECONDS, is alive, as `sched heartbeat write` does, on hosts without sched.
# It never fails its job; what goes wrong is said on stderr. It writes to $SCHED_HEARTBEAT_DIR, else to heartbeats/jobs
# in $SCHED_HOME, else in ~/.sched.
sched_heartbeat() (
  set +eu +C
  IFS=' '
  LC_ALL=C
  export LC_ALL
  umask 077
  if [ -z "${SCHED_HEARTBEAT_DIR-}${SCHED_HOME-}${HOME-}" ]; then
    echo "sched_heartbeat: there is no saying where heartbeats are: HOME is not set" >&2
    exit 0
  fi
  folder=${SCHED_HEARTBEAT_DIR:-${SCHED_HOME:-${HOME-}/.sched}/heartbeats/jobs}
  case ${2-} in '' | *[!0-9]*) echo "sched_heartbeat: how many seconds? ${2-}" >&2; exit 0 ;; esac
  case ${3-ok} in ok | error) ;; *) echo "sched_heartbeat: ok or error? $3" >&2; exit 0 ;; esac
  # Any name is that of a file: what isn't plain becomes % and two digits.
  rest=${1-} stem=
  while [ -n "$rest" ] && [ ${#stem} -lt 200 ]; do
    letter=${rest%"${rest#?}"}
    rest=${rest#?}
    case $stem$letter in
    *[A-Za-z0-9_-] | ?*.) stem=$stem$letter ;;
    *) code=$(printf '%02X' "'$letter"); stem=$stem%${code#"${code%??}"} ;;
    esac
  done
  [ -z "$rest" ] || stem=$(printf '%.199s~' "$stem")
  file=$folder/${stem:-%}.last
  half=$folder/.${stem:-%}.last.$$.tmp
  # Leading zeros are no JSON.
  seconds=$2
  while [ "${seconds#0}" != "$seconds" ] && [ ${#seconds} -gt 1 ]; do seconds=${seconds#0}; done
  # More than three centuries is a mistake, which must not replace the beat before.
  [ ${#seconds} -le 10 ] || { echo "sched_heartbeat: how many seconds? $2" >&2; exit 0; }
  # `mv` would put the beat into it.
  [ ! -d "$file" ] || { echo "sched_heartbeat: cannot write $file: it is a folder" >&2; exit 0; }
  mkdir -p "$folder" &&
    printf '{"format":1,"at":"%s","interval_s":%s,"status":"%s"}\n' \
      "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$seconds" "${3-ok}" >"$half" &&
    chmod 644 "$half" && [ -s "$half" ] && mv -f "$half" "$file" || {
    rm -f "$half"
    echo "sched_heartbeat: cannot write $file" >&2
  }
  exit 0
)
