#!/bin/sh
# Keeps llama-server serving the active model, and takes new wishes without anyone restarting the container.
#
#   sh /entrypoint.sh          the container's process; docker stop ends it within two seconds, exit 0
#   sh /entrypoint.sh health   its health check; one line `aixcl: ready|loading|waiting|failed …`, exit 1 when failed
#
# A wish is the request file, or a hand's edit of link or state file. It replaces the active model once llama-server answers
# /health with it; until then what was active stays recorded, and is served again if the wish fails. Rules and file formats:
# init-models.sh and docs/active-model.md. This process alone writes current.gguf, .active_model and .aixcl/state, each by
# temporary file and rename, link first and state last: killed in between, the next start sees a link that differs
# from what was applied, and takes it for the wish that it was.
#
# AIXCL_MODELS (/models) is the models directory, AIXCL_RUN (/tmp/aixcl) a place for this container's life, LLAMA_PORT (8080).
set -u

run=${AIXCL_RUN:-/tmp/aixcl}
port=${LLAMA_PORT:-8080}

# probe SECONDS: does llama-server answer 200? Another HTTP status is 22.
probe() {
  if command -v curl >/dev/null; then
    curl -q -sf --noproxy '*' -o /dev/null --max-time "$1" "http://127.0.0.1:$port/health"
  else
    http_proxy='' wget -q -T "$1" -O /dev/null "http://127.0.0.1:$port/health" 2>/dev/null
  fi
}

health() {
  phase='' model='' reason=''
  if [ -r "$run/state" ]; then
    while IFS= read -r line; do
      case $line in
        'phase: '*) phase=${line#*: } ;;
        'model: '*) model=${line#*: } ;;
        'reason: '*) reason=${line#*: } ;;
      esac
    done <"$run/state"
  fi
  case $phase in
    ready)
      probe 3
      case $? in
        0 | 22) echo "aixcl: ready $model" ;;
        *) echo "aixcl: failed: llama-server does not answer with $model" && exit 1 ;;
      esac ;;
    waiting) echo 'aixcl: waiting for a model' ;;
    failed) echo "aixcl: failed: $reason" && exit 1 ;;
    *) echo "aixcl: loading $model" ;;
  esac
  exit 0
}

[ "${1:-}" != health ] || health

# Names are bytes here; llama-server gets the locale back.
had_locale=${LC_ALL+yes} locale=${LC_ALL-}
export LC_ALL=C
umask 022

rules=${AIXCL_MODELS:-/models}/init-models.sh
[ -s "$rules" ] || rules=${0%/*}/init-models.sh
# shellcheck source=services/llama-server/init-models.sh
. "$rules"

mkdir -p "$run" 2>/dev/null || { run=$own/run && mkdir -p "$run"; }

# Served or being loaded: mode is loading, ready, pause (planned comes after it) or idle (no llama-server, nothing planned).
mode=idle phase=loading model='' child='' planned='' pause_polls=0 backoff=1 mode_polls=0
# What the state file says between two wishes.
active='' last_good='' applied_link='' applied_file='' want='' request='' superseded='' result='' reason='' tries=0 notices='' logs=''
# A round is one wish, or one restoration, with all that is tried when it fails. round_failed: the first model that did;
# expected: what a restoration is to bring back.
tried=$newline good_tries=0 round_failed='' rolled_back='' expected=''
# told_before: what was refused or went wrong by hand was told in an earlier life of the container.
told_before='' resumed='' interrupted='' unsaved='' told_unsaved='' half_written='' look_before='' link_mark_seen='' file_mark_seen='' listing='' listing_before=''

say() { one_line "$1"; printf 'aixcl: %s\n' "$line"; }

note() {
  say "$1"
  case $notices in *"notice: $line$newline"*) return ;; esac
  notices="${notices}notice: $line$newline"
  case $notices in
    *"$newline"*"$newline"*"$newline"*"$newline"*"$newline"*"$newline"*) notices=${notices#*"$newline"} ;;
  esac
}

# durable DEST <CONTENT: old content or new, also after a power cut or on a full disk.
durable() {
  [ ! -d "$1" ] || [ -L "$1" ] || return 1
  if dd of="$own/write.tmp" conv=fsync 2>/dev/null && mv -f "$own/write.tmp" "$1" 2>/dev/null; then return 0; fi
  rm -f "$own/write.tmp" 2>/dev/null
  return 1
}

field() { [ -z "$2" ] || printf '%s: %s\n' "$1" "$2"; }

write_state() {
  {
    field phase "$phase"
    field active "$active"
    field last_good "$last_good"
    field applied_link "$applied_link"
    field applied_file "$applied_file"
    field model "$model"
    field want "$want"
    field request "$request"
    field superseded "$superseded"
    field result "$result"
    one_line "$reason"
    field reason "$line"
    [ "$result" != pending ] || field tries "$tries"
    field time "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
    printf '%s%s' "$notices" "$logs"
  } >"$run/state.new"
  mv -f "$run/state.new" "$run/state"
  durable "$own/state" <"$run/state" || cannot_write "$own/state"
}

# Serving matters more than remembering: what can't be written is said once and tried again.
cannot_write() {
  unsaved=yes
  [ -n "$told_unsaved" ] || say "can't write $1 (disk full, or read-only?): serving goes on, but a restart may not remember this"
  told_unsaved=yes
}

# mark_of PATH → mark: of what stands there, links not followed; empty for nothing. A hand's write changes it, also one of
# the same text; chmod and chown do not. Survives a rename.
mark_of() { mark=$(stat -c '%i %y' "$1" 2>/dev/null); }

# read_now → link_now, link_mark, file_now, file_mark. Marks first, so that a write in between shows at the next look.
read_now() {
  marks=$newline$(stat -c '%n %i %y' "$models/current.gguf" "$models/.active_model" 2>/dev/null)
  link_mark='' file_mark=''
  case $marks in
    *"$newline$models/current.gguf "*) link_mark=${marks#*"$newline$models/current.gguf "} link_mark=${link_mark%%"$newline"*} ;;
  esac
  case $marks in
    *"$newline$models/.active_model "*) file_mark=${marks#*"$newline$models/.active_model "} file_mark=${file_mark%%"$newline"*} ;;
  esac
  read_link
  read_file
}

# set_aside → aside: gives what stands at current.gguf and is no link a name of its own; nothing is overwritten.
set_aside() {
  aside=current-$(date -u +%Y%m%dT%H%M%SZ) number=1
  ending=.gguf
  [ -f "$models/current.gguf" ] || ending=''
  while [ -e "$models/$aside$ending" ] || [ -L "$models/$aside$ending" ]; do
    number=$((number + 1))
    aside=${aside%Z*}Z-$number
  done
  aside=$aside$ending
  mv -n "$models/current.gguf" "$models/$aside" 2>/dev/null && [ ! -e "$models/current.gguf" ]
}

# swap_in TEMPORARY DEST MARK: DEST becomes TEMPORARY, whose mark is `mark`, unless a hand wrote to DEST since it had MARK: then
# that stays, and the answer is 2; 1 when it can't be written.
swap_in() {
  mark_of "$1"
  mark_put=$mark
  # Looked at after the exchange, what stood there can't be a hand's write of just now that nobody saw.
  if mv --exchange --no-target-directory "$1" "$2" 2>/dev/null; then
    mark_of "$1"
    if [ "$mark" = "$3" ]; then rm -f "$1"; mark=$mark_put; return 0; fi
    mv --exchange --no-target-directory "$1" "$2" 2>/dev/null && mark_of "$1"
    # It may be bytes that a hand put there.
    [ "$mark" != "$mark_put" ] || rm -f "$1"
    return 2
  fi
  # Nothing stands there, or this mv or file system exchanges nothing: then a hand's write in these two milliseconds is lost.
  mark_of "$2"
  if [ "$mark" != "$3" ]; then rm -f "$1"; return 2; fi
  # A rename onto a link to a directory would go into that directory.
  [ ! -d "$2" ] || rm -f "$2" 2>/dev/null
  mark=$mark_put
  [ ! -d "$2" ] && mv -f "$1" "$2" 2>/dev/null
}

# put_link TEXT, put_file NAME: answer as swap_in; called when link_now or file_now is what was seen.
put_link() {
  [ "$link_now" != "link:$1" ] || return 0
  if [ -e "$models/current.gguf" ] && [ ! -L "$models/current.gguf" ]; then
    set_aside || return 1
    note "current.gguf was no link: kept as $aside"
    link_mark_seen=''
  fi
  [ ! -L "$own/link.tmp" ] || rm -f "$own/link.tmp" 2>/dev/null
  ln -sn "$1" "$own/link.tmp" 2>/dev/null || return 1
  swap_in "$own/link.tmp" "$models/current.gguf" "$link_mark_seen" || return
  link_mark_seen=$mark
}

put_file() {
  if [ "$file_now" != none ] && file_name "$file_now" && [ "$file_model" = "$1" ]; then return 0; fi
  [ ! -d "$models/.active_model" ] || [ -L "$models/.active_model" ] || return 1
  if ! printf '%s\n' "$1" | dd of="$own/file.tmp" conv=fsync 2>/dev/null; then
    rm -f "$own/file.tmp" 2>/dev/null
    return 1
  fi
  swap_in "$own/file.tmp" "$models/.active_model" "$file_mark_seen" || return
  file_mark_seen=$mark
}

# apply LINK: lets link and state file name the active model. What a hand wrote since the last look stays, for the next look to
# obey; what is applied is remembered all the same, so that such an edit shows after a restart too.
apply() {
  read_now
  applied=0
  if [ "$link_now $link_mark" = "$link_seen $link_mark_seen" ]; then
    put_link "$1"
    applied=$?
    [ "$applied" -ne 0 ] || link_seen=link:$1
  fi
  if [ "$applied" -ne 1 ]; then applied_link=$1; else cannot_write "$models/current.gguf"; fi
  applied=0
  if [ "$file_now $file_mark" = "$file_seen $file_mark_seen" ]; then
    put_file "$active"
    applied=$?
    if [ "$applied" -eq 0 ]; then
      read_file
      if file_name "$file_now" && [ "$file_model" = "$active" ]; then file_seen=$file_now; fi
    fi
  fi
  if [ "$applied" -ne 1 ]; then applied_file=$active; else cannot_write "$models/.active_model"; fi
}

same_arguments() {
  if is_file "$own/args/$1"; then cmp -s "$own/args/$1" "$own/good-args/$1"
  else [ ! -s "$own/good-args/$1" ]
  fi
}

# keep_arguments NAME: those that it was launched with are good, whatever was written since.
keep_arguments() {
  is_file "$own/good-args/$1" && cmp -s "$run/args" "$own/good-args/$1" && return
  mkdir -p "$own/good-args" 2>/dev/null
  durable "$own/good-args/$1" <"$run/args" || cannot_write "$own/good-args/$1"
}

# Puts back the arguments that the model was healthy with, if they have changed since.
roll_back_arguments() {
  if ! is_file "$own/good-args/$1" || same_arguments "$1"; then return 1; fi
  mv -f "$own/args/$1" "$own/args/$1.failed" 2>/dev/null
  if [ -s "$own/good-args/$1" ]; then durable "$own/args/$1" <"$own/good-args/$1"; else rm -f "$own/args/$1"; fi
  # Where nothing could be written the same arguments would be tried for ever.
  same_arguments "$1" || return 1
  note "the earlier arguments of $1 are back; those that failed are kept as .aixcl/args/$1.failed"
  rolled_back=$1
}

# launch NAME: starts llama-server with the model just resolved. Sets why.
launch() {
  name=$1 projector=$model_projector expects_file=''
  set --
  : >"$run/args"
  if [ -e "$own/args/$name" ]; then
    if ! is_file "$own/args/$name" || ! head -c 100000 "$own/args/$name" >"$run/args" 2>/dev/null; then
      why=".aixcl/args/$name can't be read"
      return 1
    fi
    while IFS= read -r argument || [ -n "$argument" ]; do
      if [ -n "$expects_file" ]; then
        expects_file=''
        case $argument in /*) ;; *) argument=$models/$argument ;; esac
        inside "$argument" || { one_line "$argument"; why="$line (in the arguments of $name) is not in the models directory"; return 1; }
        argument=$real
      else
        case $argument in
          '') continue ;;
          # These would serve another model, or elsewhere than health is asked for.
          -m | --model | -a | --alias | --host | --port | -mu | --model-url | -hf | -hfr | --hf-repo | -dr | --docker-repo | \
            --models-dir | --models-preset | --api-prefix | --ssl-key-file | --ssl-cert-file)
            why="$argument (in the arguments of $name) is aixcl's own"
            return 1 ;;
          -mm | --mmproj) projector='' expects_file=yes ;;
          --no-mmproj | --no-mmproj-auto) projector='' ;;
          --lora | -md | --model-draft | --chat-template-file) expects_file=yes ;;
        esac
      fi
      set -- "$@" "$argument"
    done <"$run/args"
  fi
  [ -z "$projector" ] || set -- "$@" --mmproj "$projector"
  set -- "$@" --model "$model_file" --alias "$name" --host 0.0.0.0 --port "$port"

  # The official image keeps it, with its libraries, outside the PATH.
  if [ -x /app/llama-server ]; then binary=/app/llama-server
  else binary=$(command -v llama-server) || { why='this image has no llama-server'; return 1; }
  fi
  command -v curl >/dev/null || command -v wget >/dev/null ||
    { why='this image has neither curl nor wget to ask llama-server for its health'; return 1; }

  : >"$run/log"
  [ -p "$run/out" ] || mkfifo "$run/out" || { why="can't make $run/out"; return 1; }
  tee -a "$run/log" <"$run/out" &
  tee=$!
  {
    if [ -n "$had_locale" ]; then LC_ALL=$locale; else unset LC_ALL; fi
    exec "$binary" "$@"
  } >"$run/out" 2>&1 &
  child=$!
  run_file=$model_file run_link=$model_link
}

alive() { kill -0 "$child" 2>/dev/null; }

# reap → code: exit status of the llama-server that ended, with all of its output in the log.
reap() {
  wait "$child"
  code=$? child='' waited=0
  while kill -0 "$tee" 2>/dev/null && [ "$waited" -lt 10 ]; do
    sleep 0.05
    waited=$((waited + 1))
  done
  kill "$tee" 2>/dev/null
}

# stop_child TENTHS: ends llama-server, by force after so many tenths of a second.
stop_child() {
  [ -n "$child" ] || return 0
  kill -TERM "$child" 2>/dev/null
  waited=0
  while alive && [ "$waited" -lt "$1" ]; do
    sleep 0.1
    waited=$((waited + 1))
  done
  kill -KILL "$child" 2>/dev/null
  reap
}

on_stop() {
  trap '' TERM INT HUP
  say 'stopping'
  stop_child 10
  # Stopped on purpose: the wish in hand is begun anew next time, and this time does not count against it.
  if [ "$result" = pending ]; then
    tries=$((tries - 1))
    write_state
  fi
  exit 0
}

# ending_of CODE → ending, for people.
ending_of() {
  if [ "$1" -gt 128 ]; then
    ending="killed by signal $(($1 - 128))"
    [ "$1" -ne 137 ] || ending="$ending, out of memory?"
  else ending="exit status $1"
  fi
}

# last_words → logs, cause: what llama-server said at the end.
last_words() {
  escape=$(printf '\033')
  logs=$(tail -n 20 "$run/log" | sed "s/$escape\[[0-9;]*[A-Za-z]//g" | tr -d '\000-\010\013-\037\177' | cut -c1-400 | sed 's/^/log: /')$newline
  [ "$logs" != "$newline" ] || logs=''
  cause=$(sed -n 's/.*error loading model: //p' "$run/log" | head -n 1)
  [ -z "$cause" ] || return 0
  # The first error is the cause, and the rest its consequences; the last says only that it ends. Without a GPU ggml_cuda_init fails always.
  errors=$(grep -vE 'exiting due to|ggml_cuda_init' "$run/log" | grep -iE '^[0-9. ]*E |error|fail|invalid|unknown|cannot|unable')
  cause=$(printf '%s\n' "$errors" | sed -n 's/^[0-9. ]*E //p' | head -n 1)
  [ -n "$cause" ] || cause=$(printf '%s\n' "$errors" | head -n 1 | sed 's/^[0-9. ]*[WI] //')
}

become() { mode=$1 mode_polls=0; }

begin_round() { tried=$newline good_tries=0 round_failed='' rolled_back='' expected=$last_good; }

# attempt NAME: loads it, when it can be loaded at all.
attempt() {
  tried=$tried$1$newline
  model=$1
  if ! resolve "$1" || ! launch "$1"; then
    failed "$why"
    return
  fi
  say "loading $1 ($model_file)"
  become loading
  [ "$result" = pending ] || phase=loading
  write_state
}

# failed WHY: the attempt came to nothing. The first failure of a round is the one to tell; what follows is a consequence.
failed() {
  become idle
  if [ -z "$round_failed" ]; then
    round_failed=$model reason=$1
    say "$1"
  else note "$1"
  fi
  if roll_back_arguments "$model" && [ "$model" = "$last_good" ]; then good_tries=0; fi
  go_on
}

# What is left to serve: the last that was healthy (three times, for a device or memory may be short for a moment), then the
# others by name, each once.
go_on() {
  if [ -n "$last_good" ] && [ "$good_tries" -lt 3 ]; then
    good_tries=$((good_tries + 1))
    if resolve "$last_good"; then
      if [ "$good_tries" -eq 1 ]; then attempt "$last_good"; return; fi
      pause_for "$((good_tries - 1))" "$last_good"
      return
    fi
    good_tries=3
    if [ -z "$round_failed" ]; then round_failed=$last_good reason=$why logs=''; fi
    note "$why"
  fi
  if next_by_default "$tried"; then attempt "$choice"; return; fi
  settle_for_nothing
}

pause_for() {
  planned=$2 pause_polls=$(($1 * 2))
  become pause
  [ "$result" = pending ] || phase=loading
  write_state
}

# Nothing can be served: wait for a wish or for a change in the directory, rather than end and be started again.
settle_for_nothing() {
  become idle
  model='' active=''
  [ "$result" != pending ] || result=reverted
  if [ "$tried" = "$newline" ]; then
    phase=waiting
    [ -n "$reason" ] || reason='no model to serve yet: aixcl models add FILE.gguf, or put a .gguf file into the models directory'
    say "waiting for a model: $reason"
  else
    phase=failed
    say "nothing loads: $reason"
  fi
  write_state
  forget_request
  listing=$(list) listing_before=$listing
}

# shellcheck disable=SC2012 # compared, never taken apart
list() { ls -lnL "$models" "$models"/*/ 2>/dev/null | cksum; }

forget_request() { rm -f "$own/request.taken" 2>/dev/null; }

# llama-server answers: from now on this is the active model.
became_healthy() {
  become ready
  phase=ready active=$model last_good=$model model_file=$run_file
  if [ "$result" = pending ]; then
    if [ "$model" = "$want" ] && [ "$rolled_back" != "$want" ]; then result=applied reason='' logs=''
    else result=reverted
    fi
  elif [ -n "$expected" ] && [ "$model" != "$expected" ]; then result=reverted want=$expected request=''
  elif [ -n "$rolled_back" ]; then result=reverted want=$model request=''
  elif [ "$round_failed" = "$model" ]; then result='' want='' request='' reason='' logs=''
  elif [ -n "$round_failed" ]; then :
  elif [ -n "$told_before" ] && { [ "$result" = refused ] || [ "$want" = "$model" ]; }; then result='' want='' reason='' logs=''
  elif [ "$result" != reverted ] && [ "$result" != refused ]; then reason='' logs=''
  fi
  told_before=''
  apply "$run_link"
  keep_arguments "$model"
  write_state
  forget_request
  size_of "$model"
  one_line "$run_file"
  printf 'Active Model: %s\nSize: %s\nPath: %s\n' "$model" "$size" "$line"
  [ "$result" != reverted ] || [ -z "$round_failed" ] || say "$want is not served: $reason"
  : >"$run/log"
}

# llama-server ended after it was healthy: the same model again, ever later while it keeps ending.
died() {
  [ "$mode_polls" -le 120 ] || backoff=1
  reap
  ending_of "$code"
  note "llama-server ended while it served $model ($ending); starting it again in $backoff s"
  begin_round
  pause_for "$backoff" "$model"
  backoff=$((backoff * 2))
  [ "$backoff" -le 30 ] || backoff=30
}

# ask NAME ID: takes a wish; an ID makes it a request, none a hand's. Answers 1 when refused, with all as it was.
ask() {
  begun=1
  [ -z "$resumed" ] || [ "$1" != "$want" ] || begun=$((tries + 1))
  superseded=''
  case $result$interrupted in *pending*) [ "$request" = "$2" ] || superseded=$request ;; esac
  told_before='' request=$2 want=$1 logs='' notices=$round_notices round_notices='' tries=$begun
  if ! resolve "$1"; then result=refused reason=$why
  elif [ "$begun" -gt 3 ]; then result=reverted reason="the container ended $((begun - 1)) times while $1 was being loaded"
  else
    say "asked for $1${2:+ (request $2)}"
    result=pending reason='' phase=switching model=$1
    begin_round
    write_state
    stop_child 30
    attempt "$1"
    return 0
  fi
  say "$reason"
  write_state
  forget_request
  return 1
}

# parse_request FILE → asked_id, asked_name
parse_request() {
  asked_id='' asked_name=''
  head -c 4096 "$1" 2>/dev/null | tr -d '\000' >"$run/request"
  while IFS= read -r line; do
    case $line in
      'id: '*) asked_id=${line#*: } ;;
      'name: '*) asked_name=${line#*: } ;;
    esac
  done <"$run/request"
  one_line "$asked_id"
  asked_id=$line
}

# take_request → asked_id, asked_name: a request that is not taken yet becomes ours by rename.
take_request() {
  is_file "$own/request" || return 1
  parse_request "$own/request"
  if [ -z "$asked_id" ] || [ -z "$asked_name" ]; then
    # Someone may be writing it in place.
    if [ -z "$half_written" ]; then half_written=yes; return 1; fi
  fi
  half_written=''
  # Where nothing can be renamed, the id tells whether it was taken.
  [ "$asked_id" != "$request" ] || [ -w "$own" ] || return 1
  # A wish that can't be had does not end a switch that is under way: it waits its turn.
  [ "$result" != pending ] || resolve "$asked_name" || return 1
  if mv -f "$own/request" "$own/request.taken" 2>/dev/null; then parse_request "$own/request.taken"; fi
  [ -n "$asked_id" ] || asked_id=nameless
}

refuse() {
  note "$1"
  [ "$result" != pending ] || return 0
  result=refused reason=$1 request='' want='' logs='' told_before=''
}

# obey LINK_CHANGED FILE_CHANGED → hand: what a hand that edited link or state file wishes for; the link goes first.
obey() {
  hand='' aim=$active
  [ "$result" != pending ] || aim=$want
  if [ -n "$1" ]; then
    case $link_now in
      none) [ -z "$applied_link" ] || note 'current.gguf was gone' ;;
      link:*)
        if ! link_name "${link_now#link:}"; then refuse "$why"
        elif [ "$link_model" != "$aim" ]; then hand=$link_model
        fi ;;
      *)
        if set_aside; then
          note "current.gguf was no link: kept as $aside"
          [ ! -f "$models/$aside" ] || hand=$aside
          link_now=none link_mark=''
        else note 'current.gguf is no link and can not be renamed: left as it is'
        fi ;;
    esac
  fi
  if [ -n "$2" ] && [ -z "$hand" ]; then
    if [ "$file_now" = none ]; then [ -z "$applied_file" ] || note '.active_model was gone'
    elif ! file_name "$file_now"; then refuse "$why"
    elif [ "$file_model" = "$aim" ]; then :
    elif ! resolve "$file_model"; then refuse ".active_model: $why"
    else hand=$file_model
    fi
  fi
  link_seen=$link_now file_seen=$file_now link_mark_seen=$link_mark file_mark_seen=$file_mark
}

# look: did a hand write link or state file since the last look but one? Two equal looks, so that no half-written file counts.
# The text alone does not tell: who goes back to the earlier model while the later one loads writes what stands there.
look() {
  read_now
  link_changed=yes file_changed=yes
  [ "$link_now $link_mark" != "$link_seen $link_mark_seen" ] || link_changed=''
  [ "$file_now $file_mark" != "$file_seen $file_mark_seen" ] || file_changed=''
  if [ -z "$link_changed$file_changed" ]; then look_before=''; return 1; fi
  look_now="$link_now $link_mark $file_now $file_mark"
  if [ "$look_now" != "$look_before" ]; then look_before=$look_now; return 1; fi
  look_before='' notices_before=$notices
  [ "$result" = pending ] || notices=''
  obey "$link_changed" "$file_changed"
  [ -n "$notices" ] || notices=$notices_before
  if [ -n "$hand" ]; then
    round_notices=$notices
    ask "$hand" ''
    return 0
  fi
  if [ -n "$active" ]; then
    if resolve "$active"; then apply "$model_link"; else apply "$applied_link"; fi
  fi
  write_state
}

# Where the last container left off.
start() {
  mkdir -p "$own" 2>/dev/null || cannot_write "$own"
  # What commands were writing when they were killed; one at work is done within the hour.
  find "$own" -name '.tmp-*' -type f -mmin +60 -exec rm -f {} + 2>/dev/null
  resumed=yes round_notices=''
  if read_state "$own/state"; then
    active=$s_active last_good=${s_last_good:-$s_active} applied_link=$s_applied_link applied_file=$s_applied_file
    want=$s_want request=$s_request result=$s_result reason=$s_reason tries=${s_tries:-0} logs=$s_logs
    case $tries in *[!0-9]*) tries=0 ;; esac
  fi
  # A request's answer is kept, for who waits for it.
  case $result in refused | reverted) [ -n "$request" ] || told_before=yes ;; esac
  phase=loading model=$last_good
  read_now
  link_changed=yes file_changed=yes
  [ "$link_now" != "link:$applied_link" ] || link_changed=''
  if [ "$file_now" != none ] && file_name "$file_now" && [ "$file_model" = "$applied_file" ]; then file_changed=''; fi
  interrupted=$result
  [ "$result" != pending ] || result=''
  obey "$link_changed" "$file_changed"
  round_notices=$notices
  begin_round
  if take_request; then ask "$asked_name" "$asked_id" && return
  elif is_file "$own/request.taken" && parse_request "$own/request.taken" && [ -n "$asked_id" ] &&
    { [ "$interrupted" = pending ] || [ "$asked_id" != "$s_request" ]; }; then
    ask "$asked_name" "$asked_id" && return
  elif [ -n "$hand" ]; then ask "$hand" '' && return
  elif [ "$interrupted" = pending ]; then result='' want='' request=''
  fi
  resumed='' interrupted=''
  go_on
}

nap() {
  sleep "$1" &
  wait $!
}

poll() {
  if take_request; then round_notices=''; ask "$asked_name" "$asked_id"; return; fi
  if [ $((polls % look_polls)) -eq 0 ] && look; then return; fi
  case $mode in
    loading)
      if ! alive; then
        reap
        ending_of "$code"
        if [ -z "$round_failed" ]; then last_words; else cause=''; fi
        failed "llama-server could not load $model ($ending)${cause:+: $cause}"
      else
        probe 1 &
        if wait $! && alive; then became_healthy; fi
      fi ;;
    ready) if ! alive; then died; elif [ $((polls % 20)) -eq 0 ]; then keep_house; fi ;;
    pause) [ "$mode_polls" -lt "$pause_polls" ] || attempt "$planned" ;;
    idle) [ $((polls % 4)) -ne 0 ] || listing_changed ;;
  esac
}

keep_house() {
  if [ "$(tail -c +1000000 "$run/log" | head -c 1)" ]; then : >"$run/log"; fi
  if [ -n "$unsaved" ]; then
    unsaved=''
    keep_arguments "$model"
    apply "$run_link"
    write_state
    [ -n "$unsaved" ] || told_unsaved=''
  fi
}

# With nothing to serve, a directory that changed and then held still is worth another round.
listing_changed() {
  listing_now=$(list)
  if [ "$listing_now" = "$listing" ] || [ "$listing_now" != "$listing_before" ]; then listing_before=$listing_now; return; fi
  listing=$listing_now reason='' logs=''
  begin_round
  go_on
}

trap on_stop TERM INT HUP
# Of an earlier life, where no tmpfs lies there.
rm -f "$run/state"
start
resumed='' interrupted='' polls=0
while :; do
  # From its first answer on a hand may act on what llama-server serves: little of that time is to pass unrecorded.
  if [ "$mode" = loading ]; then nap 0.1; look_polls=4; else nap 0.5; look_polls=2; fi
  polls=$((polls + 1)) mode_polls=$((mode_polls + 1))
  poll
done
