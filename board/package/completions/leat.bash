# Completion of leat(1) for bash: made by scripts/generate-docs out of the command table.
_leat() {
  local words="" current="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}"
  case "$before" in
    --config|--datax|--file|--key|--tests|-c) COMPREPLY=($(compgen -f -- "$current")); return ;;
    --data-dir) COMPREPLY=($(compgen -d -- "$current")); return ;;
    *) ;;
  esac
  case "${COMP_WORDS[1]} ${COMP_WORDS[2]} $before" in
    "check "*" --timeout") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "dead-letters drop --before") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "dead-letters drop --id") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "dead-letters drop --reason") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "dead-letters drop --stage") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "dead-letters edit --from") COMPREPLY=($(compgen -W "start stage" -- "$current")); return ;;
    "dead-letters export --before") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "dead-letters export --id") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "dead-letters export --reason") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "dead-letters export --stage") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "dead-letters retry --before") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "dead-letters retry --from") COMPREPLY=($(compgen -W "start stage" -- "$current")); return ;;
    "dead-letters retry --id") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "dead-letters retry --reason") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "dead-letters retry --stage") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "dead-letters show --before") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "dead-letters show --count") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "dead-letters show --id") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "dead-letters show --reason") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "dead-letters show --stage") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "dead-letters show -n") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "explain "*" --timeout") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "keygen "*" --algorithm") COMPREPLY=($(compgen -W "ES256 HS256" -- "$current")); return ;;
    "positions reset --to") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "provision "*" --param") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "run "*" --log-format") COMPREPLY=($(compgen -W "auto text json" -- "$current")); return ;;
    "run "*" --log-level") COMPREPLY=($(compgen -W "debug info warn error" -- "$current")); return ;;
    "sign "*" --arguments") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "sign "*" --id") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "sign "*" --kid") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "sign "*" --to") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "sign "*" --valid-for") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "spool drop --before") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "spool show --count") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "spool show -n") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "sql "*" --from") COMPREPLY=($(compgen -W "json csv lines" -- "$current")); return ;;
    "sql "*" --to") COMPREPLY=($(compgen -W "ndjson csv" -- "$current")); return ;;
    "tap "*" --at") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "tap "*" --count") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "tap "*" --rate") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "tap "*" --where") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "tap "*" -n") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "try "*" --pipeline") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
    "try "*" --topic") COMPREPLY=($(compgen -W "" -- "$current")); return ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="run check explain config new try sql test import status top tap pause resume start stop mount unmount restart kick tasks runs provision spool dead-letters positions journal keygen sign seal ports list help version"
  else case "${COMP_WORDS[1]} ${COMP_WORDS[2]}" in
    "dead-letters export"*) words="-c --config --data-dir --id --stage --reason --before --payload " ;;
    "dead-letters retry"*) words="-c --config --data-dir --id --stage --reason --before --all --from --json " ;;
    "dead-letters show"*) words="-c --config --data-dir --id --stage --reason --before --all -n --count " ;;
    "dead-letters edit"*) words="-c --config --data-dir --from --json " ;;
    "dead-letters drop"*) words="-c --config --data-dir --id --stage --reason --before --all --json " ;;
    "config rollback"*) words="-c --config --data-dir --json --wait " ;;
    "positions reset"*) words="-c --config --data-dir --file --to " ;;
    "journal compact"*) words="-c --config --data-dir " ;;
    "config history"*) words="-c --config --data-dir --json " ;;
    "journal verify"*) words="-c --config --data-dir --json " ;;
    "dead-letters "*) words="-c --config --data-dir --json " ;;
    "config apply"*) words="-c --config --data-dir --json --wait " ;;
    "spool export"*) words="-c --config --data-dir --payload " ;;
    "config show"*) words="-c --config --data-dir " ;;
    "config diff"*) words="-c --config --data-dir " ;;
    "provision "*) words="-c --config --data-dir --param --json " ;;
    "spool show"*) words="-c --config --data-dir -n --count " ;;
    "spool drop"*) words="-c --config --data-dir --before --all " ;;
    "positions "*) words="-c --config --data-dir --json " ;;
    "explain "*) words="-c --config --data-dir --connect --timeout " ;;
    "unmount "*) words="-c --config --data-dir " ;;
    "restart "*) words="-c --config --data-dir " ;;
    "version "*) words="--verbose " ;;
    "config "*) words="-c --config --data-dir " ;;
    "import "*) words="--data-dir " ;;
    "status "*) words="-c --config --data-dir --watch --json " ;;
    "resume "*) words="-c --config --data-dir " ;;
    "keygen "*) words="--algorithm --agent -c --config --data-dir " ;;
    "check "*) words="-c --config --data-dir --json --strict --connect --timeout " ;;
    "pause "*) words="-c --config --data-dir " ;;
    "start "*) words="-c --config --data-dir " ;;
    "mount "*) words="-c --config --data-dir " ;;
    "tasks "*) words="-c --config --data-dir --json " ;;
    "spool "*) words="-c --config --data-dir --json " ;;
    "ports "*) words=" " ;;
    "test "*) words="-c --config --data-dir --tests " ;;
    "stop "*) words="-c --config --data-dir --now " ;;
    "kick "*) words="-c --config --data-dir " ;;
    "runs "*) words="-c --config --data-dir --json " ;;
    "sign "*) words="--key --to --kid --arguments -c --config --id --valid-for " ;;
    "seal "*) words="--key " ;;
    "list "*) words="--json " ;;
    "help "*) words="--schema --markdown amqp channel file generator internal mqtt mysql serial postgres sqlite stdin filter map explode sql dedupe deadband sample rate window lookup amqp cache channel file http mqtt mysql postgres sqlite stdout json csv lines raw xml avro ndjson json csv lines raw xml avro" ;;
    "run "*) words="-c --config --data-dir --datax --log-level --log-format " ;;
    "new "*) words=" " ;;
    "try "*) words="-c --config --data-dir --pipeline --topic --json " ;;
    "sql "*) words="--from --to " ;;
    "top "*) words="-c --config --data-dir " ;;
    "tap "*) words="-c --config --data-dir --at --where --dropped --rate -n --count " ;;
  esac; fi
  [ "$COMP_CWORD" -ne 2 ] || case "${COMP_WORDS[1]}" in
    config) words="apply history show diff rollback" ;;
    spool) words="show export drop" ;;
    dead-letters) words="show export edit retry drop" ;;
    positions) words="reset" ;;
    journal) words="verify compact" ;;
    *) ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _leat leat
