# The far side of a remote run, for any POSIX shell. Without arguments it is what a connection
# runs, with its parameters set before; as `wrapper DIR RUN REVISION LIMIT FOLDER` it holds one run
# together, away from every connection. Nothing happens before the last line, so that a script cut
# off on its way does nothing.

say() { printf 'orch %s %s\n' "$token" "$*"; }
fault() {
    say "fault $1 $(printf '%s' "$2" | tr '\n\r\t' '   ' | tail -c 300)"
    exit 0
}
nap() { sleep 0.1 2>/dev/null || sleep 1; }

# The start time of a process, which makes its pid its own; nothing where it is gone.
born() {
    { IFS= read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
    # shellcheck disable=SC2086
    set -- ${stat##*) }
    case $1 in Z | X) return 0 ;; esac
    printf '%s' "${20}"
}

# marked NAME RUN: the living processes that carry the mark.
marked() {
    { grep -ls "$1=$2[.]" /proc/[0-9]*/environ; } 2>/dev/null | while IFS=/ read -r _ _ pid _; do
        printf '%s ' "$pid"
    done
}

# work_of RUN: the living processes of the work: those with its mark, and while the wrapper lives,
# so that the session's number is still the work's own, those of its session.
work_of() {
    marked ORCH_REMOTE_RUN "$1"
    lives "$base/$1" || return 0
    { read -r wanted <"$base/$1/session"; } 2>/dev/null || return 0
    for proc in /proc/[0-9]*; do
        { IFS= read -r stat <"$proc/stat"; } 2>/dev/null || continue
        fields=${stat##*) }
        case $fields in Z* | X*) continue ;; esac
        session=${fields#* * * }
        [ "${session%% *}" = "$wanted" ] && printf '%s ' "${proc#/proc/}"
    done
    return 0
}

# end_all LISTER ARGUMENT…: asks what is listed to end, then kills until nothing is left; false
# where something is.
end_all() {
    left=$("$@")
    [ -n "$left" ] || return 0
    # shellcheck disable=SC2086
    kill -s TERM $left 2>/dev/null
    # shellcheck disable=SC2086
    kill -s CONT $left 2>/dev/null
    end_n=0
    while [ -n "$("$@")" ] && [ "$end_n" -lt 20 ]; do
        nap
        end_n=$((end_n + 1))
    done
    end_n=0
    while left=$("$@") && [ -n "$left" ]; do
        [ "$end_n" -lt 30 ] || return 1
        # shellcheck disable=SC2086
        kill -s KILL $left 2>/dev/null
        nap
        end_n=$((end_n + 1))
    done
}

boot() { cat /proc/sys/kernel/random/boot_id; }

# The wrapper of the run in this folder lives; it is named by boot, pid and start time.
lives() {
    { read -r lives_boot lives_pid lives_born <"$1/wrapper"; } 2>/dev/null || return 1
    [ "$lives_boot" = "$(boot)" ] && [ -n "$lives_born" ] && [ "$(born "$lives_pid")" = "$lives_born" ]
}

wrapper() {
    IFS= read -r nonce
    exec </dev/null
    dir=$1 run=$2 revision=$3 limit=$4 folder=$5
    base=${dir%/*}
    printf '%s %s %s\n' "$(boot)" "$$" "$(born $$)" >"$dir/wrapper.new" || exit 1
    mv "$dir/wrapper.new" "$dir/wrapper" || exit 1
    [ ! -e "$dir/stop" ] || exit 1
    began=$(date +%s)
    ORCH_REMOTE_RUN=$run. setsid sh "$dir/work" "$folder" >>"$dir/out" 2>>"$dir/err" &
    work=$!
    printf '%s\n' "$work" >"$dir/session"
    (
        trap 'kill $! 2>/dev/null; exit 0' TERM
        sleep "$limit" &
        wait $! || exit 0
        true >"$dir/limit"
        end_all work_of "$run"
    ) &
    watch=$!
    wait "$work"
    code=$?
    kill "$watch" 2>/dev/null
    wait "$watch"
    survivors=$(work_of "$run" | tr ' ' '\n' | sort -u | grep -c .)
    end_all work_of "$run"
    ended=exited
    [ ! -e "$dir/limit" ] || ended=limit
    [ ! -e "$dir/stop" ] || ended=stopped
    {
        printf 'orch-frame 1\nnonce %s\nrun %s\nrevision %s\n' "$nonce" "$run" "$revision"
        printf 'ended %s\nexit %s\n' "$ended" "$code"
        printf 'stdout %s\nstderr %s\n' "$(($(wc -c <"$dir/out")))" "$(($(wc -c <"$dir/err")))"
        printf 'seconds %s\nsurvivors %s\nend\n' "$(($(date +%s) - began))" "$survivors"
    } >"$dir/frame.new" && mv "$dir/frame.new" "$dir/frame"
}

# The programs that hold a run together.
need() {
    for tool in setsid tar grep wc tail head tr sort find date id mv rm mkdir cat sleep; do
        command -v "$tool" >/dev/null 2>&1 || fault program "$tool is not on the PATH ($PATH)"
    done
    [ -r /proc/self/stat ] || fault program "/proc is not mounted"
}

# Where runs are kept.
room() {
    base=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/orchestrator/runs
    why=$(LC_ALL=C mkdir -p "$base" 2>&1) && [ -w "$base" ] && return 0
    base=${TMPDIR:-/tmp}/orchestrator-$(id -u)/runs
    LC_ALL=C mkdir -p "$base" 2>/dev/null && [ -O "${base%/runs}" ] && [ -w "$base" ] && return 0
    case $why in *'No space left'*) fault disk "$why" ;; esac
    fault room "${why:-$base can not be written}"
}

# Folders of runs that nobody came back for.
prune() {
    find "$base" ! -path "$base" -prune -type d -mtime +3 2>/dev/null | while IFS= read -r old; do
        lives "$old" || rm -rf "$old"
    done
}

# The work can not be set up: the words of the system say why.
refuse() {
    case $1 in
    *'No space left'* | *'quota exceeded'*) fault disk "$1" ;;
    *) fault setup "$1" ;;
    esac
}

# pump NAME SENT FILE: sends what the file has beyond what was sent of it.
pump() {
    while :; do
        more=$(($(wc -c <"$3") - $2))
        [ "$more" -gt 0 ] || break
        [ "$more" -le 262144 ] || more=262144
        say "$1 $more"
        tail -c "+$(($2 + 1))" "$3" 2>/dev/null | head -c "$more" || exit 0
        set -- "$1" "$(($2 + more))" "$3"
    done
    sent=$2
}

# stream DIR: all output, as it comes, then the frame.
stream() {
    beat=0
    while :; do
        over=
        if [ -e "$1/frame" ]; then
            over=frame
        elif ! lives "$1"; then
            # It may have written the frame and gone between the two looks.
            [ -e "$1/frame" ] && over=frame || over=killed
        fi
        pump out "$out_from" "$1/out"
        out_from=$sent
        pump err "$err_from" "$1/err"
        err_from=$sent
        case $over in
        frame)
            say "frame $(($(wc -c <"$1/frame")))"
            cat "$1/frame"
            exit 0
            ;;
        killed) refuse_killed "$(cat "$1/wrap.err" 2>/dev/null)" ;;
        esac
        beat=$((beat + 1))
        [ $((beat % 20)) != 0 ] || say alive || exit 0
        nap
    done
}
refuse_killed() {
    case $1 in
    *'No space left'* | *'quota exceeded'*) fault disk "$1" ;;
    *) fault killed "$1" ;;
    esac
}

# attach DIR: waits until the wrapper has said who it is, then streams.
attach() {
    attach_n=0
    while [ ! -e "$1/wrapper" ] && [ "$attach_n" -lt 50 ]; do
        nap
        attach_n=$((attach_n + 1))
    done
    say "attached ${1##*/}"
    stream "$1"
}

# stop RUN: nothing of it is left, and nothing of it can begin; false where something is left.
stop() {
    dir=$base/$1
    mkdir -p "$dir"
    mkdir "$dir/claim" 2>/dev/null && return 0
    true >"$dir/stop"
    stop_n=0
    while [ "$stop_n" -lt 30 ]; do
        end_all work_of "$1" || return 1
        [ -e "$dir/wrapper" ] && ! lives "$dir" && break
        nap
        stop_n=$((stop_n + 1))
    done
    # A wrapper that does not end by itself, and what one left that was killed.
    end_all marked ORCH_REMOTE_HOLD "$1"
}

# clean RUN: removes the folder of a run that is over; its wrapper may be on its last step.
clean() {
    clean_n=0
    while lives "$base/$1"; do
        [ "$clean_n" -lt 30 ] || return 0
        nap
        clean_n=$((clean_n + 1))
    done
    rm -rf "${base:?}/$1"
}

# Ends every earlier run but the one whose result is still wanted, which it names.
earlier_runs() {
    printf '%s\n' "$earlier" | (
        found=
        while read -r run what; do
            [ -n "$run" ] && [ -d "$base/$run" ] || continue
            if [ "$what$found" = adopt ] && { [ -e "$base/$run/frame" ] || lives "$base/$run"; }; then
                found=$run
            elif stop "$run"; then
                rm -rf "${base:?}/$run"
            else
                found=!$run
                break
            fi
        done
        printf '%s' "$found"
    )
}

start() {
    found=$(earlier_runs)
    case $found in
    '') ;;
    !*) fault stuck "processes of ${found#!} could not be ended" ;;
    *) attach "$base/$found" ;;
    esac
    dir=$base/$id
    [ -d "$dir/claim" ] && attach "$dir"
    prune
    folder=$dir/tree-$token
    why=$(LC_ALL=C mkdir -p "$folder" 2>&1) || refuse "$why"
    if [ "$tree" = 1 ]; then
        say upload
        why=$(
            umask "$mask"
            LC_ALL=C tar -x -f - -C "$folder" 2>&1
        ) || refuse "$why"
    else
        folder=${HOME:-/}
    fi
    why=$({ printf 'umask %s\ncd "$1" || exit 126\n%s\n' "$mask" "$work" >"$dir/work-$token"; } 2>&1) || refuse "$why"
    why=$({ printf '%s\n' "$code" >"$dir/wrap-$token"; } 2>&1) || refuse "$why"
    # Who makes the claim starts the run, whatever other connections are about.
    mkdir "$dir/claim" 2>/dev/null || attach "$dir"
    mv "$dir/work-$token" "$dir/work" || refuse "the run's folder can not be written"
    true >"$dir/out"
    true >"$dir/err"
    printf '%s\n' "$nonce" | ORCH_REMOTE_HOLD=$id. setsid sh "$dir/wrap-$token" wrapper \
        "$dir" "$id" "$revision" "$limit" "$folder" >/dev/null 2>"$dir/wrap.err" &
    attach "$dir"
}

check() {
    why=$({ LC_ALL=C dd if=/dev/zero of="$base/probe-$token" bs=1024 count=64; } 2>&1) || {
        rm -f "$base/probe-$token"
        refuse "$why"
    }
    rm -f "$base/probe-$token"
    prune
    say "done $base"
}

main() {
    if [ $# -gt 0 ]; then
        shift
        wrapper "$@"
        exit
    fi
    mask=$(umask)
    umask 077
    printf '\n'
    say hello
    need
    room
    case $mode in
    start) start ;;
    check) check ;;
    stop)
        for run in $runs; do
            stop "$run" || fault stuck "processes of $run could not be ended"
        done
        say done
        ;;
    clean)
        for run in $runs; do
            clean "$run"
        done
        say done
        ;;
    esac
}

main "$@"
