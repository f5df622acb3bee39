# Completion of asyncspy for bash. tests/live/test_completions.py compares its options with those of `asyncspy --help`.

_asyncspy() {
  local word=$2 previous=$3 command=${COMP_WORDS[1]} options='' words='' kind=''
  local views="-f --format -a --all --all-findings -t --threads --tree --task --color --colour --name --state --function --file
    --wait --waiting-longer-than --loop"
  case $command in
    dump)
      options="$views --core --root -o --output --locals --context --no-mask --samples --interval --max-pause --no-pause --fail-on
        --heap -n --native"
      kind=process-or-file
      ;;
    show) options="$views -o --output" kind='file' ;;
    diff) options="-f --format -a --all --color --colour -o --output" kind='file' ;;
    capture) options="--core --root -o --output --full --locals -n --native --plain --max-pause" kind=process-or-file ;;
    watch)
      options="--match --all -i --interval --stall --lag --pending --growth --survey -d --directory --keep --keep-bytes --keep-age --rate
        --same-cause --ring --listen --max-pause --no-pause"
      kind=process
      ;;
    check) options="--max-stall" kind=process ;;
    top) options="--subprocesses --wait -i --interval --max-pause --no-pause -b --batch -n --color --colour" kind=process ;;
    ps) options="-f --format --color --colour" ;;
    doctor) options="-l --layout --no-pause --color --colour" kind=process ;;
    explain) kind=rule ;;
  esac

  if ((COMP_CWORD == 1)); then
    words="dump show diff capture watch check top ps doctor explain -h --help -V --version"
    kind=''
  elif [[ $word == -* ]]; then
    words="$options -h --help"
    kind=''
  else
    case $previous in
      -f | --format) if [[ $command == dump || $command == show ]]; then words="text json dot"; else words="text json"; fi ;;
      --color | --colour) words="auto always never" ;;
      --state) words="running pending finished cancelled unknown" ;;
      --fail-on) words="proven observed suspected" ;;
      --core | -o | --output) kind='file' ;;
      --root | -d | --directory) kind=directory ;;
      --wait)
        words=''
        [[ $command == top ]] || words="timer task future lock queue event condition semaphore gather socket executor process"
        ;;
      --file | --task | --name | --function | --loop | --context | --waiting-longer-than | --samples | --interval | -i | --max-pause | \
        --match | --stall | --lag | --pending | --growth | --survey | --keep | --keep-bytes | --keep-age | --rate | --same-cause | \
        --ring | --listen | --max-stall)
        return
        ;;
      -n) [[ $command != top ]] || return ;;
    esac
    [[ -z $words ]] || kind=''
  fi

  case $kind in
    process) words+=" $(pgrep -f python)" ;;
    process-or-file) words+=" $(pgrep -f python)" ;;
    rule) words="list $(asyncspy explain list 2>/dev/null | grep -o '^P[0-9][0-9]')" ;;
  esac
  local IFS=$' \t\n'
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
  case $kind in
    process-or-file | file)
      compopt -o filenames 2>/dev/null
      local files
      mapfile -t files < <(compgen -f -- "$word")
      COMPREPLY+=("${files[@]}")
      ;;
    directory)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -d -- "$word")
      ;;
  esac
}

complete -F _asyncspy asyncspy
