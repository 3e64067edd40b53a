#!/bin/sh
# Which model of this directory llama-server serves: the rules of choice (docs/active-model.md) and what lies on disk.
#
# Sourced by the entrypoint. Run by hand, `sh /models/init-models.sh` reports and changes nothing:
# exit 0 when the active model is there and whole, 1 otherwise.
#
# Needs a POSIX shell and head, od, tr, sed, ls, readlink -f. LC_ALL=C is set by whoever starts it: names are bytes here.
#
# .aixcl/state     written by the entrypoint alone. Lines `key: value`, a key without value is absent:
#   phase          waiting (no model) | loading | switching (a wish is being tried) | ready | failed (nothing loads)
#   active         the model that link and state file name
#   last_good      the model that was healthy last
#   applied_link   text of current.gguf as last written; differs from the disk when a hand changed it
#   applied_file   name in .active_model as last written; likewise
#   model          the model that is loaded, or being loaded
#   want           the model last wished for, by request or hand
#   request        id of the request last taken; absent when the last wish came from a hand
#   superseded     id of the request that a newer wish replaced before it was settled
#   result         of the last wish: pending | applied | reverted (did not load) | refused (can't be a model)
#   reason         why it was reverted or refused, or what is waited for; one line
#                  result and reason of what came from a hand are absent after the next start that brings up the right model
#   notice         repeated, newest last, at most 5: what was found wrong with link or state file and what was done
#   tries          how often the pending wish was begun: a container that dies with it begins it again
#   time           ISO 8601 UTC, of this writing
#   log            repeated, oldest first, at most 20: llama-server's own last lines of the attempt that failed
# .aixcl/request   written by temporary file and rename: `id:`, `name:`, `by:` (cli | page), `time:`. The entrypoint renames it
#                  to request.taken, and removes that once the result stands in state.
# .aixcl/args/MODEL       llama-server's arguments for this model, one a line; files are relative to this directory.
# .aixcl/args/MODEL.failed  arguments that a model did not come up with.
# .aixcl/good-args/MODEL  those it was last healthy with (empty: none); the entrypoint's.

# shellcheck disable=SC2034 # the functions answer in variables, which the entrypoint reads

models=${AIXCL_MODELS:-/models}
root=$(cd "$models" 2>/dev/null && pwd -P) || root=$models
own=$models/.aixcl

newline='
'

# is_file PATH: a regular file and no link, so that reading it neither leaves the directory nor hangs.
is_file() { [ -f "$1" ] && [ ! -L "$1" ]; }

# one_line TEXT → line: fit for one line of log or state.
one_line() {
  line=$1
  case $line in
    *[[:cntrl:]]*) line=$(printf '%s' "$line" | tr '[:cntrl:]' '?') ;;
  esac
  [ "${#line}" -le 400 ] || line=$(printf '%.400s' "$line")
}

# plain NAME: may it be a model's name? Sets why.
plain() {
  why=''
  case $1 in
    '') why='an empty name' ;;
    current.gguf | init-models.sh) why="$1 is not a model's name" ;;
    .* | -* | */* | *[[:cntrl:]]*) one_line "$1"; why="'$line' is not a plain name in the models directory" ;;
  esac
  [ -n "$why" ] || [ "${#1}" -le 255 ] || why='a name of more than 255 bytes'
  [ -z "$why" ]
}

# inside PATH → real: the file that PATH leads to, if that lies in the models directory.
inside() {
  real=$(readlink -f "$1" 2>/dev/null) || real=''
  case $real in "$root"/*) return 0 ;; esac
  real=''
  return 1
}

# is_projector FILE: by llama.cpp's habit of naming it.
is_projector() {
  case ${1##*/} in
    mmproj*.gguf | *[-._]mmproj[-._]*.gguf) return 0 ;;
  esac
  return 1
}

# folder_file DIR → file: which file of a folder is loaded: the first shard, model.gguf, or the only one. Sets why.
folder_file() {
  file='' why='' first='' only='' others=''
  for part in "$1"/*.gguf; do
    [ -f "$part" ] || continue
    is_projector "$part" && continue
    case $part in
      *-00001-of-[0-9][0-9][0-9][0-9][0-9].gguf)
        [ -z "$first" ] || { why='holds several models'; return 1; }
        first=$part ;;
      *-[0-9][0-9][0-9][0-9][0-9]-of-[0-9][0-9][0-9][0-9][0-9].gguf) why='lacks the first part of its model' ;;
      *)
        [ -z "$only" ] || others=yes
        only=$part ;;
    esac
  done
  if [ -n "$first" ]; then file=$first
  elif [ -f "$1/model.gguf" ]; then file=$1/model.gguf
  elif [ -n "$others" ]; then why='holds several models and none is called model.gguf'
  else file=$only
  fi
  [ -z "$file" ] || { why=''; return 0; }
  why=${why:-holds no model}
  return 1
}

# all_inside FIRST: none of a split model's parts is missing or leads out. Sets why.
all_inside() {
  parts=${1##*-of-}
  parts=${parts%.gguf}
  number=1
  while [ "$number" -le "$parts" ]; do
    part=0000$number
    part=${1%-00001-of-*}-${part#"${part%?????}"}-of-$parts.gguf
    if ! inside "$part" || [ ! -f "$real" ]; then
      why="its part ${part##*/} is missing or leads out of the directory"
      return 1
    fi
    number=$((number + 1))
  done
}

# resolve NAME → model_file (real path), model_link (text for current.gguf), model_projector. Sets why.
# Opens nothing outside the directory, and of the model no more than its first bytes.
resolve() {
  model_file='' model_link='' model_projector=''
  plain "$1" || return 1
  path=$models/$1
  if [ -d "$path" ]; then
    inside "$path" || { why="$1 is a link that leads out of the models directory"; return 1; }
    folder_file "$path" || { why="$1 $why"; return 1; }
  elif [ -f "$path" ]; then
    case $1 in
      *.gguf) file=$path ;;
      *) why="$1 is not a .gguf file"; return 1 ;;
    esac
  elif [ -L "$path" ]; then why="$1 is a link that leads nowhere"; return 1
  elif [ -e "$path" ]; then why="$1 is not a regular file"; return 1
  else why="there is no $1 in the models directory"; return 1
  fi
  is_projector "$file" && { why="$1 is a projector, not a model"; return 1; }
  case ${file##*/} in
    *-00001-of-[0-9][0-9][0-9][0-9][0-9].gguf) all_inside "$file" || { why="$1: $why"; return 1; } ;;
    *-[0-9][0-9][0-9][0-9][0-9]-of-[0-9][0-9][0-9][0-9][0-9].gguf)
      why="$1 is a later part of a split model: name its first"; return 1 ;;
  esac
  if [ -d "$path" ]; then
    for part in "$path"/*.gguf; do
      if [ ! -f "$part" ] || ! is_projector "$part"; then continue; fi
      inside "$part" || { why="${part##*/} of $1 leads out of the models directory"; return 1; }
      model_projector=$real
      break
    done
  fi
  inside "$file" || { why="$1 is a link that leads out of the models directory"; return 1; }
  [ -r "$real" ] || { why="$1 can't be read by user $(id -u)"; return 1; }
  [ "$(head -c 4 "$real" 2>/dev/null | tr -d '\000')" = GGUF ] || { why="$1 does not begin with GGUF"; return 1; }
  model_file=$real model_link=${file#"$models"/}
}

# header_value KEY FILE: a text value near the start of a GGUF file. In the file the value follows its key after type and
# length, whose bytes are never letters for the short values asked for here.
header_value() {
  head -c 65536 "$2" 2>/dev/null | tr -cs 'A-Za-z0-9._-' '\n' | sed -n "/^$1\$/{n;p;q;}"
}

# chosen_by_default NAME: resolves, and is a model that answers in words. Sets why.
chosen_by_default() {
  resolve "$1" || return 1
  case $(header_value 'general\.architecture' "$model_file") in
    clip | bert | *-bert | *-bert-* | eurobert | jina-bert* | nomic-bert* | t5encoder | gemma-embedding | llama-embed | wavtokenizer-dec)
      why="$1 is no language model: serve it by name"; return 1 ;;
  esac
  case $(header_value 'general\.type' "$model_file") in
    adapter | mmproj | imatrix | vocab) why="$1 is no model by itself"; return 1 ;;
  esac
}

# next_by_default SKIP → choice: the first model by name that is not among SKIP (names, each between newlines).
next_by_default() {
  choice=''
  for path in "$models"/*; do
    name=${path##*/}
    case $name in current.gguf | init-models.sh) continue ;; esac
    case $name in *.gguf) ;; *) [ -d "$path" ] || continue ;; esac
    case $1 in *"$newline$name$newline"*) continue ;; esac
    chosen_by_default "$name" && { choice=$name; return 0; }
  done
  return 1
}

# read_link → link_now: what stands at current.gguf, in a form that changes when it does.
read_link() {
  if [ -L "$models/current.gguf" ]; then link_now=link:$(readlink "$models/current.gguf")
  elif [ -e "$models/current.gguf" ]; then link_now=file:$(ls -lnid "$models/current.gguf")
  else link_now=none
  fi
}

# link_name TEXT → link_model: the model that a link with this text names. Sets why.
link_name() {
  link_model='' why=''
  text=${1#./}
  case $text in
    "$models"/*) text=${text#"$models"/} ;;
    "$root"/*) text=${text#"$root"/} ;;
  esac
  one_line "$1"; shown=$line
  case $text in
    /* | ../* | */../* | */.. | */*/*) why="current.gguf leads to '$shown', which is not in the models directory"; return 1 ;;
  esac
  plain "${text%%/*}" || { why="current.gguf: $why"; return 1; }
  resolve "${text%%/*}" || { why="current.gguf: $why"; return 1; }
  [ "$model_link" = "$text" ] ||
    { why="current.gguf leads to '$shown', but of ${text%%/*} it is $model_link that is loaded"; return 1; }
  link_model=${text%%/*}
}

# read_file → file_now: the first bytes of .active_model in hexadecimal, a form in which nothing hides.
read_file() {
  if is_file "$models/.active_model"; then
    # shellcheck disable=SC2046 # split on purpose: od breaks lines
    set -- $(od -An -v -tx1 -N 300 "$models/.active_model" 2>/dev/null)
    file_now="hex:$*"
  elif [ -e "$models/.active_model" ] || [ -L "$models/.active_model" ]; then file_now=other
  else file_now=none
  fi
}

# file_name FILE_NOW → file_model: the name that .active_model gives, when it is one line with a plain name. Sets why.
file_name() {
  file_model='' why=''
  case $1 in
    other) why='is no regular file' ;;
    hex:) why='is empty' ;;
    'hex:ef bb bf'*) why='begins with a byte order mark (BOM)' ;;
    *' 00'* | hex:00*) why='holds a NUL byte' ;;
    *' 0d'* | hex:0d*) why='has a carriage return (CR, line ends as on Windows)' ;;
    *' 0a '* | 'hex:0a '*) why='has more than one line' ;;
    hex:0a) why='is empty' ;;
  esac
  if [ -z "$why" ] && [ "${#1}" -ge 900 ]; then why='is longer than a name can be'; fi
  [ -z "$why" ] || { why=".active_model $why"; return 1; }
  IFS= read -r file_model <"$models/.active_model" || [ -n "$file_model" ]
  plain "$file_model" || { file_model='' why=".active_model: $why"; return 1; }
}

# read_state FILE: sets s_KEY for each key of the state file; s_notices and s_logs hold whole lines.
read_state() {
  s_phase='' s_active='' s_last_good='' s_applied_link='' s_applied_file='' s_model='' s_want='' s_request='' s_result='' s_reason='' s_tries=''
  s_notices='' s_logs=''
  is_file "$1" && [ -r "$1" ] || return 1
  while IFS= read -r line; do
    case $line in
      'phase: '*) s_phase=${line#*: } ;;
      'active: '*) s_active=${line#*: } ;;
      'last_good: '*) s_last_good=${line#*: } ;;
      'applied_link: '*) s_applied_link=${line#*: } ;;
      'applied_file: '*) s_applied_file=${line#*: } ;;
      'model: '*) s_model=${line#*: } ;;
      'want: '*) s_want=${line#*: } ;;
      'request: '*) s_request=${line#*: } ;;
      'result: '*) s_result=${line#*: } ;;
      'reason: '*) s_reason=${line#*: } ;;
      'tries: '*) s_tries=${line#*: } ;;
      'notice: '*) s_notices=$s_notices$line$newline ;;
      'log: '*) s_logs=$s_logs$line$newline ;;
    esac
  done <"$1"
  [ -n "$s_phase" ]
}

# size_of NAME → bytes, size (for people): every file of the model just resolved.
size_of() {
  bytes=0
  if [ -d "$models/$1" ]; then set -- "$models/$1"/*.gguf
  else
    case $model_file in
      *-00001-of-*) set -- "${model_file%-00001-of-*}"-*-of-"${model_file##*-of-}" ;;
      *) set -- "$model_file" ;;
    esac
  fi
  for part in "$@"; do
    # shellcheck disable=SC2012 # of one file, the fifth field: the only way that POSIX gives without reading it
    part_bytes=$(ls -lnLd "$part" 2>/dev/null | { read -r _ _ _ _ part_bytes _; printf '%s' "$part_bytes"; })
    bytes=$((bytes + ${part_bytes:-0}))
  done
  if [ "$bytes" -ge 1000000000 ]; then tenths=$((bytes / 100000000)) unit=GB
  elif [ "$bytes" -ge 1000000 ]; then tenths=$((bytes / 100000)) unit=MB
  else tenths=$((bytes / 100)) unit=kB
  fi
  size="$((tenths / 10)).$((tenths % 10)) $unit ($bytes bytes)"
}

# report: what is active, asked for, refused and damaged, for people.
report() {
  status=1
  read_state "$own/state"
  read_link
  read_file
  active=$s_active
  wished=''
  if [ "$file_now" != none ] && file_name "$file_now"; then
    [ "$file_model" = "$s_applied_file" ] || wished="$file_model (by .active_model)"
  elif [ "$file_now" != none ]; then printf 'Refused: %s\n' "$why"
  fi
  case $link_now in
    link:*)
      if ! link_name "${link_now#link:}"; then printf 'Refused: %s\n' "$why"
      elif [ "${link_now#link:}" != "$s_applied_link" ]; then wished="$link_model (by current.gguf)"
      fi ;;
    file:*) printf 'Refused: current.gguf is no link; llama-server gives it a name of its own\n' ;;
  esac
  if is_file "$own/request"; then
    asked=$(head -c 4096 "$own/request" | tr -d '\000' | sed -n 's/^name: //p;')
    one_line "$asked"
    wished="$line (by request)"
  fi
  if [ -n "$active" ] && resolve "$active"; then
    size_of "$active"
    printf 'Active Model: %s\nSize: %s\nPath: %s\n' "$active" "$size" "$model_file"
    status=0
  elif [ -n "$active" ]; then printf 'Active Model: %s\nDamaged: %s\n' "$active" "$why"
  else
    printf 'Active Model: none\n'
    if [ -z "$wished" ] && next_by_default ''; then printf 'First by name: %s\n' "$choice"; fi
  fi
  [ -z "$wished" ] || printf 'Asked for: %s\n' "$wished"
  [ -z "$s_phase" ] || printf 'Phase: %s\n' "$s_phase"
  [ -z "$s_want" ] || [ -z "$s_result" ] || printf 'Last wish: %s, %s\n' "$s_want" "$s_result"
  [ -z "$s_reason" ] || printf 'Reason: %s\n' "$s_reason"
  [ -z "$s_notices" ] || printf '%s' "$s_notices" | sed 's/^notice/Notice/'
  for path in "$models"/*; do
    name=${path##*/}
    case $name in
      current.gguf | init-models.sh) continue ;;
      *-[0-9][0-9][0-9][0-9][0-9]-of-[0-9][0-9][0-9][0-9][0-9].gguf)
        case $name in *-00001-of-*) ;; *) continue ;; esac ;;
      *.gguf) is_projector "$name" && continue ;;
      *) [ -d "$path" ] || continue ;;
    esac
    [ "$name" = "$active" ] || resolve "$name" || printf 'Damaged: %s\n' "$why"
  done
  return $status
}

case ${0##*/} in
  init-models.sh)
    export LC_ALL=C
    set -u
    report
    exit $? ;;
esac
